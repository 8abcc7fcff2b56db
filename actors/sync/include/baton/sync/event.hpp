#pragma once
// Event: something has happened, or not yet; those who wait for it go on together.
//
//     sync::Event rain_stopped{context, address};
//     rain_stopped.wait(2s);     // at once where it is set
//     rain_stopped.set();
//
// Errors: as all waits (handle.hpp).

#include <baton/sync/handle.hpp>

namespace baton::sync {

using namespace detail;

class Event : public Handle {
public:
    [[nodiscard]] static Result<Address> make(Context& context, Ref<Protocol> keeper, const std::string& name) {
        return context.ask(keeper, MakeEvent{name}, limits::ask_timeout);
    }
    Event(Context& context, Address address) : Handle(context, std::move(address)) {}

    Result<void> set() { return tell(SetEvent{number(), true}); }
    Result<void> clear() { return tell(SetEvent{number(), false}); }
    [[nodiscard]] Result<bool> is_set() {
        Result<std::uint64_t> counted = count();
        if (!counted) return counted.error();
        return *counted == 1;
    }
    [[nodiscard]] Result<void> wait(Duration deadline) {
        Result<Granted> granted = Handle::wait(WaitEvent{number()}, deadline, "event");
        if (!granted) return granted.error();
        return {};
    }
};

}  // namespace baton::sync
