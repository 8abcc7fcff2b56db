// expect: a command holds at most limits::command_fields_max fields
#include <baton/detail/convert.hpp>

struct Wide {
    int a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24;
    int a25;
};
void use(baton::detail::Encoder& encoder) { baton::detail::encode(encoder, Wide{}); }
