#include "actors/sync/handle.hpp"

namespace baton::sync {

Result<Ref<Protocol>> spawn_keeper(Context& context, const std::string& name) {
    return context.spawn<Protocol>({"baton-sync", name});
}

Result<std::uint64_t> Handle::count() {
    Result<Looked> looked = ask(Look{number()});
    if (!looked) return looked.error();
    return looked->count;
}

Result<std::uint64_t> Handle::waiting() {
    Result<Looked> looked = ask(Look{number()});
    if (!looked) return looked.error();
    return looked->waiting;
}

Error Handle::late(std::string_view what, Duration deadline) const {
    return Error{ErrorKind::timed_out,
                 fmt::format("{} waited {} ms for {} '{}', in vain", context_->name(),
                             std::chrono::duration_cast<std::chrono::milliseconds>(deadline).count(), what, name())};
}

Result<void> Handle::withdraw_late() {
    if (!owes_withdrawal_) return {};
    Result<void> sent = context_->send(address_.keeper, Withdraw{number()}, Duration::zero());
    owes_withdrawal_ = !sent && sent.error().kind == ErrorKind::overloaded;
    return owes_withdrawal_ ? sent : Result<void>{};
}

}  // namespace baton::sync
