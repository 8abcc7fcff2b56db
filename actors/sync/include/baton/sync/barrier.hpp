#pragma once
// Barrier: nobody goes on before all have arrived.
//
//     auto start = keeper.barrier("start", {.members = {alice, bob}});     // its address is sent to both
//
//     sync::Barrier barrier{context, command.start};                       // in each of them
//     const auto index = barrier.wait(5s);                                 // 0 for the first that arrived
//
// It can be used again at once, round by round. If it has an action, which each process gives to its own handle, the
// last that arrives runs it, once per round, while the others wait.
//
// It breaks when somebody that has arrived dies or gives up waiting, when a member dies at all, when the action throws,
// and by abort(). Then all waits end as `refused`, with the reason and the name, and so does every later one until
// reset(), after which dead members are not waited for any more. Name the members if you can. If a barrier has only a
// number of parties, nobody knows which are missing, and one that dies before it arrives is waited for until the time
// is over.
//
// Errors: as all waits (<baton/sync/handle.hpp>); `failed` in the process whose action threw. One thread.

#include <functional>
#include <vector>

#include <baton/sync/handle.hpp>

namespace baton::detail {

class SyncBarrier final : public SyncHandle {
public:
    SyncBarrier(Context& context, sync::Address address, std::function<void()> action)
        : SyncHandle(context, std::move(address), "barrier"), action_(std::move(action)) {}
    [[nodiscard]] Result<std::uint64_t> wait(Within within);

private:
    [[nodiscard]] Result<void> run_action();
    std::function<void()> action_;
};

}  // namespace baton::detail

namespace baton::sync {

// For Keeper::barrier().
struct BarrierOptions {
    std::uint64_t parties = 0;            // as many as this, any processes
    std::vector<AnyRef> members = {};     // or exactly these, and then `parties` is ignored
    std::function<void()> action = {};    // of the process that makes the barrier
    // Set this if only other processes have an action, which they give to their handles.
    bool has_action = false;
};

template <AnyMember M = Context>
class Barrier : public Handle<M, detail::SyncBarrier> {
public:
    Barrier(M& member, Address address, std::function<void()> action = {})
        : Handle<M, detail::SyncBarrier>(std::make_unique<detail::SyncBarrier>(
              detail::context_of(member), std::move(address), std::move(action))) {}

    // Returns how many had arrived before.
    [[nodiscard]] Outcome<M, std::uint64_t> wait(Within within = limits::ask_timeout) {
        return this->give(this->core().wait(within));
    }
    // Makes it whole again. Clients that wait are refused, even if it was not broken.
    Outcome<M, void> reset() { return this->give(this->core().tell(ResetBarrier{this->number()})); }
    // Breaks it.
    Outcome<M, void> abort() { return this->give(this->core().tell(AbortBarrier{this->number()})); }
};

}  // namespace baton::sync
