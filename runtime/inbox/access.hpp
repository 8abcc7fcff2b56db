#pragma once
// Access: the runtime's way to what public classes keep private. Nothing outside the runtime, its coordinator and its
// bindings includes this. One thread, the loop's.

#include <baton/answer.hpp>
#include <baton/context.hpp>
#include <baton/scenario.hpp>
#include <baton/segment.hpp>

#include "runtime/inbox/loop.hpp"

namespace baton::detail {

struct Access {
    [[nodiscard]] static Loop& loop(const Context& context) noexcept { return *context.loop_; }
    // What this context sends leaves at once: no handler returns that would let it go.
    static void send_at_once(Context& context) noexcept { context.sends_at_once_ = true; }
    [[nodiscard]] static Result<void> look_up_held(Context& context, HeldMemory& out, const std::string& name, Within within) {
        return context.look_up_held(out, name, std::nullopt, within);
    }

    [[nodiscard]] static Session& session(const Scenario& scenario) noexcept { return *scenario.session_; }

    [[nodiscard]] static Holding* holding(const HeldMemory& held) noexcept { return held.holding(); }
    [[nodiscard]] static Holdings* holdings(const HeldMemory& held) noexcept { return held.holdings(); }
    [[nodiscard]] static Holding& release(HeldMemory& held) { return held.release_to_runtime(); }
    // Who waits in reclaim().
    static void wait_with(Lent& lent, Loop& loop) noexcept { lent.loop_ = &loop; }

    template <class R>
    [[nodiscard]] static Link link(const Answer<R>& answer) noexcept {
        return answer.slot_.link();
    }
};

}  // namespace baton::detail
