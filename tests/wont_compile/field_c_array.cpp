// expect: (Triple, |Command = Triple; .*)2[^0-9]
// Its elements are initialised like members, so the members can't be counted nor named: std::array is what is meant.
// The first error has the number of the field, the second of three.
#include <baton/detail/convert.hpp>

struct Triple {
    std::string name;
    int numbers[3];
    bool flag;
};
void use(baton::detail::Encoder& encoder) { baton::detail::encode(encoder, Triple{}); }
