#pragma once
// What one may say to a student, who holds at most one number. Each reply is what the student says aloud.

#include <cstdint>
#include <string>

#include "actors/audience/audience.hpp"
#include <baton/protocol.hpp>
#include <baton/ref.hpp>

namespace student {

// From now on what is said goes to that audience too.
struct SpeakTo {
    baton::Ref<audience::Protocol> audience;
};
struct HoldThis {
    std::int64_t number = 0;
    using Reply = std::string;
};
struct WhatsYourNumber {
    using Reply = std::string;
};
// The demonstration is over: says goodbye and stops.
struct ThanksForHelping {
    using Reply = std::string;
};

using Protocol = baton::Protocol<SpeakTo, HoldThis, WhatsYourNumber, ThanksForHelping>;

}  // namespace student
