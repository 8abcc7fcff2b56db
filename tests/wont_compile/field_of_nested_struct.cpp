// expect: Inner.*length
// The struct that has the field is named, which is not the command.
#include <baton/detail/description.hpp>

namespace screen {
struct Inner {
    long double length;
};
struct Show {
    std::vector<Inner> inner;
};
using Protocol = baton::Protocol<Show>;
}  // namespace screen
void use() { static_cast<void>(baton::detail::describe_protocol<screen::Protocol>()); }
