#pragma once
// What the benchmark says to its actor: the same sample of eight doubles as raw_zmq sends.

#include <cstdint>

#include "runtime/protocol.hpp"
#include "runtime/ref.hpp"

namespace bench {

struct Measure;
struct Sample;
struct Sum;
struct Drive;
using Protocol = baton::Protocol<Measure, Sample, Sum, Drive>;

struct Measure {  // asked: answers the sum of the fields
    double a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
    using Reply = double;
};
struct Sample {  // sent: added up
    double a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
};
struct Sum {  // of all samples so far
    using Reply = double;
};
struct Drive {  // sends `count` samples and asks for the sum; answers the seconds that took
    baton::Ref<Protocol> receiver;
    std::uint64_t count = 0;
    using Reply = double;
};

}  // namespace bench
