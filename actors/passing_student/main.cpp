#include <fmt/format.h>

#include "actors/passing_student/passing_student.hpp"
#include "runtime/actor.hpp"

namespace {

using namespace passing_student;

class PassingStudent {
public:
    explicit PassingStudent(baton::Context& context) : context_(&context) {
        // Whom it was given to has died before taking it.
        context.on_bounced([this](baton::Bounced<Take> back) { tell(keep(std::move(back.command.hand))); });
    }

    void on(const SpeakTo& command) { audience_ = command.audience; }
    std::string on(const HoldThis& command) {
        if (hand_) {
            const std::int64_t dropped = std::exchange(number(), command.number);
            return said("A {}? I'll just drop this {}.", command.number, dropped);
        }
        hand_ = context_->create_array<std::int64_t>({1}).value();
        number() = command.number;
        return said("A {}? Got it.", command.number);
    }
    std::string on(const WhatsYourNumber&) {
        return hand_ ? said("I have a {}", number()) : said("I'm not holding anything.");
    }
    std::string on(const YouPassTo& command) {
        next_name_ = command.name;
        next_ = command.student;
        return said("I pass to {}? Got it.", next_name_);
    }
    std::string on(const GetReady&) {
        readied_ = std::move(hand_);
        is_ready_ = true;
        return said("Ready!");
    }
    Went on(const Go&) {
        is_ready_ = false;
        Went went = pass();
        for (Take& take : std::exchange(taken_early_, {})) receive(std::move(take));
        return went;
    }
    void on(Take command) {
        // Others may have heard "Go!" earlier. First what is in the hand leaves it, so that the order does not matter.
        if (is_ready_) taken_early_.push_back(std::move(command));
        else receive(std::move(command));
    }
    std::string on(const ThanksForHelping&) {
        context_->stop();
        return said("You're welcome!");
    }

private:
    [[nodiscard]] std::int64_t& number() { return hand_.at<std::int64_t>({0}); }

    template <class... Values>
    std::string said(fmt::format_string<Values...> words, Values&&... values) const {
        return fmt::format("[{}]  {}", context_->name(), fmt::format(words, std::forward<Values>(values)...));
    }
    void tell(const std::string& line) {
        if (const auto sent = context_->send(audience_, audience::Said{line}); !sent)
            context_->log().warn("audience.lost", "{}", describe(sent.error()));
    }
    Went pass() {
        if (!readied_) return {said("..."), false};
        if (!next_) return {keep(std::move(readied_)), false};
        // No copy and no name to look up: the number is in one hand, on its way, or in the other.
        Take take{context_->name(), std::move(readied_)};
        if (!context_->send(next_, std::move(take))) return {keep(std::move(take.hand)), false};
        return {said("Here, {}!", next_name_), true};
    }
    void receive(Take take) {
        const baton::Segment dropped = std::exchange(hand_, std::move(take.hand));
        tell(dropped ? said("A {} from {}? I'll just drop this {}.", number(), take.from, dropped.at<std::int64_t>({0}))
                     : said("A {} from {}? Got it.", number(), take.from));
    }
    std::string keep(baton::Segment hand) {
        hand_ = std::move(hand);
        return next_ ? said("{} is gone. I keep my {}.", next_name_, number()) : said("I keep my {}.", number());
    }

    baton::Context* context_;
    baton::Ref<audience::Protocol> audience_;
    baton::Segment hand_;     // empty: holds nothing
    baton::Segment readied_;  // between GetReady and Go
    bool is_ready_ = false;
    std::vector<Take> taken_early_;
    std::string next_name_;
    baton::Ref<Protocol> next_;
};

}  // namespace

int main(int argc, char** argv) { return baton::run_actor<PassingStudent, Protocol>(argc, argv); }
