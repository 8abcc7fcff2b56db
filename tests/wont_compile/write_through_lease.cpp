// expect: assignment of read-only|returns a const value
#include <baton/segment.hpp>
void spoil(baton::Lease& lease) { lease.as<float>()[0] = 1.0F; }
