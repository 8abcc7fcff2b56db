#include <baton/sync/condition.hpp>

namespace baton::sync {

using namespace detail;

Result<Address> Condition::make(Context& context, const Address& lock, const std::string& name) {
    return context.ask(lock.keeper, MakeCondition{name, lock.number}, limits::ask_timeout);
}

Result<void> Condition::wait(Duration deadline) {
    if (!lock_->is_held())
        return Error{ErrorKind::refused, fmt::format("{} waits for condition '{}' without holding lock '{}'", context().name(), name(),
                                                     lock_->name())};
    const Deadline end = context().deadline(deadline);
    Result<Pending<Granted>> asked = begin(WaitCondition{number()}, deadline);
    if (!asked) return asked.error();  // the lock is held as before
    // The keeper lets go of the lock for us and gives it back, so the word is not ours to touch meanwhile.
    const std::uint64_t depth = std::exchange(lock_->depth_, 0);
    Result<Granted> granted = finish(*asked, end, deadline, "condition");
    if (granted) {
        lock_->depth_ = depth;
        lock_->dead_owner_ = std::move(granted->dead_owner);
        return {};
    }
    if (granted.error().kind != ErrorKind::timed_out) return granted.error();
    const Result<void> again =
        lock_->take(context().deadline(limits::ask_timeout), limits::ask_timeout);
    if (again) lock_->depth_ = depth;
    else granted.error().text += fmt::format("; and its lock is not held again: {}", to_text(again.error()));
    return granted.error();
}

Result<void> Condition::wait_for(const std::function<bool()>& holds, Duration duration) {
    const Clock& clock = context().clock();
    const Deadline deadline = Deadline::in(clock, duration);
    while (!holds()) {
        Result<void> waited = wait(deadline.left(clock));
        if (waited) continue;
        const bool is_late = waited.error().kind == ErrorKind::timed_out && lock_->is_held();
        if (is_late && holds()) return {};
        return is_late ? late("condition", duration) : waited.error();
    }
    return {};
}

}  // namespace baton::sync
