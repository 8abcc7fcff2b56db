// The control of this folder: what is right does compile, so that a file beside it fails for its own reason.
#include <deque>
#include <set>
#include <tuple>
#include <unordered_set>

#include <baton/protocol.hpp>
#include <baton/segment.hpp>
#include <baton/detail/description.hpp>

namespace library {
struct Lend {
    std::string title;
    std::vector<std::optional<std::int64_t>> copies;
    baton::AnyRef reader;
    std::set<std::pair<std::string, int>> tags;
    std::unordered_set<std::string> words;
    std::deque<std::tuple<bool, std::array<float, 2>>> places;
    std::uint32_t days = 14;
    using Reply = bool;
};
struct Give {  // what can be moved and not copied
    std::vector<baton::Segment> pages;
    std::vector<std::variant<baton::Segment, baton::Lease>> either;
    std::pair<std::string, baton::Segment> named;
    std::optional<std::tuple<int, baton::Slice>> part;
    std::map<std::string, baton::Lease> leases;
};
struct Close {};
using Protocol = baton::Protocol<Lend, Give, Close>;
}  // namespace library

void use(baton::detail::Encoder& encoder, baton::detail::Value value, baton::detail::Decoding& at) {
    library::Lend command{"Emma", {1, {}}, {}, {}, {}, {}};
    baton::detail::encode(encoder, command);
    static_cast<void>(baton::detail::decode(value, command, at));
    library::Give gift;
    baton::detail::encode(encoder, gift);
    static_cast<void>(baton::detail::decode(value, gift, at));
    static_cast<void>(baton::detail::describe_protocol<library::Protocol>());
}
static_assert(baton::detail::AcceptedBy<library::Protocol, library::Lend>);
static_assert(baton::detail::carries_held<library::Give>());
static_assert(!baton::detail::carries_held<library::Lend>());
