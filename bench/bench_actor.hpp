#pragma once
// What the benchmark says to its actor: the same sample of eight doubles and the same block as raw_zmq sends.

#include <cstddef>
#include <cstdint>
#include <vector>

#include <baton/protocol.hpp>
#include <baton/ref.hpp>

namespace bench {

struct Measure;
struct Sample;
struct Block;
struct Sum;
struct Drive;
struct Grind;
struct Rally;
struct Meet;
using Protocol = baton::Protocol<Measure, Sample, Block, Sum, Drive, Grind, Rally, Meet>;

struct Measure {  // asked: answers the sum of the fields
    double a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
    using Reply = double;
};
struct Sample {  // sent: added up
    double a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
};
struct Block {  // sent: its index is added up
    std::uint64_t index = 0;
    std::vector<std::byte> bytes;
};
struct Sum {  // of all samples and blocks so far
    using Reply = double;
};
// Not whole numbers: msgpack-cxx packs those as ints, in fewer bytes. `S` is a Measure or a Sample.
template <class S>
S sample_of(std::uint64_t index) {
    const double x = static_cast<double>(index) + 0.5;
    return {x, x + 1, x + 2, x + 3, x + 4, x + 5, x + 6, x + 7};
}
template <class S>
double sum_of(const S& s) {
    return s.a + s.b + s.c + s.d + s.e + s.f + s.g + s.h;
}

struct Drive {  // sends `count` of them and asks for the sum; answers the seconds that took
    baton::Ref<Protocol> receiver;
    std::uint64_t count = 0;
    std::uint32_t block_bytes = 0;  // 0: samples
    bool is_alone = true;           // nobody else sends to it, so the sum can be checked here
    using Reply = double;
};
struct Grind {  // asked: computes for some microseconds
    std::uint32_t rounds = 0;
    using Reply = double;
};
struct Rally {  // asks `partner` to grind `count` times, and grinds as much before each; answers the seconds that took
    baton::Ref<Protocol> partner;
    std::uint64_t count = 0;
    std::uint32_t rounds = 0;
    using Reply = double;
};

struct Meet {  // sends a sample whose sum is 1 to each of them but itself; answers to how many
    std::vector<baton::Ref<Protocol>> others;
    using Reply = std::uint64_t;
};

}  // namespace bench
