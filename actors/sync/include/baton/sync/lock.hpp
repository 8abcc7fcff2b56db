#pragma once
// Lock: one process at a time. RecursiveLock: the same, and its owner may acquire it again.
//
//     const auto keeper = sync::spawn_keeper(context).value();
//     const sync::Address address = sync::Lock::make(context, keeper, "printer").value();   // travels in commands
//
//     sync::Lock printer{context, address};                  // in each process that uses it
//     {
//         sync::Hold hold = printer.acquire(1s).value();     // released at the end of the block
//         if (hold.owner_died()) repair();                   // who held it before has died in the middle of something
//     }
//
// Acquiring and releasing a lock that nobody else wants is one compare-and-swap each, without a message. Who finds it
// taken looks again for a moment and then waits in the keeper's line, first come, first served. When an owner dies, by
// the kernel's word, the next one has the lock and is told.
// Errors: as all waits (handle.hpp); `refused` also for who holds it already. An acquire with deadline 0 takes the lock or
// answers `timed_out`, without a message once the handle has been used.

#include <atomic>

#include <baton/sync/handle.hpp>
#include <baton/sync/words.hpp>

namespace baton::sync {

using namespace detail;

class Lock;

// That the lock is ours, until the end of its life. Move-only; its lock lives longer.
class [[nodiscard]] Hold {
public:
    Hold() = default;
    Hold(Hold&& other) noexcept : lock_(std::exchange(other.lock_, nullptr)) {}
    Hold& operator=(Hold&& other) noexcept {
        if (this != &other) {
            static_cast<void>(release());
            lock_ = std::exchange(other.lock_, nullptr);
        }
        return *this;
    }
    ~Hold() {
        if (lock_ != nullptr) static_cast<void>(release());
    }

    // Before the end of the block, once. `refused` where somebody has written over the lock's word.
    Result<void> release();
    // While it is held: has the one before died with it? Its name, or nothing.
    [[nodiscard]] bool owner_died() const noexcept { return !dead_owner().empty(); }
    [[nodiscard]] std::string_view dead_owner() const noexcept;

private:
    friend class Lock;
    explicit Hold(Lock& lock) : lock_(&lock) {}
    Lock* lock_ = nullptr;
};

class Lock : public Handle {
public:
    [[nodiscard]] static Result<Address> make(Context& context, Ref<Protocol> keeper, const std::string& name);
    Lock(Context& context, Address address) : Lock(context, std::move(address), Nesting::refused, "lock") {}
    // What is held is released.
    ~Lock();

    [[nodiscard]] Result<Hold> acquire(Duration deadline) {
        if (depth_ == 0 && take_free()) {
            depth_ = 1;
            return Hold{*this};
        }
        return acquire_taken(deadline);
    }
    [[nodiscard]] bool is_held() const noexcept { return depth_ > 0; }

protected:
    enum class Nesting { refused, counted };
    Lock(Context& context, Address address, Nesting nesting, std::string_view kind)
        : Handle(context, std::move(address)), nesting_(nesting), kind_(kind), me_(lock_word::of(context.id())) {}

    // The words of the cell; attaches at first need.
    [[nodiscard]] Result<void> attach(Deadline deadline);
    [[nodiscard]] bool is_attached() const noexcept { return static_cast<bool>(cell_); }
    [[nodiscard]] Word word(std::uint64_t place) const noexcept { return Word{words_[place]}; }
    [[nodiscard]] Slice& elements() noexcept { return elements_; }

private:
    friend class Hold;
    friend class Condition;

    [[nodiscard]] bool take_free() noexcept {
        if (!is_attached()) return false;
        std::uint64_t seen = lock_word::free;
        return word(lock_place).compare_exchange_strong(seen, me_, std::memory_order_acquire, std::memory_order_relaxed);
    }
    [[nodiscard]] Result<Hold> acquire_taken(Duration deadline);
    // Looks for a moment, then waits at the keeper. `asked` is what an error says.
    [[nodiscard]] Result<void> take(Deadline deadline, Duration asked);
    // What stood there last; `free` when it has been taken.
    [[nodiscard]] std::uint64_t spin(Deadline deadline);
    Result<void> release() {
        if (depth_ != 1 || !is_attached()) return release_inner();
        depth_ = 0;
        if (!dead_owner_.empty()) dead_owner_.clear();
        std::uint64_t seen = me_;
        if (word(lock_place).compare_exchange_strong(seen, lock_word::free, std::memory_order_release, std::memory_order_relaxed))
            return {};
        return release_waited(seen);
    }
    Result<void> release_inner();
    Result<void> release_waited(std::uint64_t seen);

    Nesting nesting_;
    std::string_view kind_;
    std::uint64_t me_;
    std::uint64_t depth_ = 0;  // 0: not held
    std::string dead_owner_;   // while it is held: who died with it
    Slice cell_;
    Slice elements_;  // of an array
    std::uint64_t* words_ = nullptr;
};

inline Result<void> Hold::release() {
    Lock* lock = std::exchange(lock_, nullptr);
    return lock == nullptr ? Result<void>{} : lock->release();
}

inline std::string_view Hold::dead_owner() const noexcept {
    return lock_ == nullptr ? std::string_view{} : lock_->dead_owner_;
}

class RecursiveLock : public Lock {
public:
    RecursiveLock(Context& context, Address address) : Lock(context, std::move(address), Nesting::counted, "lock") {}
};

}  // namespace baton::sync
