#pragma once
// Lock: one process at a time. RecursiveLock: the same, and its owner may acquire it again.
//
//     sync::Lock printer{context, command.printer};          // or keeper.lock("printer")
//     {
//         const auto hold = printer.acquire(1s);             // released at the end of the block
//         if (!hold) return hold.error();
//         if (hold->owner_died()) repair();                  // the owner before died in the middle of something
//     }
//
// In a scenario `const auto hold = printer.acquire(1s);` is the Hold itself.
//
// Acquiring and releasing a lock that nobody else wants takes one compare-and-swap each and no message. A process that
// finds it taken looks at it for a moment and then waits in the keeper's line, first come, first served. When the
// kernel reports that an owner has died, the next in line gets the lock and is told.
//
// Errors: as all waits (<baton/sync/handle.hpp>); `refused` if this process holds it already. With a timeout of 0,
// acquire() takes the lock or answers `timed_out`, without a message once the handle has been used. One thread.

#include <string_view>
#include <utility>

#include <baton/detail/sync/lock.hpp>
#include <baton/sync/handle.hpp>

namespace baton::sync {

template <AnyMember M>
class Lock;

// While this object lives, the lock is this process's. Move-only; the handle of the lock must live longer.
template <AnyMember M = Context>
class [[nodiscard]] Hold {
public:
    Hold() = default;
    Hold(Hold&& other) noexcept : lock_(std::exchange(other.lock_, nullptr)) {}
    Hold& operator=(Hold&& other) noexcept {
        if (this != &other) {
            end();
            lock_ = std::exchange(other.lock_, nullptr);
        }
        return *this;
    }
    ~Hold() { end(); }

    // Releases it before the end of the block; does nothing the second time. `refused` if somebody has overwritten the
    // lock's word.
    Outcome<M, void> release() {
        return detail::given<M>([lock = std::exchange(lock_, nullptr)]() -> Result<void> {
            if (lock == nullptr) return {};
            return lock->release();
        });
    }
    // While it is held: did its last owner die with it, so that what it guards may be half done? And that owner's name,
    // or "".
    [[nodiscard]] bool owner_died() const noexcept { return !dead_owner().empty(); }
    [[nodiscard]] std::string_view dead_owner() const noexcept {
        return lock_ == nullptr ? std::string_view{} : lock_->dead_owner();
    }

private:
    friend class Lock<M>;
    explicit Hold(detail::SyncLock& lock) : lock_(&lock) {}
    void end() noexcept {
        if (lock_ != nullptr) static_cast<void>(std::exchange(lock_, nullptr)->release());
    }
    detail::SyncLock* lock_ = nullptr;
};

template <AnyMember M = Context>
class Lock : public Handle<M, detail::SyncLock> {
public:
    Lock(M& member, Address address) : Lock(member, std::move(address), "lock", Nesting::refused) {}

    [[nodiscard]] Outcome<M, Hold<M>> acquire(Within within = limits::ask_timeout) {
        return detail::given<M>([&] { return held(within); });
    }
    [[nodiscard]] bool is_held() const noexcept { return this->core().is_held(); }

protected:
    using Nesting = detail::SyncLock::Nesting;
    Lock(M& member, Address address, std::string_view kind, Nesting nesting)
        : Handle<M, detail::SyncLock>(std::make_unique<detail::SyncLock>(detail::context_of(member), std::move(address),
                                                                         kind, nesting)) {}
    [[nodiscard]] Result<Hold<M>> held(Within within) {
        detail::SyncLock& lock = this->core();
        if (!lock.acquire_free()) [[unlikely]]
            if (Result<void> acquired = lock.acquire(within); !acquired) return std::move(acquired).error();
        return Hold<M>{lock};
    }
    // Once it is acquired.
    [[nodiscard]] Hold<M> hold() { return Hold<M>{this->core()}; }

private:
    template <AnyMember>
    friend class Condition;
};

template <AnyMember M = Context>
class RecursiveLock : public Lock<M> {
public:
    RecursiveLock(M& member, Address address)
        : Lock<M>(member, std::move(address), "lock", Lock<M>::Nesting::counted) {}
};

}  // namespace baton::sync
