#pragma once
// What one may say to a student whose hand is shared memory: others put numbers into it. What it says it says on
// stdout.
//
// Passing has two steps, with a barrier between them, so that nobody's number is lost under another's: all take the
// number out of their hand, and only then they put it into the next one's.

#include <cstdint>
#include <string>

#include <baton/sync/protocol.hpp>
#include <baton/protocol.hpp>
#include <baton/ref.hpp>
#include <baton/segment.hpp>

namespace passing_student {

inline constexpr std::int64_t nothing = -1;  // in a hand

struct HoldThis;
struct WhatsYourNumber;
struct YouPassTo;
struct ShowYourHand;
struct PassItOn;
struct ThanksForHelping;
using Protocol = baton::Protocol<HoldThis, WhatsYourNumber, YouPassTo, ShowYourHand, PassItOn, ThanksForHelping>;

// Each is answered when it has been done and said.
struct HoldThis {
    std::int64_t number = 0;
    using Reply = bool;
};
struct WhatsYourNumber {
    using Reply = bool;
};
struct YouPassTo {
    std::string name;
    baton::Ref<Protocol> student;
    using Reply = bool;
};
// From student to student. The hand is one int64, which its owner and the holders of its slices write.
struct Hand {
    baton::Slice number;
};
struct ShowYourHand {
    using Reply = Hand;
};
// A student with nobody to pass to loses the number. False if the barrier is broken: then all have what they had.
struct PassItOn {
    baton::sync::Address barrier;
    using Reply = bool;
};
// The demonstration is over: says goodbye and stops.
struct ThanksForHelping {
    using Reply = bool;
};

}  // namespace passing_student
