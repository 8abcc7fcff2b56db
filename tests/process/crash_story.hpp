#pragma once
// Crash story: two actors that make every transition of docs/ownership.md with each other, so that one of them
// can be killed or frozen at any step of it.

#include <cstdint>
#include <string>

#include "runtime/protocol.hpp"
#include "runtime/ref.hpp"
#include "runtime/segment.hpp"

namespace crash_story {

struct Play;
struct Offer;
struct Take;
struct Work;
struct Look;
struct Fill;
struct HoldLease;
struct LetGo;
struct Report;
using Protocol = baton::Protocol<Play, Offer, Take, Work, Look, Fill, HoldLease, LetGo, Report>;
using Address = baton::Ref<Protocol>;

// All transitions with `peer`: "done", or what stopped it.
struct Play { Address peer; using Reply = std::string; };
// Gives `count` segments and a lease to `to`, and keeps the lent one.
struct Offer { Address to; std::uint64_t count = 0; using Reply = std::string; };
struct Take { baton::Segment item; std::string ballast; };
struct Work { baton::Segment item; using Reply = baton::Segment; };
struct Look { baton::Lease item; std::string ballast; using Reply = std::int64_t; };
struct Fill { baton::Slice item; std::int64_t value = 0; using Reply = std::uint64_t; };
struct HoldLease { baton::Lease item; };
struct LetGo { using Reply = std::uint64_t; };       // releases all that is kept; how many segments
struct Held {
    std::uint64_t kept = 0;
    bool is_intact = true;                           // every segment holds one value throughout
    std::uint64_t bounced = 0;
};
struct Report { using Reply = Held; };

}  // namespace crash_story
