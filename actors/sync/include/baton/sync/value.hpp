#pragma once
// Value: one number that several processes read and change, in shared memory.
//
//     const sync::Address address = sync::Value<std::int64_t>::make(context, keeper, "counter", 0).value();
//
//     sync::Value<std::int64_t> counter{context, address};
//     counter.fetch_add(1).value();                                   // one step, nothing is lost
//     counter.update([](std::int64_t& n) { n = n * 2 + 1; }, 1s);     // under the lock: any change, nothing is lost
//     counter.store(counter.load().value() + 1);                      // two steps: what others do in between is lost
//
// No message but the first, as long as the lock is free: see Lock. T: up to eight bytes that mean the same everywhere.
// Errors: as all waits (handle.hpp); a keeper that is gone keeps nobody from reading and adding, only from waiting.

#include <bit>
#include <cstring>

#include <baton/sync/lock.hpp>

namespace baton::sync {

using namespace detail;

template <class T>
concept WordSized = Shareable<T> && sizeof(T) <= sizeof(std::uint64_t);

template <WordSized T>
class Value : public Lock {
public:
    [[nodiscard]] static Result<Address> make(Context& context, Ref<Protocol> keeper, const std::string& name, T initial) {
        return context.ask(keeper, MakeValue{name, bits_of(initial)}, limits::ask_timeout);
    }
    Value(Context& context, Address address) : Lock(context, std::move(address), Nesting::refused, "value") {}

    [[nodiscard]] Result<T> load() {
        if (Result<void> ready = reach(); !ready) return ready.error();
        return value_of(word(value_place).load());
    }
    Result<void> store(T value) {
        if (Result<void> ready = reach(); !ready) return ready;
        word(value_place).store(bits_of(value));
        return {};
    }
    // What it was before.
    Result<T> fetch_add(T step)
        requires std::is_arithmetic_v<T>
    {
        if (Result<void> ready = reach(); !ready) return ready.error();
        std::uint64_t seen = word(value_place).load();
        while (!word(value_place).compare_exchange_weak(seen, bits_of(static_cast<T>(value_of(seen) + step)))) {
        }
        return value_of(seen);
    }
    // change(value), with the lock held; the value afterwards. Whoever takes the lock first, acquire(), loads and
    // stores as it likes.
    template <class Change>
    Result<T> update(Change&& change, Duration deadline) {
        Result<Hold> hold = acquire(deadline);
        if (!hold) return hold.error();
        T value = value_of(word(value_place).load(std::memory_order_relaxed));
        change(value);
        word(value_place).store(bits_of(value), std::memory_order_relaxed);
        return value;
    }

private:
    [[nodiscard]] Result<void> reach() {
        if (is_attached()) return {};
        return attach(context().deadline(limits::ask_timeout));
    }
    [[nodiscard]] static std::uint64_t bits_of(const T& value) noexcept {
        std::uint64_t bits = 0;
        std::memcpy(&bits, &value, sizeof(T));
        return bits;
    }
    [[nodiscard]] static T value_of(std::uint64_t bits) noexcept {
        T value{};
        std::memcpy(&value, &bits, sizeof(T));
        return value;
    }
};

}  // namespace baton::sync
