// expect: a field of this type can't travel in a command
// A pointer means nothing in another process.
#include "runtime/wire/convert.hpp"

struct Show {
    const char* text;
};
void use(baton::Encoder& encoder) { baton::encode(encoder, Show{"hello"}); }
