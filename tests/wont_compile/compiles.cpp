// The control of this folder: what is right does compile, so that a file beside it fails for its own reason.
#include "runtime/protocol.hpp"
#include "runtime/wire/description.hpp"

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

void use(baton::Encoder& encoder, baton::Value value, baton::Decoding& at) {
    library::Lend command{"Emma", {1, {}}, {}};
    baton::encode(encoder, command);
    static_cast<void>(baton::decode(value, command, at));
    static_cast<void>(baton::describe_protocol<library::Protocol>());
}
static_assert(baton::AcceptedBy<library::Protocol, library::Lend>);
