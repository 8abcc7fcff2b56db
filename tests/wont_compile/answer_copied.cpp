// expect: use of deleted function|call to implicitly-deleted copy constructor
#include "runtime/answer.hpp"

baton::Answer<int> copy(const baton::Answer<int>& answer) { return answer; }
