#pragma once
// Vault: what the tests of hand-over say to an actor that makes, keeps, changes and passes on segments.

#include <cstdint>
#include <string>
#include <vector>

#include <baton/protocol.hpp>
#include <baton/ref.hpp>
#include <baton/segment.hpp>

namespace vault {

struct Keep;
struct KeepAll;
struct Change;
struct Pass;
struct Make;
struct Flood;
struct Measure;
struct KeepLease;
struct KeepSlice;
struct Fill;
struct Relax;
struct LendTo;
struct Reclaim;
struct WriteThroughLease;
struct TouchGiven;
struct Report;
struct Drop;
struct Block;
struct Occupy;
struct MakeOne;
struct Wander;
struct Churn;
struct GiveOccupied;
struct MarkEnds;
struct HowMany;
struct WaitIn;
using Protocol = baton::Protocol<Keep, KeepAll, Change, Pass, Make, Flood, Measure, KeepLease, KeepSlice, Fill, LendTo,
                                 Reclaim, WriteThroughLease, TouchGiven, Report, Drop, Block, Occupy, MakeOne, Wander,
                                 Churn, GiveOccupied, MarkEnds, HowMany, WaitIn, Relax>;
using Address = baton::Ref<Protocol>;

struct Keep { baton::Segment item; std::int64_t number = 0; };          // sent: keeps it
struct KeepAll { std::vector<baton::Segment> items; std::optional<baton::Segment> more; using Reply = std::int64_t; };
struct Change { baton::Segment item; std::int64_t add = 0; using Reply = baton::Segment; };  // and gives it back
// adds 1, passes it to the next; the last keeps it
struct Pass { baton::Segment item; std::vector<Address> route; };
struct Make {                                                            // makes, gives each to `to` by Keep
    Address to;
    std::uint64_t count = 0;
    std::uint64_t elements = 1;
    std::string then;             // "": lives on, "exit", "kill", "abort"
    using Reply = std::uint64_t;  // how many were taken
};
struct MakeOne { std::uint64_t elements = 1; using Reply = baton::Segment; };
struct Flood { Address to; std::uint64_t elements = 1; };                // makes and gives for ever
struct Measure { baton::Lease item; using Reply = std::int64_t; };      // the sum of its elements
struct KeepLease { baton::Lease item; using Reply = std::int64_t; };
struct KeepSlice { baton::Slice item; using Reply = std::uint64_t; };
// One strip of a stencil: each element of `mine` becomes the sum of the element in the same place of `own` and those
// above and below it. `own` is the strip as it was, `above` and `below` the neighbours' edge rows, where there are
// neighbours.
struct Relax {
    baton::Slice mine;
    baton::Lease own;
    std::optional<baton::Lease> above;
    std::optional<baton::Lease> below;
    using Reply = std::vector<std::uint64_t>;  // where the slice and each lease begins, in rows
};
struct Fill { baton::Slice item; std::int64_t value = 0; using Reply = std::uint64_t; };     // answers where it starts
// lends to KeepLease, answers the sum
struct LendTo { Address to; std::uint64_t elements = 1; using Reply = std::int64_t; };
// of LendTo: "whole" or an error
struct Reclaim { std::int64_t milliseconds = 0; using Reply = std::string; };
struct WriteThroughLease { baton::Lease item; using Reply = std::int64_t; };
// gives, then writes through a pointer kept from before
struct TouchGiven { Address to; using Reply = std::int64_t; };
struct Summary {
    std::uint64_t kept = 0;
    std::int64_t sum = 0;                   // of all elements of all that is kept
    std::vector<std::int64_t> bounced;      // the numbers of Keeps that came back
    std::uint64_t leases = 0;
    std::vector<std::string> exited;        // names of actors of whose end it was told
    std::uint64_t torn = 0;                 // kept, and not all elements are the number that it came with
};
struct Report { using Reply = Summary; };
struct Drop {};                                                          // releases all that is kept
struct Block { std::string fifo; using Reply = std::string; };          // until somebody opens the fifo for writing
// makes and keeps; how many it got
struct Occupy { std::uint64_t bytes = 0; std::uint64_t count = 0; using Reply = std::uint64_t; };
// Goes from one to another of `among`, by chance, until it has made its hops; elements are all `number`. A vault that
// cannot pass it on keeps it.
struct Wander {
    baton::Segment item;
    std::int64_t number = 0;
    std::uint64_t hops = 0;
    std::uint64_t chance = 0;
    std::vector<Address> among;
};
// makes and releases; how many
struct Churn { std::uint64_t count = 0; std::uint64_t elements = 1; using Reply = std::uint64_t; };
struct GiveOccupied { Address to; using Reply = std::uint64_t; };        // each by Keep; how many were taken
// writes the first and last element
struct MarkEnds { baton::Segment item; std::int64_t value = 0; using Reply = baton::Segment; };
struct HowMany { using Reply = std::uint64_t; };                         // are kept
// Asks `other` to block until somebody opens the fifo, in one of the places where an actor's code runs: "on", at once;
// "deadline", in on_deadline(); "exit", when it is told of the end of `about`; "bounce", when a gift to `about`, which
// it makes now, comes back. `how` it waits there: "ask", "wait_for", "reclaim" (of a lease that `other` keeps in the
// meantime).
struct WaitIn {
    std::string place;
    Address other;
    std::string fifo;
    std::optional<Address> about;
    std::string how = "ask";
    using Reply = std::string;
};

}  // namespace vault
