// expect: structured binding|decomposes into
// Its elements are initialised like members, so the members can't be counted: std::array is what is meant.
#include <baton/detail/convert.hpp>

struct Triple {
    int numbers[3];
};
void use(baton::detail::Encoder& encoder) { baton::detail::encode(encoder, Triple{}); }
