#pragma once
// Keeper: an actor that does to segments what actors do: takes, changes, holds, lends, makes and forwards them.

#include <optional>
#include <string>
#include <vector>

#include <baton/protocol.hpp>
#include <baton/ref.hpp>
#include <baton/segment.hpp>

namespace keeper {

struct Forward;
struct Show;
struct AskBack;

// float32, whatever the shape.
struct Double {  // every element, and gives it back
    baton::Segment segment;
    using Reply = baton::Segment;
};
struct Hold {
    baton::Segment segment;
    std::string label;
};
struct HoldAsked {
    baton::Segment segment;
    using Reply = std::uint64_t;  // how many it holds now
};
struct Spoil {  // takes it and raises
    baton::Segment segment;
    using Reply = std::string;
};
struct GiveBack {  // the last that it holds
    using Reply = baton::Segment;
};
struct Sum {
    baton::Lease pixels;
    using Reply = double;
};
struct Fill {
    baton::Slice rows;
    float value = 0;
    using Reply = std::uint64_t;  // where the slice begins
};
struct KeepLease {  // until Drop
    baton::Lease pixels;
    using Reply = double;  // its first element
};
struct Drop {
    using Reply = std::monostate;
};
struct Make {
    std::vector<std::uint64_t> shape;
    float value = 0;
    struct Made {
        std::string note;
        baton::Segment segment;
    };
    using Reply = Made;
};
struct LendMe {  // lends what it holds, and a lease of it
    using Reply = baton::Lease;
};
struct SliceForMe {  // of what is lent
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    using Reply = baton::Slice;
};
struct Reclaim {  // what is lent, and says its sum
    double seconds = 0;
    using Reply = double;
};
struct Reverse {
    std::vector<baton::Segment> segments;
    std::optional<baton::Segment> maybe;
    using Reply = std::vector<baton::Segment>;  // `maybe` last
};

using Protocol = baton::Protocol<Double, Hold, HoldAsked, Spoil, GiveBack, Sum, Fill, KeepLease, Drop, Make, LendMe,
                                 SliceForMe, Reclaim, Reverse, Forward, Show, AskBack>;

// What it says to a scenario.
struct Shown {
    std::string title;
    baton::Segment photo;
    baton::Lease poster;
};
struct Improve {
    baton::Segment photo;
    using Reply = baton::Segment;
};
using Audience = baton::Protocol<Shown, Improve>;

struct Forward {  // sends Hold to another one; says how that ended
    baton::Ref<Protocol> to;
    baton::Segment segment;
    using Reply = std::string;
};
struct Show {  // a photo of one 7, and a lease of one 8
    baton::Ref<Audience> audience;
};
struct AskBack {  // gives a photo of one 9 to be improved; says its first element afterwards
    baton::Ref<Audience> audience;
    using Reply = double;
};

}  // namespace keeper
