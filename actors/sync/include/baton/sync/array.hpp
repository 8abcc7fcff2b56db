#pragma once
// Array: many values that several processes read and change, in shared memory. ByteArray: one of bytes, that may hold a text.
//
//     sync::Array<std::int32_t> array{context, address};
//     array.store(3, 7);                                     // one element: whole, but unordered with others
//     {
//         const sync::Hold hold = array.acquire(1s).value();
//         for (std::int32_t& element : array.elements()) element += 1;     // all of them: under the lock only
//     }
//
// An Array is a Lock too (lock.hpp); what is free of messages there is so here. It is all zero when made.
// Errors: what can't be reached, or is not inside, is thrown as ErrorException by load, store and elements, as by a Segment.

#include <baton/sync/lock.hpp>

namespace baton::sync {

using namespace detail;

template <Shareable T>
class Array : public Lock {
public:
    [[nodiscard]] static Result<Address> make(Context& context, Ref<Protocol> keeper, const std::string& name, std::uint64_t length) {
        return context.ask(keeper, MakeArray{name, element_type<T>(), length}, limits::ask_timeout);
    }
    Array(Context& context, Address address) : Lock(context, std::move(address), Nesting::refused, "array") {}

    [[nodiscard]] std::uint64_t size() { return reach().size(); }
    // One element, as it is at some moment.
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
    // All of them, for as long as the lock is held: `refused` without it.
    [[nodiscard]] std::span<T> elements() {
        if (!is_held())
            throw ErrorException(Error{ErrorKind::refused, fmt::format("array '{}' is used as a whole without its lock", name())});
        return reach();
    }

protected:
    [[nodiscard]] std::span<T> reach() {
        if (!is_attached()) attach(context().deadline(limits::ask_timeout)).value();
        return Lock::elements().template as<T>();
    }

private:
    [[nodiscard]] T& at(std::uint64_t index) {
        const std::span<T> all = reach();
        if (index >= all.size())
            throw ErrorException(Error{ErrorKind::refused, fmt::format("array '{}' has {} elements and no [{}]", name(), all.size(), index)});
        return all[index];
    }
};

class ByteArray : public Array<char> {
public:
    using Array::Array;

    // Up to the first zero. Without the lock it may be half of one text and half of another.
    [[nodiscard]] std::string text();
    // The text, and a zero behind it if there is room. `refused` for one that is too long.
    Result<void> assign(std::string_view text);
    // All bytes.
    [[nodiscard]] std::string raw();
};

}  // namespace baton::sync
