#include <baton/sync/lock.hpp>

#include <thread>

namespace baton::sync {

using namespace detail;

namespace {

// How long a lock that is taken is looked at before the keeper is asked. Most are held for far less, and a wait costs
// two messages; and it is longer than the keeper takes to serve a line, so that a line which has formed, because some
// owner lost its processor, gets shorter again.
constexpr Duration spin_duration = std::chrono::microseconds{200};
constexpr int looks_between_yields = 32;
// The first use of a handle needs one message whatever its deadline is: a deadline of 0 is a look at a word, which
// is not there yet.
constexpr Duration attach_duration_min = std::chrono::seconds{1};

void pause_a_little() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

}  // namespace

Result<Address> Lock::make(Context& context, Ref<Protocol> keeper, const std::string& name) {
    return context.ask(keeper, MakeLock{name}, limits::ask_timeout);
}

Lock::~Lock() {
    if (depth_ == 0) return;
    depth_ = 1;
    static_cast<void>(release());
}

Result<void> Lock::attach(Deadline deadline) {
    if (is_attached()) return {};
    if (words_ != nullptr) return Error{ErrorKind::gone, fmt::format("the session of {} '{}' is closed", kind_, name())};
    const Duration left = std::max(deadline.left(context().clock()), attach_duration_min);
    Result<Attached> attached = context().ask(address().keeper, Attach{number()}, left);
    if (!attached) return attached.error();
    if (attached->cell.size_bytes() != cell_words * sizeof(std::uint64_t))
        return Error{ErrorKind::corrupt, fmt::format("the keeper of {} '{}' gave {} as its cell", kind_, name(), attached->cell.to_text())};
    cell_ = std::move(attached->cell);
    if (attached->elements) elements_ = std::move(*attached->elements);
    words_ = cell_.as<std::uint64_t>().data();
    return {};
}

Result<Hold> Lock::acquire_taken(Duration duration) {
    if (depth_ > 0) {
        if (nesting_ == Nesting::refused)
            return Error{ErrorKind::refused, fmt::format("{} holds {} '{}' already: it would wait for itself", context().name(),
                                                         kind_, name())};
        ++depth_;
        return Hold{*this};
    }
    const Deadline deadline = context().deadline(duration);
    if (Result<void> attached = attach(deadline); !attached) return attached.error();
    if (Result<void> taken = take(deadline, duration); !taken) return taken.error();
    return Hold{*this};
}

Result<void> Lock::take(Deadline deadline, Duration asked) {
    if (const std::uint64_t seen = spin(deadline); seen != lock_word::free) {
        const Duration left = deadline.left(context().clock());
        // Its owner's, and there is no more to see; but where somebody waits, or has, the keeper may be about to free it.
        if (left == Duration::zero() && !lock_word::is_waited(seen)) return late(kind_, asked);
        Result<Granted> granted = wait(Acquire{number()}, left, kind_);
        if (!granted) return granted.error().kind == ErrorKind::timed_out ? late(kind_, asked) : granted.error();
        dead_owner_ = std::move(granted->dead_owner);
    }
    depth_ = 1;
    return {};
}

std::uint64_t Lock::spin(Deadline deadline) {
    const Clock& clock = context().clock();
    const Deadline enough = deadline.or_earlier(Deadline::in(clock, spin_duration));
    const Word lock = word(lock_place);
    std::uint64_t seen = lock_word::free;
    do {
        for (int looks = 0; looks < looks_between_yields; ++looks) {
            seen = lock.load(std::memory_order_relaxed);
            const bool is_abandoned = lock_word::is_abandoned(seen);
            if ((seen == lock_word::free || is_abandoned) && lock.compare_exchange_strong(seen, me_, std::memory_order_acquire)) {
                if (is_abandoned) dead_owner_ = fmt::format("actor {}", to_string(lock_word::owner_of(seen)));
                return lock_word::free;
            }
            pause_a_little();
        }
        std::this_thread::yield();
    } while (!enough.has_passed(clock));
    return seen;
}

Result<void> Lock::release_inner() {
    if (depth_ > 0) --depth_;
    return {};
}

// The keeper passes it on.
Result<void> Lock::release_waited(std::uint64_t seen) {
    if (seen != (me_ | lock_word::waited))
        return Error{ErrorKind::refused, fmt::format("{} '{}' is not {}'s any more: somebody has written {:#x} over its word", kind_,
                                                     name(), context().name(), seen)};
    // A keeper that is too far behind to be told, or was not because the wait for it threw, finds the lock free when it looks
    // after those who wait.
    struct GivenUp {
        Word word;
        std::uint64_t seen;
        bool is_due = true;
        ~GivenUp() {
            if (is_due) word.compare_exchange_strong(seen, lock_word::free, std::memory_order_release, std::memory_order_relaxed);
        }
    } given_up{word(lock_place), seen};
    Result<void> sent = context().send(address().keeper, Release{number()});
    given_up.is_due = !sent.ok();
    return sent;
}

}  // namespace baton::sync
