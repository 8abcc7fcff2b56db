#pragma once
// Semaphore: so many at a time. BoundedSemaphore: the same, and giving back more than was taken is refused.
//
//     sync::BoundedSemaphore connections{context, address};   // made with 3 permits
//     connections.acquire(1s).value();
//     ...
//     connections.release().value();
//
// A permit belongs to the process that took it, and comes back when that dies. One process may take several. Who has
// none and releases gives back, for somebody else, the one that is out for longest; of a Semaphore with none out, adds one.
// To tell others that something has happened, take an Event, a Latch or a JoinableQueue.
// Errors: as all waits (handle.hpp); release of a BoundedSemaphore that has all its permits is `refused`.

#include <baton/sync/handle.hpp>

namespace baton::sync {

using namespace detail;

class Semaphore : public Handle {
public:
    [[nodiscard]] static Result<Address> make(Context& context, Ref<Protocol> keeper, const std::string& name, std::uint64_t permits) {
        return context.ask(keeper, MakeSemaphore{name, permits, false}, limits::ask_timeout);
    }
    Semaphore(Context& context, Address address) : Handle(context, std::move(address)) {}

    [[nodiscard]] Result<void> acquire(Duration deadline) {
        Result<Granted> granted = wait(AcquirePermit{number()}, deadline, "semaphore");
        if (!granted) return granted.error();
        return {};
    }
    Result<void> release() { return tell(ReleasePermit{number()}); }
    // Permits that are free.
    [[nodiscard]] Result<std::uint64_t> free() { return count(); }
};

class BoundedSemaphore : public Semaphore {
public:
    [[nodiscard]] static Result<Address> make(Context& context, Ref<Protocol> keeper, const std::string& name, std::uint64_t permits) {
        return context.ask(keeper, MakeSemaphore{name, permits, true}, limits::ask_timeout);
    }
    using Semaphore::Semaphore;
};

}  // namespace baton::sync
