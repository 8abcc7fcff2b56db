// expect: Show.*text
// A pointer means nothing in another process. The first error says which field of which command it is.
#include <baton/detail/convert.hpp>

struct Show {
    std::int64_t number;
    const char* text;
};
void use(baton::detail::Encoder& encoder) { baton::detail::encode(encoder, Show{1, "hello"}); }
