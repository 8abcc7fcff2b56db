#include <baton/sync/handle.hpp>

#include <fmt/format.h>

namespace baton::detail {

template <class C>
Result<typename C::Reply> ask_keeper(Context& context, const Ref<sync::Protocol>& keeper, const C& command) {
    const Deadline end = context.deadline(limits::ask_timeout);
    Result<Pending<typename C::Reply>> asked = context.request(keeper, command, end);
    if (!asked) return std::move(asked).error();
    asked->commit();  // it is done even if its answer comes too late
    return asked->get(end);
}

template <class C>
Result<sync::Granted> SyncHandle::wait(const C& command, Within within) {
    const Patience wanted = patience(within);
    Result<Pending<sync::Granted>> asked = begin(command, wanted.end);
    if (!asked) return std::move(asked).error();
    return finish(*asked, wanted);
}

template <class C>
Result<void> SyncHandle::pass(const C& command, Within within) {
    return wait(command, within).transform([](const sync::Granted&) {});
}

template <class C>
Result<void> SyncHandle::tell(const C& command) {
    return ask(command).transform([](const typename C::Reply&) {});
}

Result<std::uint64_t> SyncHandle::count() {
    return ask(sync::Look{number()}).transform([](const sync::Looked& looked) { return looked.count; });
}

Result<std::uint64_t> SyncHandle::waiting() {
    return ask(sync::Look{number()}).transform([](const sync::Looked& looked) { return looked.waiting; });
}

SyncHandle::Patience SyncHandle::patience(Within within) const {
    const Instant now = context_->now();
    const Deadline end = context_->deadline(within);
    return {end, end.is_never() ? Duration::max() : std::max(end.at() - now, Duration::zero())};
}

Duration SyncHandle::left(Deadline end) const {
    return end.is_never() ? Duration::max() : std::max(end.at() - context_->now(), Duration::zero());
}

Result<sync::Granted> SyncHandle::finish(Pending<sync::Granted>& asked, const Patience& patience) {
    // After any other end the keeper has told us, so that nobody waits there any more.
    struct Withdrawal {
        SyncHandle& handle;
        bool is_due = true;
        ~Withdrawal() {
            if (!is_due) return;
            handle.owes_withdrawal_ = true;
            try {
                static_cast<void>(handle.withdraw_late());
            } catch (...) {  // it is still owed
            }
        }
    } withdrawal{*this};
    Result<sync::Granted> granted = asked.get_word(patience.end);
    const ErrorKind kind = granted ? ErrorKind::failed : granted.error().kind;
    withdrawal.is_due = kind == ErrorKind::timed_out || kind == ErrorKind::stopping || kind == ErrorKind::deadlock;
    if (kind == ErrorKind::timed_out) return late(patience.asked);
    return granted;
}

Error SyncHandle::late(Duration asked) const {
    return Error{ErrorKind::timed_out,
                 fmt::format("{} waited {} ms for {} '{}', in vain", context_->name(),
                             std::chrono::duration_cast<std::chrono::milliseconds>(asked).count(), kind_, name())};
}

Result<void> SyncHandle::withdraw_late() {
    if (!owes_withdrawal_) return {};
    Result<void> sent = context_->send(address_.keeper, sync::Withdraw{number()}, Duration::zero());
    owes_withdrawal_ = !sent && sent.error().kind == ErrorKind::overloaded;
    return owes_withdrawal_ ? sent : Result<void>{};
}

// ---- for every command -------------------------------------------------------------------------------

#define BATON_ASKED(Command) \
    template Result<Command::Reply> ask_keeper(Context&, const Ref<sync::Protocol>&, const Command&)
#define BATON_TOLD(Command) \
    BATON_ASKED(Command);   \
    template Result<void> SyncHandle::tell(const Command&)
#define BATON_WAITED(Command)                                             \
    template Result<sync::Granted> SyncHandle::wait(const Command&, Within); \
    template Result<void> SyncHandle::pass(const Command&, Within)

BATON_ASKED(sync::MakeLock);
BATON_ASKED(sync::MakeCondition);
BATON_ASKED(sync::MakeEvent);
BATON_ASKED(sync::MakeSemaphore);
BATON_ASKED(sync::MakeBarrier);
BATON_ASKED(sync::MakeLatch);
BATON_ASKED(sync::MakeValue);
BATON_ASKED(sync::MakeArray);
BATON_ASKED(sync::MakeQueue);
BATON_ASKED(sync::MakeChannel);
BATON_ASKED(sync::Attach);
BATON_ASKED(sync::Look);
BATON_ASKED(sync::Notify);
BATON_ASKED(sync::CountDown);
BATON_TOLD(sync::SetEvent);
BATON_TOLD(sync::ReleasePermit);
BATON_TOLD(sync::ActionDone);
BATON_TOLD(sync::ResetBarrier);
BATON_TOLD(sync::AbortBarrier);
BATON_TOLD(sync::TaskDone);
BATON_TOLD(sync::Close);
BATON_TOLD(sync::Remove);
BATON_WAITED(sync::Acquire);
BATON_WAITED(sync::WaitCondition);
BATON_WAITED(sync::WaitEvent);
BATON_WAITED(sync::AcquirePermit);
BATON_WAITED(sync::WaitBarrier);
BATON_WAITED(sync::WaitLatch);
BATON_WAITED(sync::Put);
BATON_WAITED(sync::Get);
BATON_WAITED(sync::Join);
BATON_WAITED(sync::Send);
BATON_WAITED(sync::Receive);
BATON_WAITED(sync::Poll);

#undef BATON_WAITED
#undef BATON_TOLD
#undef BATON_ASKED

}  // namespace baton::detail
