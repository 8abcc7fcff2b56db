#include "actors/student/student_actor.hpp"

#include <fmt/format.h>

namespace student {

std::string Student::on(const HoldThis& command) {
    const std::string words = held_ ? fmt::format("A {}? I'll just drop this {}.", command.number, *held_)
                                    : fmt::format("A {}? Got it.", command.number);
    held_ = command.number;
    return say(words);
}

std::string Student::on(const WhatsYourNumber&) {
    return say(held_ ? fmt::format("I have a {}", *held_) : "I'm not holding anything.");
}

std::string Student::on(const ThanksForHelping&) {
    context_->stop();
    return say("You're welcome!");
}

std::string Student::say(const std::string& words) {
    std::string line = fmt::format("[{}]  {}", context_->name(), words);
    if (audience_)
        if (const auto sent = context_->send(audience_, audience::Said{line}); !sent)
            context_->log().warn("audience.lost", "{}", to_text(sent.error()));
    return line;
}

}  // namespace student
