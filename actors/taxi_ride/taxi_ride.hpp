#pragma once
// What one may say to a passenger, and to a taxi: the two talk to each other, so they are declared together.

#include <string>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/protocol.hpp"
#include "runtime/ref.hpp"

namespace taxi {

// One line of what somebody remembers of the talk.
struct Memory {
    baton::Timestamp time;
    std::string action;  // SEND or GET
    std::string message;
};

}  // namespace taxi

namespace passenger {

struct CallTaxi;
struct Hear;
struct TellStory;
using Protocol = baton::Protocol<CallTaxi, Hear, TellStory>;

}  // namespace passenger

namespace taxi {

struct Call {
    baton::Ref<passenger::Protocol> passenger;
    std::string message;
};
struct TellStory {
    using Reply = std::vector<Memory>;
};
using Protocol = baton::Protocol<Call, TellStory>;

}  // namespace taxi

namespace passenger {

// Calls that taxi; answered when it has arrived.
struct CallTaxi {
    baton::Ref<taxi::Protocol> taxi;
    using Reply = bool;
};
struct Hear {
    std::string message;
    bool has_arrived = false;
};
struct TellStory {
    using Reply = std::vector<taxi::Memory>;
};

}  // namespace passenger
