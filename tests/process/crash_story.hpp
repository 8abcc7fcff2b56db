#pragma once
// Crash story: two actors that make every transition of docs/ownership.md with each other, so that one of them
// can be killed or frozen at any step of it.

#include <cstdint>
#include <string>

#include <baton/protocol.hpp>
#include <baton/ref.hpp>
#include <baton/segment.hpp>

namespace crash_story {

struct Play;
struct Offer;
struct Take;
struct Work;
struct Look;
struct Fill;
struct HoldLease;
struct HandOut;
struct LookUp;
struct MakeMore;
struct LetGo;
struct Report;
using Protocol =
    baton::Protocol<Play, Offer, Take, Work, Look, Fill, HoldLease, HandOut, LookUp, MakeMore, LetGo, Report>;
using Address = baton::Ref<Protocol>;

// All transitions with `peer`: "done", or what stopped it. What is handed out is called by `name` and more.
struct Play { Address peer; std::string name; using Reply = std::string; };
// Gives `count` segments and a lease to `to`, and keeps the lent one.
struct Offer { Address to; std::uint64_t count = 0; using Reply = std::string; };
struct Take { baton::Segment item; std::string ballast; };
struct Work { baton::Segment item; using Reply = baton::Segment; };
struct Look { baton::Lease item; std::string ballast; using Reply = std::int64_t; };
struct Fill { baton::Slice item; std::int64_t value = 0; using Reply = std::uint64_t; };
struct HoldLease { baton::Lease item; };
struct HandOut { baton::Segment item; std::string name; using Reply = std::uint64_t; };
struct LookUp { std::string name; using Reply = std::int64_t; };  // attaches, and says what it reads
// segments that are full of -1; they are kept
struct MakeMore { std::uint64_t count = 0; using Reply = std::uint64_t; };
struct LetGo { using Reply = std::uint64_t; };       // releases all that is kept; how many segments
struct Held {
    std::uint64_t kept = 0;
    bool is_intact = true;                           // every segment holds one value throughout
    std::uint64_t bounced = 0;
};
struct Report { using Reply = Held; };

inline constexpr std::uint64_t elements = 1000;        // of what shares an object with others
inline constexpr std::uint64_t more_elements = 2000;    // the same, of another size than anything that came in
inline constexpr std::uint64_t many_elements = 10'000;  // of what has one of its own
// What those that are handed out are full of: the giver's own, and those that were given to the taker.
inline constexpr std::int64_t own_value = 8;
inline constexpr std::int64_t theirs_value = 9;

}  // namespace crash_story
