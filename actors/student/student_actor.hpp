#pragma once
// Student: holds a number and says what happens to it.

#include <optional>

#include "actors/student/student.hpp"
#include <baton/context.hpp>

namespace student {

class Student {
public:
    explicit Student(baton::Context& context) : context_(&context) {}

    void on(const SpeakTo& command) { audience_ = command.audience; }
    std::string on(const HoldThis& command);
    std::string on(const WhatsYourNumber& command);
    std::string on(const ThanksForHelping& command);

private:
    std::string say(const std::string& words);

    baton::Context* context_;
    std::optional<std::int64_t> held_;
    baton::Ref<audience::Protocol> audience_;
};

}  // namespace student
