#pragma once
// What one may say to a darkroom: it looks at photos that are lent to it, and develops photos that are given.

#include <baton/protocol.hpp>
#include <baton/segment.hpp>

namespace darkroom {

struct Exposure {
    float mean = 0;
    float peak = 0;
};
struct Meter {                       // looks; the photo stays the sender's
    baton::Lease photo;
    using Reply = Exposure;
};
struct Develop {                     // takes it; the reply brings it home
    baton::Segment photo;
    float gain = 1;
    using Reply = baton::Segment;
};
using Protocol = baton::Protocol<Meter, Develop>;

}  // namespace darkroom
