#include <baton/sync/handle.hpp>

namespace baton::sync {

using namespace detail;

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

Result<Granted> Handle::finish(Pending<Granted>& asked, Deadline end, Duration deadline, std::string_view what) {
    // Of every other end the keeper has told us: then nobody waits there any more.
    struct Withdrawal {
        Handle& handle;
        bool is_due = true;
        ~Withdrawal() {
            if (!is_due) return;
            handle.owes_withdrawal_ = true;
            try {
                static_cast<void>(handle.withdraw_late());
            } catch (...) {  // it is owed still
            }
        }
    } withdrawal{*this};
    Result<Granted> granted = asked.get_word(end.left(context_->clock()));
    const ErrorKind kind = granted ? ErrorKind::failed : granted.error().kind;
    withdrawal.is_due = kind == ErrorKind::timed_out || kind == ErrorKind::stopping;
    if (kind == ErrorKind::timed_out) return late(what, deadline);
    return granted;
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
