#pragma once
// What one may say to a maker of ranges, and what it sends: it makes the numbers, hands them over and ends.

#include <cstdint>
#include <string>

#include <baton/protocol.hpp>
#include <baton/ref.hpp>
#include <baton/segment.hpp>

namespace range_maker {

// Sent to the collector of the ranges.
struct Range {
    std::string maker;
    baton::Segment numbers;  // int64, from 0 upwards
};
using Collector = baton::Protocol<Range>;

struct MakeRange {
    std::uint64_t count = 0;
    baton::Ref<Collector> collector;
};
using Protocol = baton::Protocol<MakeRange>;

}  // namespace range_maker
