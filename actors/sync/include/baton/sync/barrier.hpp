#pragma once
// Barrier: nobody goes on before all have come.
//
//     const sync::Address start = sync::Barrier::make(context, keeper, "start", {.members = {alice, bob}}).value();
//
//     sync::Barrier barrier{context, start};
//     const std::uint64_t index = barrier.wait(5s).value();    // 0 for the first who came
//
// It can be used again at once, round by round. With an action, which each process gives to its handle, the last who
// comes runs it, once a round, while the others wait.
// It breaks when somebody who has come dies or gives up at the deadline, when a member dies at all, when the action throws,
// and by abort(). Then all waits end as `refused`, with the reason and the name, and so does every later one until reset(),
// after which the dead are not waited for any more. Name the members where you can: of a barrier by number nobody
// knows who is missing, so one that dies before it came is waited for until the deadline.

#include <functional>

#include <baton/sync/handle.hpp>

namespace baton::sync {

using namespace detail;

class Barrier : public Handle {
public:
    struct Setup {
        std::uint64_t parties = 0;           // whoever they are
        std::vector<AnyRef> members = {};    // or these, and then `parties` is their number
        bool has_action = false;
    };
    [[nodiscard]] static Result<Address> make(Context& context, Ref<Protocol> keeper, const std::string& name, Setup setup);

    Barrier(Context& context, Address address, std::function<void()> action = {})
        : Handle(context, std::move(address)), action_(std::move(action)) {}

    // How many had come before.
    [[nodiscard]] Result<std::uint64_t> wait(Duration deadline);
    // Also of a barrier that is not broken: whoever waits is refused.
    Result<void> reset() { return tell(ResetBarrier{number()}); }
    Result<void> abort() { return tell(AbortBarrier{number()}); }

private:
    [[nodiscard]] Result<void> run_action();
    std::function<void()> action_;
};

}  // namespace baton::sync
