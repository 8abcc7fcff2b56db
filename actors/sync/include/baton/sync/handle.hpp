#pragma once
// Handle: a primitive, as one process uses it: its address, and a Context to speak with its keeper. What the handles of
// all kinds share; users take Lock, Event, Barrier and so on.
//
// Rules of all handles: one thread, the actor's. One handle a process and primitive. Not movable, as what guards refers
// to it. Every wait has a deadline and ends with one of
//     ok          it came; with a deadline of 0 what the keeper has at once
//     timed_out   the deadline; nothing of what was waited for is the waiter's, also if it came at that moment
//     stopping    this actor stops
//     gone        the keeper has exited, and with it what it kept; or this has been removed
//     refused     there is nothing to wait for; the text says why: a deadlock (with the names in the circle), a barrier that is
//                 broken, a lock that is held already
//     overloaded  a limit of the keeper
// What throws out of a wait (a watcher of the loop) leaves it as the deadline does: withdrawn, and given back if it came.

#include <fmt/format.h>

#include <baton/sync.hpp>
#include <baton/context.hpp>

namespace baton::sync {

using namespace detail;

// Starts a keeper, as a child of whoever calls it.
[[nodiscard]] Result<Ref<Protocol>> spawn_keeper(Context& context, const std::string& name = "sync");

class Handle {
public:
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

    // May travel to other processes, which make handles of it.
    [[nodiscard]] const Address& address() const noexcept { return address_; }
    [[nodiscard]] const std::string& name() const noexcept { return address_.name; }
    // It is kept no longer: who waits there hears `gone`, and so does everybody who waits later. `refused` for a lock that is
    // held, or that has conditions.
    Result<void> remove() { return tell(Remove{number()}); }
    // How many processes wait at it; a question to the keeper.
    [[nodiscard]] Result<std::uint64_t> waiting();

protected:
    Handle(Context& context, Address address) : context_(&context), address_(std::move(address)) {}
    ~Handle() = default;

    // A command that is answered when something has come. `what` is for the text of an error: "lock".
    template <class C>
    [[nodiscard]] Result<Granted> wait(const C& command, Duration deadline, std::string_view what) {
        const Deadline end = context_->deadline(deadline);
        Result<Pending<Granted>> asked = begin(command, deadline);
        if (!asked) return asked.error();
        return finish(*asked, end, deadline, what);
    }
    // The same in two steps. An error of the first: the keeper has not heard of it.
    template <class C>
    [[nodiscard]] Result<Pending<Granted>> begin(const C& command, Duration deadline) {
        if (Result<void> paid = withdraw_late(); !paid) return paid.error();
        return context_->request(address_.keeper, command, deadline);
    }
    [[nodiscard]] Result<Granted> finish(Pending<Granted>& asked, Deadline end, Duration deadline, std::string_view what);
    // One that is answered at once, as far as the keeper gets to run.
    template <class C>
    [[nodiscard]] Result<typename C::Reply> ask(const C& command) {
        return context_->ask(address_.keeper, command, limits::ask_timeout);
    }
    template <class C>
    [[nodiscard]] Result<void> tell(const C& command) {
        Result<typename C::Reply> done = ask(command);
        if (!done) return done.error();
        return {};
    }
    [[nodiscard]] Result<std::uint64_t> count();
    [[nodiscard]] Error late(std::string_view what, Duration deadline) const;

    [[nodiscard]] Context& context() const noexcept { return *context_; }
    [[nodiscard]] std::uint32_t number() const noexcept { return address_.number; }

private:
    // Without waiting; a keeper that is far behind hears of it before the next wait.
    [[nodiscard]] Result<void> withdraw_late();

    Context* context_;
    Address address_;
    bool owes_withdrawal_ = false;
};

}  // namespace baton::sync
