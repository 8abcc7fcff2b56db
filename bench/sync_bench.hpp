#pragma once
// What the benchmark of locks, values and barriers says to its actors.

#include <baton/sync.hpp>

namespace bench {

enum class Work : std::uint8_t { lock, increment, barrier };

// When it was done, on the clock that all processes share.
struct Span {
    std::int64_t began = 0;  // nanoseconds
    std::int64_t ended = 0;
};
// Does `work` with `what` `count` times, once all have reached `start`.
struct Repeat {
    Work work = Work::lock;
    baton::sync::Address what;
    baton::sync::Address start;
    std::uint64_t count = 0;
    using Reply = Span;
};
using SyncProtocol = baton::Protocol<Repeat>;

}  // namespace bench
