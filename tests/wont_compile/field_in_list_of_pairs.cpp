// expect: Show.*rows
// However deep in lists, maps and pairs it is: the field is named.
#include <baton/detail/convert.hpp>

namespace screen {
struct Show {
    std::int64_t number;
    std::map<std::string, std::vector<std::pair<int, std::tuple<bool, void*>>>> rows;
    std::string title;
};
}  // namespace screen
bool use(baton::detail::Value value, screen::Show& out, baton::detail::Decoding& at) {
    return baton::detail::decode(value, out, at);
}
