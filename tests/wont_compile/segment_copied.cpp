// expect: use of deleted function
#include "runtime/segment.hpp"
baton::Segment copy(const baton::Segment& original) { return original; }
