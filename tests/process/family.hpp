#pragma once
// Family: actors that leave segments to each other.

#include <cstdint>
#include <string>
#include <vector>

#include <baton/protocol.hpp>
#include <baton/ref.hpp>
#include <baton/segment.hpp>

namespace family {

struct Own;
struct Rename;
struct Lend;
struct GiveTo;
struct Take;
struct Hold;
struct Read;
struct LetGo;
struct Has;
struct StopSelf;
using Protocol = baton::Protocol<Own, Rename, Lend, GiveTo, Take, Hold, Read, LetGo, Has, StopSelf>;
using Address = baton::Ref<Protocol>;

// Makes a segment of `elements` times `value` and names its heirs, "next life" being the last one if that is wanted.
// Replies "", or why not.
struct Own {
    std::int64_t value = 0;
    std::vector<baton::AnyRef> heirs;
    std::string label;
    bool next_life = false;
    using Reply = std::string;
};
// Names other heirs of what it owns under that label; nobody, if there are none.
struct Rename {
    std::string label;
    std::vector<baton::AnyRef> heirs;
    using Reply = std::string;
};
// Lends what it owns under that label, with a lease for `to`.
struct Lend { std::string label; Address to; using Reply = std::string; };
// Gives it away; whether `to` takes it is seen later.
struct GiveTo { std::string label; Address to; using Reply = std::string; };
struct Take { std::string label; baton::Segment item; };
struct Hold { baton::Lease item; };
struct Read { using Reply = std::int64_t; };        // the last element of the first lease
struct LetGo { using Reply = std::uint64_t; };      // releases what it has, and returns leases; how much that was
// What it has: its own, and what it was given or has inherited, which says more.
struct Item {
    std::string label;
    std::int64_t value = 0;
    bool is_whole = false;  // every element has that value, and there are as many as there should be
    bool was_written = false;
    std::string owner;      // whose it was; empty: it is not inherited
};
struct Has { using Reply = std::vector<Item>; };
struct StopSelf {};

inline constexpr std::uint64_t elements = 1000;

}  // namespace family
