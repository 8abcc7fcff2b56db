#pragma once
// What one may say to a taxi, and to a passenger. The two talk over a channel, each at its own end; an event says that
// the taxi has arrived. Both answer, when the ride is over, with what they remember of the talk.

#include <string>
#include <vector>

#include <baton/sync/protocol.hpp>
#include <baton/time.hpp>

namespace taxi_ride {

// One line of what somebody remembers of the talk.
struct Memory {
    baton::Timestamp time;
    std::string action;  // SEND or GET
    std::string message;
};

}  // namespace taxi_ride

namespace taxi {

// Waits for a call, and drives there.
struct Drive {
    baton::sync::Address end;
    baton::sync::Address arrived;
    using Reply = std::vector<taxi_ride::Memory>;
};
using Protocol = baton::Protocol<Drive>;

}  // namespace taxi

namespace passenger {

// Calls the taxi at the other end, and hears from it until it has arrived.
struct CallTaxi {
    baton::sync::Address end;
    baton::sync::Address arrived;
    using Reply = std::vector<taxi_ride::Memory>;
};
using Protocol = baton::Protocol<CallTaxi>;

}  // namespace passenger
