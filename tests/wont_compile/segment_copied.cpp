// expect: use of deleted function|call to implicitly-deleted copy
#include <baton/segment.hpp>
baton::Segment copy(const baton::Segment& original) { return original; }
