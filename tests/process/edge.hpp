#pragma once
// Edge: an actor that does what no actor should, or what only seldom happens, where the tests of the edges want it.

#include <cstdint>
#include <string>

#include <baton/protocol.hpp>
#include <baton/ref.hpp>

namespace edge {

struct Take {  // takes it, and does nothing
    std::int64_t number = 0;
};
struct Block {  // until somebody opens that fifo for writing
    std::string fifo;
    using Reply = std::string;
};
struct AnswerInThread {  // keeps the answer and gives it in a thread of its own
    using Reply = std::string;
};
struct FloodAfter;
using Protocol = baton::Protocol<Take, Block, AnswerInThread, FloodAfter>;
struct FloodAfter {  // in one handler: sends one to `other`, blocks on the fifo, then sends `count` more
    baton::Ref<Protocol> other;
    std::string fifo;
    std::uint64_t count = 0;
    struct Outcome {
        std::uint64_t taken = 0;  // of the `count`
        std::string error;        // kind of the first that was not
    };
    using Reply = Outcome;
};

}  // namespace edge
