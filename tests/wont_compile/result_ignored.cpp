// expect: ignoring return value of (.*Unpacker::next|function declared with 'nodiscard')
// What can fail must be looked at.
#include <baton/detail/codec.hpp>

void use(baton::detail::Unpacker& unpacker, std::string_view bytes) {
    std::size_t offset = 0;
    unpacker.next(bytes, offset);
}
