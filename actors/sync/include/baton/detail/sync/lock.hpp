#pragma once
// SyncLock: a lock as one process uses it, without a face (<baton/sync/lock.hpp>). A lock that nobody else wants is
// acquired and released here, by one compare-and-swap each; the rest is in lock.cpp.

#include <atomic>
#include <string>

#include <baton/detail/sync/handle.hpp>
#include <baton/sync/words.hpp>

namespace baton::detail {

class SyncLock final : public SyncHandle {
public:
    enum class Nesting { refused, counted };
    SyncLock(Context& context, sync::Address address, std::string_view kind, Nesting nesting)
        : SyncHandle(context, std::move(address), kind), nesting_(nesting), me_(sync::lock_word::of(context.id())) {}
    // What is held is released.
    ~SyncLock();

    // True if it was free and now is this process's. Otherwise call acquire().
    [[nodiscard]] bool acquire_free() noexcept {
        if (depth_ != 0 || !take_free()) return false;
        depth_ = 1;
        return true;
    }
    [[nodiscard]] Result<void> acquire(Within within);
    Result<void> release() {
        if (depth_ != 1 || !is_attached()) return release_inner();
        depth_ = 0;
        if (!dead_owner_.empty()) dead_owner_.clear();
        std::uint64_t seen = me_;
        if (word(sync::lock_place)
                .compare_exchange_strong(seen, sync::lock_word::free, std::memory_order_release,
                                         std::memory_order_relaxed))
            return {};
        return release_waited(seen);
    }
    [[nodiscard]] bool is_held() const noexcept { return depth_ > 0; }
    // While it is held: the name of its last owner, if that died with it; otherwise empty.
    [[nodiscard]] std::string_view dead_owner() const noexcept { return dead_owner_; }

    // Makes word() and elements() usable: a message at the first call.
    [[nodiscard]] Result<void> attach() {
        if (is_attached()) return {};
        return attach_until(context().deadline(limits::ask_timeout));
    }
    [[nodiscard]] sync::Word word(std::uint64_t place) const noexcept { return sync::Word{words_[place]}; }
    [[nodiscard]] Slice& elements() noexcept { return elements_; }

private:
    friend class SyncCondition;

    [[nodiscard]] bool is_attached() const noexcept { return static_cast<bool>(cell_); }
    [[nodiscard]] Result<void> attach_until(Deadline end);
    [[nodiscard]] bool take_free() noexcept {
        if (!is_attached()) return false;
        std::uint64_t seen = sync::lock_word::free;
        return word(sync::lock_place)
            .compare_exchange_strong(seen, me_, std::memory_order_acquire, std::memory_order_relaxed);
    }
    // Looks for a moment, then waits at the keeper.
    [[nodiscard]] Result<void> take(const Patience& patience);
    // What stood there last; `free` if it has been taken.
    [[nodiscard]] std::uint64_t spin(Deadline end);
    Result<void> release_inner();
    Result<void> release_waited(std::uint64_t seen);

    Nesting nesting_;
    std::uint64_t me_;
    std::uint64_t depth_ = 0;  // 0: not held
    std::string dead_owner_;
    Slice cell_;
    Slice elements_;  // of an array
    std::uint64_t* words_ = nullptr;
};

}  // namespace baton::detail
