#pragma once
// What the benchmark says to the two actors between whom memory is handed over.

#include <cstdint>
#include <variant>

#include <baton/protocol.hpp>
#include <baton/ref.hpp>
#include <baton/segment.hpp>

namespace handover {

struct Drive;
struct Expect;
struct Give;
struct Taken;
struct Measured;
struct Occupy;
using Protocol = baton::Protocol<Drive, Expect, Give, Taken, Measured, Occupy>;

struct Report {
    double median_us = 0;           // one way
    double p99_us = 0;
    std::uint64_t page_faults = 0;  // minor and major, of both processes, after the warm-up
};
// Asked of the giver: hands `warm_up + count` segments to the receiver, one at a time.
struct Drive {
    baton::Ref<Protocol> receiver;
    std::uint64_t bytes = 0;
    std::uint64_t warm_up = 0;
    std::uint64_t count = 0;
    using Reply = Report;
};
struct Expect {  // asked of the receiver
    baton::Ref<Protocol> giver;
    std::uint64_t warm_up = 0;
    std::uint64_t count = 0;
    using Reply = std::monostate;
};
struct Give {  // sent: its words hold `value`; the receiver adds them up and releases it
    baton::Segment item;
    std::uint64_t value = 0;
    std::int64_t given_at = 0;  // CLOCK_MONOTONIC, just before send()
};
struct Taken {};  // sent back
struct Measured {
    using Reply = Report;
};
struct Occupy {  // makes this many segments and keeps them
    std::uint64_t bytes = 0;
    std::uint64_t count = 0;
    using Reply = std::uint64_t;
};

}  // namespace handover
