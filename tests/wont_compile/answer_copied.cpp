// expect: use of deleted function|call to implicitly-deleted copy constructor
#include <baton/answer.hpp>

baton::Answer<int> copy(const baton::Answer<int>& answer) { return answer; }
