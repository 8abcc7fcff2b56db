#pragma once
// Handle: a primitive as one process uses it. What the handles of all kinds share; users take Lock, Event, Barrier, ...
//
// A handle is made by a Keeper (<baton/sync/keeper.hpp>) or from an address that another process has sent:
//
//     sync::Lock printer{context, command.printer};
//
// M is the member that it was made with, and its verbs fail as those of M do: with a Context (the default) they return
// a Result; with a Scenario they return the value and throw ErrorException. Every verb that waits takes a timeout or a
// deadline (<baton/time.hpp>), limits::ask_timeout by default, and ends with one of
//
//     success     it has come; a wait with a timeout of 0 succeeds if the keeper has it at once
//     timed_out   the time is over; nothing of what was waited for is the waiter's, even if it came at that moment
//     stopping    this member has been told to stop
//     gone        the keeper has exited, and what it kept with it; or the primitive was removed: the text says by whom
//     deadlock    actors wait for each other in a circle; the text names them. Not found are circles through locks of
//                 two keepers (keep locks that are held together at one), and those through an answer that is kept
//                 without a word about it (Answer::waits_for): these waits end at their deadlines
//     refused     there is nothing to wait for, and the text says why: a broken barrier, a lock that is held already
//     overloaded  a limit of the keeper (sync::limits)
//
// An exception that leaves a wait (thrown by a descriptor's watcher) ends it as its timeout would.
//
// A process has one handle of a primitive. A handle can be moved, even while a Hold of it exists; a handle that was
// moved from may only be assigned to or destroyed. It must not outlive the Context or Scenario. One thread: the
// member's.

#include <concepts>
#include <memory>
#include <string>

#include <baton/detail/sync/handle.hpp>
#include <baton/sync/protocol.hpp>

namespace baton::sync {

// A Context or a Scenario.
template <class M>
concept AnyMember = detail::AnyMember<M>;

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
    // Removes it from its keeper, which frees its memory. Clients that wait there, or use it later, get `gone` with its
    // name and that of the client that removed it. `refused` for a lock, value or array that somebody holds, and for a
    // lock that still has conditions. Any other is removed whatever is in it (Remove in <baton/sync/protocol.hpp>).
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

private:
    std::unique_ptr<Core> core_;
};

}  // namespace baton::sync
