// The control of this folder: what is right does compile, so that a file beside it fails for its own reason.
#include <baton/protocol.hpp>
#include <baton/detail/description.hpp>

namespace library {
struct Lend {
    std::string title;
    std::vector<std::optional<std::int64_t>> copies;
    baton::AnyRef reader;
    using Reply = bool;
};
struct Close {};
using Protocol = baton::Protocol<Lend, Close>;
}  // namespace library

void use(baton::detail::Encoder& encoder, baton::detail::Value value, baton::detail::Decoding& at) {
    library::Lend command{"Emma", {1, {}}, {}};
    baton::detail::encode(encoder, command);
    static_cast<void>(baton::detail::decode(value, command, at));
    static_cast<void>(baton::detail::describe_protocol<library::Protocol>());
}
static_assert(baton::detail::AcceptedBy<library::Protocol, library::Lend>);
