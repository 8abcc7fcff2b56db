#include <baton/sync/condition.hpp>

#include <fmt/format.h>

namespace baton::detail {

Result<void> SyncCondition::wait(Within within) {
    if (!lock_->is_held())
        return Error{ErrorKind::refused, fmt::format("{} waits for condition '{}' without holding lock '{}'",
                                                     context().name(), name(), lock_->address().name)};
    const Patience wanted = patience(within);
    Result<Pending<sync::Granted>> asked = begin(sync::WaitCondition{number()}, wanted.end);
    if (!asked) return std::move(asked).error();  // the lock is held as before
    // The keeper releases the lock for us and gives it back, so the word is not ours to touch in the meantime.
    const std::uint64_t depth = std::exchange(lock_->depth_, 0);
    Result<sync::Granted> granted = finish(*asked, wanted);
    if (granted) {
        lock_->depth_ = depth;
        lock_->dead_owner_ = std::move(granted->dead_owner);
        return {};
    }
    if (granted.error().kind != ErrorKind::timed_out) return std::move(granted).error();
    if (const Result<void> again = take_again(depth); !again)
        granted.error().text += fmt::format("; and its lock is not held again: {}", to_text(again.error()));
    return std::move(granted).error();
}

Result<void> SyncCondition::take_again(std::uint64_t depth) {
    const Result<void> taken = lock_->take(patience(limits::ask_timeout));
    if (taken) lock_->depth_ = depth;
    return taken;
}

Result<void> SyncCondition::wait_for(const std::function<bool()>& holds, Within within) {
    const Patience wanted = patience(within);
    while (!holds()) {
        Result<void> waited = wait(wanted.end);
        if (waited) continue;
        const bool is_late = waited.error().kind == ErrorKind::timed_out && lock_->is_held();
        if (is_late && holds()) return {};
        return is_late ? Result<void>{late(wanted.asked)} : waited;
    }
    return {};
}

}  // namespace baton::detail
