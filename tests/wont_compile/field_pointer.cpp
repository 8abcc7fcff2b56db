// expect: a field of this type can't travel in a command
// A pointer means nothing in another process.
#include <baton/detail/convert.hpp>

struct Show {
    const char* text;
};
void use(baton::detail::Encoder& encoder) { baton::detail::encode(encoder, Show{"hello"}); }
