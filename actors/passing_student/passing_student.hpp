#pragma once
// What one may say to a student whose hand holds a number in shared memory, and who passes it on. Each reply is what
// the student says aloud.
//
// Passing has two steps, so that nobody's number is lost under another's: all get ready, which empties the hands, and
// only then all go. Whoever orders it waits between the two.

#include <cstdint>
#include <string>

#include "actors/audience/audience.hpp"
#include "runtime/protocol.hpp"
#include "runtime/ref.hpp"
#include "runtime/segment.hpp"

namespace passing_student {

struct SpeakTo;
struct HoldThis;
struct WhatsYourNumber;
struct YouPassTo;
struct GetReady;
struct Go;
struct Take;
struct ThanksForHelping;
using Protocol =
    baton::Protocol<SpeakTo, HoldThis, WhatsYourNumber, YouPassTo, GetReady, Go, Take, ThanksForHelping>;

// What happens to a hand without being asked for is said to that audience.
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
struct YouPassTo {
    std::string name;
    baton::Ref<Protocol> student;
    using Reply = std::string;
};
struct GetReady {
    using Reply = std::string;
};
struct Went {
    std::string line;
    bool has_given = false;  // then the audience hears from the one who takes it, or again from the giver
};
struct Go {
    using Reply = Went;
};
// From student to student.
struct Take {
    std::string from;
    baton::Segment hand;  // one int64
};
// The demonstration is over: says goodbye and stops.
struct ThanksForHelping {
    using Reply = std::string;
};

}  // namespace passing_student
