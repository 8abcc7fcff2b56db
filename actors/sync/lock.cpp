#include <baton/sync/lock.hpp>

#include <fmt/format.h>

#include <thread>

namespace baton::detail {

using sync::Attached;
using sync::Granted;
using sync::Word;
namespace lock_word = sync::lock_word;

namespace {

// How long a lock that is taken is looked at before the keeper is asked. Most are held for far less, and a wait costs
// two messages; and it is longer than the keeper takes to serve a line, so that a line which has formed, because some
// owner lost its processor, gets shorter again.
constexpr Duration spin_duration = std::chrono::microseconds{200};
constexpr int looks_between_yields = 32;
// The first use of a handle needs one message whatever its timeout is: a timeout of 0 is a look at a word, which is not
// there yet.
constexpr Duration attach_duration_min = std::chrono::seconds{1};

void pause_a_little() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

}  // namespace

SyncLock::~SyncLock() {
    if (depth_ == 0) return;
    depth_ = 1;
    static_cast<void>(release());
}

Result<void> SyncLock::attach_until(Deadline end) {
    if (is_attached()) return {};
    if (words_ != nullptr)
        return Error{ErrorKind::gone, fmt::format("the session of {} '{}' is closed", kind(), name())};
    Result<Attached> attached =
        context().ask(address().keeper, sync::Attach{number()}, std::max(left(end), attach_duration_min));
    if (!attached) return std::move(attached).error();
    if (attached->cell.size_bytes() != sync::cell_words * sizeof(std::uint64_t))
        return Error{ErrorKind::corrupt, fmt::format("the keeper of {} '{}' gave {} as its cell", kind(), name(),
                                                     attached->cell.to_text())};
    cell_ = std::move(attached->cell);
    if (attached->elements) elements_ = std::move(*attached->elements);
    words_ = cell_.as<std::uint64_t>().data();
    return {};
}

Result<void> SyncLock::acquire(Within within) {
    if (depth_ > 0) {
        if (nesting_ == Nesting::refused)
            return Error{ErrorKind::refused, fmt::format("{} holds {} '{}' already: it would wait for itself",
                                                         context().name(), kind(), name())};
        ++depth_;
        return {};
    }
    const Patience wanted = patience(within);
    if (Result<void> attached = attach_until(wanted.end); !attached) return attached;
    return take(wanted);
}

Result<void> SyncLock::take(const Patience& patience) {
    if (const std::uint64_t seen = spin(patience.end); seen != lock_word::free) {
        const Duration rest = left(patience.end);
        // Its owner's, and there is no more to see; but if somebody waits, or has waited, the keeper may be about to
        // free it.
        if (rest == Duration::zero() && !lock_word::is_waited(seen)) return late(patience.asked);
        Result<Granted> granted = wait(sync::Acquire{number()}, rest);
        if (!granted && granted.error().kind == ErrorKind::timed_out) return late(patience.asked);
        if (!granted) return std::move(granted).error();
        dead_owner_ = std::move(granted->dead_owner);
    }
    depth_ = 1;
    return {};
}

std::uint64_t SyncLock::spin(Deadline end) {
    const Deadline enough = end.or_earlier(context().deadline(spin_duration));
    const Word lock = word(sync::lock_place);
    std::uint64_t seen = lock_word::free;
    do {
        for (int looks = 0; looks < looks_between_yields; ++looks) {
            seen = lock.load(std::memory_order_relaxed);
            const bool is_abandoned = lock_word::is_abandoned(seen);
            if ((seen == lock_word::free || is_abandoned) &&
                lock.compare_exchange_strong(seen, me_, std::memory_order_acquire)) {
                if (is_abandoned) dead_owner_ = fmt::format("actor {}", to_string(lock_word::owner_of(seen)));
                return lock_word::free;
            }
            pause_a_little();
        }
        std::this_thread::yield();
    } while (left(enough) > Duration::zero());
    return seen;
}

Result<void> SyncLock::release_inner() {
    if (depth_ > 0) --depth_;
    return {};
}

// The keeper passes it on.
Result<void> SyncLock::release_waited(std::uint64_t seen) {
    if (seen != (me_ | lock_word::waited))
        return Error{ErrorKind::refused,
                     fmt::format("{} '{}' is not {}'s any more: somebody has written {:#x} over its "
                                 "word",
                                 kind(), name(), context().name(), seen)};
    // If the keeper is too far behind to be told, or was not told because the wait for that threw, it finds the lock
    // free when it looks after those that wait.
    struct GivenUp {
        Word word;
        std::uint64_t seen;
        bool is_due = true;
        ~GivenUp() {
            if (!is_due) return;
            word.compare_exchange_strong(seen, lock_word::free, std::memory_order_release, std::memory_order_relaxed);
        }
    } given_up{word(sync::lock_place), seen};
    Result<void> sent = context().send(address().keeper, sync::Release{number()});
    given_up.is_due = !sent.ok();
    return sent;
}

}  // namespace baton::detail
