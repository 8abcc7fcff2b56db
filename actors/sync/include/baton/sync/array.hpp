#pragma once
// Array: many values that several processes read and change, in shared memory. ByteArray: an array of bytes, which may
// hold a text.
//
//     auto array = keeper.array<std::int32_t>("array", 100);    // in a scenario; all zero
//     array.store(3, 7);                                        // one element, atomic, in no order with others
//     const auto hold = array.acquire(1s);
//     for (std::int32_t& element : array.elements()) element += 1;    // all of them: only under the lock
//
// An Array is a Lock too (<baton/sync/lock.hpp>), and what needs no message there needs none here.
//
// Errors: the memory is used like that of a Segment. So size(), load(), store(), elements(), text() and raw() throw
// ErrorException with a Context, too: if the keeper can't be reached at the first use, if there is no such element, and
// if elements() is called without the lock. One thread.

#include <atomic>
#include <span>
#include <string>

#include <baton/sync/lock.hpp>

namespace baton::detail {

// Eight bytes at a time where they are aligned: what others write at the same time is seen in pieces of eight bytes or
// one.
[[nodiscard]] std::string read_text(std::span<const char> bytes);
[[nodiscard]] std::string read_bytes(std::span<const char> bytes);
// `refused` for a text that is too long.
[[nodiscard]] Result<void> write_text(std::span<char> bytes, std::string_view text, const std::string& array);
[[noreturn]] void throw_no_element(const std::string& array, std::size_t size, std::uint64_t index);
[[noreturn]] void throw_without_lock(const std::string& array);

}  // namespace baton::detail

namespace baton::sync {

template <detail::Shareable T, AnyMember M = Context>
class Array : public Lock<M> {
public:
    Array(M& member, Address address) : Lock<M>(member, std::move(address), "array", Lock<M>::Nesting::refused) {}

    [[nodiscard]] std::uint64_t size() { return reach().size(); }
    // One element, as it is at that moment.
    [[nodiscard]] T load(std::uint64_t index)
        requires std::atomic_ref<T>::is_always_lock_free
    {
        return std::atomic_ref<T>{at(index)}.load(std::memory_order_relaxed);
    }
    void store(std::uint64_t index, T value)
        requires std::atomic_ref<T>::is_always_lock_free
    {
        std::atomic_ref<T>{at(index)}.store(value, std::memory_order_relaxed);
    }
    // All of them, for as long as the lock is held.
    [[nodiscard]] std::span<T> elements() {
        if (!this->is_held()) detail::throw_without_lock(this->name());
        return reach();
    }

protected:
    [[nodiscard]] std::span<T> reach() {
        this->core().attach().value();
        return this->core().elements().template as<T>();
    }

private:
    [[nodiscard]] T& at(std::uint64_t index) {
        const std::span<T> all = reach();
        if (index >= all.size()) detail::throw_no_element(this->name(), all.size(), index);
        return all[index];
    }
};

template <AnyMember M = Context>
class ByteArray : public Array<char, M> {
public:
    ByteArray(M& member, Address address) : Array<char, M>(member, std::move(address)) {}

    // Up to the first zero. Without the lock it may be half of one text and half of another.
    [[nodiscard]] std::string text() { return detail::read_text(this->reach()); }
    // The text, and a zero after it if there is room. `refused` if it is too long.
    Outcome<M, void> assign(std::string_view text) {
        return this->give(detail::write_text(this->reach(), text, this->name()));
    }
    // All bytes.
    [[nodiscard]] std::string raw() { return detail::read_bytes(this->reach()); }
};

}  // namespace baton::sync
