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
    [[nodiscard]] static Loop& loop(const Member& member) noexcept { return *member.loop_; }
    [[nodiscard]] static Directory& directory(const Member& member) noexcept { return *member.directory_; }
    // What this member sends leaves at once, because there is no handler at whose return it would be sent.
    static void send_at_once(Member& member) noexcept { member.sends_at_once_ = true; }
    [[nodiscard]] static Result<void> look_up_held(Member& member, SegmentBase& out, const std::string& name,
                                                   Within within) {
        return member.look_up_segment(out, name, std::nullopt, within);
    }

    [[nodiscard]] static Session& session(const Scenario& scenario) noexcept { return *scenario.session_; }
    [[nodiscard]] static Session& session(const SessionVerbs<Returning>& scenario) noexcept {
        return *scenario.session_;
    }

    [[nodiscard]] static Holding* holding(const SegmentBase& held) noexcept { return held.holding(); }
    [[nodiscard]] static Holdings* holdings(const SegmentBase& held) noexcept { return held.holdings(); }
    [[nodiscard]] static Holding& release(SegmentBase& held) { return held.release_to_runtime(); }
    // The loop that waits in reclaim().
    static void wait_with(Loan& lent, Loop& loop) noexcept { lent.loop_ = &loop; }

    template <class R>
    [[nodiscard]] static Link link(const Answer<R>& answer) noexcept {
        return answer.slot_.link();
    }
};

}  // namespace baton::detail
