#pragma once
// Value: one number that several processes read and change, in shared memory.
//
//     auto counter = keeper.value<std::int64_t>("counter");           // in a scenario
//     counter.fetch_add(1);                                           // one step: nothing is lost
//     counter.update([](std::int64_t& n) { n = n * 2 + 1; }, 1s);     // under the lock: any change, nothing is lost
//
//     sync::Value<std::int64_t> counter{context, command.counter};              // in an actor
//     sync::Value<std::int64_t, Scenario> counter{scenario, command.counter};   // from an address, in a scenario
//
// load() and then store() are two steps: what others do in between is lost, unless all hold the lock. A Value is a Lock
// too (<baton/sync/lock.hpp>). After the first use no message is needed as long as the lock is free. T has at most
// eight bytes, which mean the same in every process.
//
// Errors: as all waits (<baton/sync/handle.hpp>). Processes that have used a value go on reading and adding when its
// keeper has exited or it was removed, since that needs no keeper; acquire() and update() answer `gone`. One thread.

#include <bit>
#include <cstring>

#include <baton/sync/lock.hpp>

namespace baton::sync {

template <class T>
concept WordSized = detail::Shareable<T> && sizeof(T) <= sizeof(std::uint64_t);

namespace word {

template <WordSized T>
[[nodiscard]] std::uint64_t bits_of(const T& value) noexcept {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(T));
    return bits;
}
template <WordSized T>
[[nodiscard]] T value_of(std::uint64_t bits) noexcept {
    T value{};
    std::memcpy(&value, &bits, sizeof(T));
    return value;
}

}  // namespace word

template <WordSized T, AnyMember M = Context>
class Value : public Lock<M> {
public:
    Value(M& member, Address address) : Lock<M>(member, std::move(address), "value", Lock<M>::Nesting::refused) {}

    [[nodiscard]] Outcome<M, T> load() {
        return attached([](Word place) { return word::value_of<T>(place.load()); });
    }
    Outcome<M, void> store(T value) {
        return attached([value](Word place) { place.store(word::bits_of(value)); });
    }
    // Returns what it was before.
    Outcome<M, T> fetch_add(T step)
        requires std::is_arithmetic_v<T>
    {
        return attached([step](Word place) {
            std::uint64_t seen = place.load();
            while (!place.compare_exchange_weak(
                seen, word::bits_of(static_cast<T>(word::value_of<T>(seen) + step)))) {
            }
            return word::value_of<T>(seen);
        });
    }
    // Calls change(value) with the lock held; returns the value afterwards. `refused` if this process holds the lock
    // already: then it can load and store.
    template <class Change>
    Outcome<M, T> update(Change&& change, Within within = limits::ask_timeout) {
        return detail::given<M>([&] { return updated(change, within); });
    }

private:
    template <class Step>
    [[nodiscard]] auto attached(Step step) {
        using Stepped = std::invoke_result_t<Step, Word>;
        return detail::given<M>([&]() -> Result<Stepped> {
            if (Result<void> reached = this->core().attach(); !reached) return std::move(reached).error();
            if constexpr (std::is_void_v<Stepped>) {
                step(this->core().word(value_place));
                return {};
            } else {
                return step(this->core().word(value_place));
            }
        });
    }
    template <class Change>
    [[nodiscard]] Result<T> updated(Change& change, Within within) {
        if (!this->core().acquire_free())
            if (Result<void> acquired = this->core().acquire(within); !acquired) return std::move(acquired).error();
        const Hold<M> hold = this->hold();
        const Word place = this->core().word(value_place);
        T value = word::value_of<T>(place.load(std::memory_order_relaxed));
        change(value);
        place.store(word::bits_of(value), std::memory_order_relaxed);
        return value;
    }
};

}  // namespace baton::sync
