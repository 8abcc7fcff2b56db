#pragma once
// Account: an actor that keeps money, and moves it to others by asking them.

#include <cstdint>
#include <string>

#include <baton/protocol.hpp>
#include <baton/ref.hpp>

namespace account {

struct Transfer;
struct Deposit {
    std::int64_t amount = 0;
    using Reply = std::int64_t;  // the balance
};
struct Balance {
    using Reply = std::int64_t;
};
using Protocol = baton::Protocol<Deposit, Balance, Transfer>;

// Asks the other account to take the money, and keeps it only where that certainly does not happen.
struct Transfer {
    baton::Ref<Protocol> to;
    std::int64_t amount = 0;
    std::string fifo;                   // that has to be opened for writing first, where one is given
    std::uint32_t milliseconds = 5000;  // how long it waits for the other
    using Reply = std::string;          // "done", or why not
};

}  // namespace account
