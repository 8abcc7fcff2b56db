#pragma once
// Player: an actor that does with locks, barriers, queues what a test tells it, and says how that ended.

#include <baton/sync/protocol.hpp>

namespace player {

// What to do, with the primitive at `what`: "acquire", "release", "wait", "notify", ... (player_main.cpp). Answered
// when it is done: "ok", with what came of it, or the error.
struct Do {
    std::string verb;
    baton::sync::Address what;
    std::int64_t milliseconds = 10'000;
    std::int64_t number = 0;         // to put, to notify, to add
    baton::sync::Address lock = {};  // of a condition
    using Reply = std::string;
};
// Takes the lock of the value and adds one, until `is_over` is not 0, another value; after `lives` times, in the middle
// of it, it kills itself at a place that `place` chooses.
struct Counted {
    std::uint64_t count = 0;
    std::uint64_t dead_owners = 0;   // of which it was told
};
struct CountUp {
    baton::sync::Address value;
    baton::sync::Address is_over;
    std::uint64_t lives = UINT64_MAX;
    std::uint32_t place = 0;
    using Reply = Counted;
};
struct Ask;
using Protocol = baton::Protocol<Do, CountUp, Ask>;

// Asks that one to Do this, and waits.
struct Ask {
    baton::Ref<Protocol> other;
    Do command;
    using Reply = std::string;
};

}  // namespace player
