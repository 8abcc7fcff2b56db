#pragma once
// Handle: a primitive as one process uses it. What the handles of all kinds share; users take Lock, Event, Barrier, ...
//
// Rules of all handles: one thread, the actor's. One handle a process and primitive. Not movable, as what guards refers
// to it. Every wait has a deadline and ends with one of
//     ok          it came; with a deadline of 0 what the keeper has at once
//     timed_out   the deadline; nothing of what was waited for is the waiter's, also if it came at that moment
//     stopping    this actor stops
//     gone        the keeper has exited, and with it what it kept; or this has been removed
//     deadlock    actors wait for each other in a circle; the text names them
//     refused     there is nothing to wait for; the text says why: a barrier that is broken, a lock that is held already
//     overloaded  a limit of the keeper
// What throws out of a wait (a watcher of the loop) leaves it as the deadline does: withdrawn, and given back if it came.

#include <concepts>
#include <memory>
#include <string>

#include <baton/detail/sync/handle.hpp>
#include <baton/sync/protocol.hpp>

namespace baton::sync {

// A Context or a Scenario.
template <class M>
concept AnyMember = requires(M& member) {
    { detail::context_of(member) } -> std::same_as<Context&>;
};

// What a verb returns: a Result<T> with a Context, a T with a Scenario.
template <class M, class T>
using Outcome = typename detail::FaceOf<M>::template Of<T>;

template <AnyMember M, class Core = detail::PlainSyncHandle>
class Handle {
public:
    // May be sent to other processes, which make handles of it.
    [[nodiscard]] const Address& address() const noexcept { return core_->address(); }
    [[nodiscard]] const std::string& name() const noexcept { return address().name; }
    // How many clients wait at it; a question to the keeper.
    [[nodiscard]] Outcome<M, std::uint64_t> waiting() { return give(core().waiting()); }
    // The keeper keeps it no longer and frees its memory. Clients that wait there, or use it later, get `gone` with its
    // name and who removed it. `refused` for a lock, value or array that somebody holds, and for a lock that still has
    // conditions; anything else goes whatever is in it (Remove in <baton/sync/protocol.hpp>).
    Outcome<M, void> remove() { return give(core().tell(Remove{number()})); }

protected:
    explicit Handle(std::unique_ptr<Core> core) : core_(std::move(core)) {}
    Handle(Handle&&) noexcept = default;
    Handle& operator=(Handle&&) noexcept = default;
    ~Handle() = default;

    [[nodiscard]] Core& core() const noexcept { return *core_; }
    [[nodiscard]] std::uint32_t number() const noexcept { return core_->number(); }
    template <class T>
    static Outcome<M, T> give(Result<T> result) {
        return detail::FaceOf<M>::give(std::move(result));
    }
    // The same in two steps. An error of the first: the keeper has not heard of it.
    template <class C>
    [[nodiscard]] Result<Pending<Granted>> begin(const C& command, Duration deadline) {
        if (Result<void> paid = withdraw_late(); !paid) return paid.error();
        Result<Pending<Granted>> asked = context_->request(address_.keeper, command, deadline);
        if (asked) asked->commit();  // its end is told to the keeper by Withdraw, which follows it
        return asked;
    }
    [[nodiscard]] Result<Granted> finish(Pending<Granted>& asked, Deadline end, Duration deadline, std::string_view what);
    // One that is answered at once, as far as the keeper gets to run. It is done even if its answer comes too late.
    template <class C>
    [[nodiscard]] Result<typename C::Reply> ask(const C& command) {
        const Deadline end = context_->deadline(limits::ask_timeout);
        Result<Pending<typename C::Reply>> asked = context_->request(address_.keeper, command, end);
        if (!asked) return asked.error();
        asked->commit();
        return asked->get(end);
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
    std::unique_ptr<Core> core_;
};

}  // namespace baton::sync
