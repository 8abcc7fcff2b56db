#pragma once
// Latch: a count that goes down to nothing, once; those who wait for that go on together.
//
//     sync::Latch loaded{context, address};    // made with a count of 3
//     loaded.count_down();                     // by each that has loaded its part
//     loaded.wait(5s);
//
// Errors: as all waits (handle.hpp); count_down is `refused` where less is left.

#include <baton/sync/handle.hpp>

namespace baton::sync {

using namespace detail;

class Latch : public Handle {
public:
    [[nodiscard]] static Result<Address> make(Context& context, Ref<Protocol> keeper, const std::string& name, std::uint64_t count) {
        return context.ask(keeper, MakeLatch{name, count}, limits::ask_timeout);
    }
    Latch(Context& context, Address address) : Handle(context, std::move(address)) {}

    // What is left.
    Result<std::uint64_t> count_down(std::uint64_t by = 1) { return ask(CountDown{number(), by}); }
    [[nodiscard]] Result<std::uint64_t> left() { return count(); }
    [[nodiscard]] Result<void> wait(Duration deadline) {
        Result<Granted> granted = Handle::wait(WaitLatch{number()}, deadline, "latch");
        if (!granted) return granted.error();
        return {};
    }
};

}  // namespace baton::sync
