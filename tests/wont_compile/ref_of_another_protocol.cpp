// expect: no matching function|could not convert|cannot convert|no viable conversion
#include <baton/ref.hpp>

struct One;
struct Other;

baton::Ref<One> mistaken(const baton::Ref<Other>& ref) { return baton::Ref<One>{ref}; }
