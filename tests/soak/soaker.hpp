#pragma once
// Soaker: an actor that does by chance, again and again, all that actors do to each other: it makes segments, gives
// them away one by one and in bursts, lends them, asks, sends, locks, waits, and kills itself. It waits in every place
// where user code can: in on(), on_deadline, in the takers of bounces and exits, in its constructor. All that it does
// stands in its journal (journal.hpp).

#include <cstdint>
#include <string>
#include <vector>

#include <baton/sync/protocol.hpp>
#include <baton/protocol.hpp>
#include <baton/ref.hpp>
#include <baton/segment.hpp>

namespace soaker {

struct Meet;
struct Give;
struct GiveAsked;
struct Look;
struct Fill;
struct Note;
struct Ping;
struct Quiet;
struct Settle;
struct Report;
using Protocol = baton::Protocol<Meet, Give, GiveAsked, Look, Fill, Note, Ping, Quiet, Settle, Report>;
using Address = baton::Ref<Protocol>;

struct Acquaintance {
    Address address;
    std::uint32_t index = 0;
};
struct Meet {  // with whom it has to do from now on
    std::vector<Acquaintance> others;
    baton::sync::Address lock;
    baton::sync::Address condition;
};
struct Give {
    baton::Segment item;
    std::uint64_t token = 0;
    std::uint64_t hop = 0;
    std::uint32_t from = 0;
};
struct GiveAsked {
    baton::Segment item;
    std::uint64_t token = 0;
    std::uint64_t hop = 0;
    std::uint32_t from = 0;
    using Reply = std::uint64_t;  // the hop
};
struct Look {
    baton::Lease item;
    std::uint64_t token = 0;
    std::uint64_t hop = 0;
    using Reply = bool;  // whether it has the bytes that it should
};
struct Fill {
    baton::Slice part;
    std::uint64_t value = 0;
    using Reply = std::uint64_t;  // how many elements
};
struct Note {
    std::uint64_t number = 0;  // of those of this sender to this receiver, from 1
    std::uint32_t from = 0;
};
struct Ping {
    std::uint64_t number = 0;
    std::uint32_t depth = 0;  // this many are asked one after the other before it is answered
    using Reply = std::uint64_t;
};
struct Quiet {  // no moves from here on
    using Reply = std::monostate;
};
struct Settle {  // answered when all that it has ever sent to them has been handled: the last of it is an ask
    std::vector<Acquaintance> others;
    using Reply = std::monostate;
};
struct Report {  // writes what it holds into its journal
    using Reply = std::uint64_t;
};

}  // namespace soaker
