#pragma once
// Exits: what is to be done when another actor has ended. What it still brings is taken, then it is forgotten: asks to
// it end as `gone`, gifts to it come back, its connection is closed; then those who want to know are told.
//
// Notice Exited may come before the last answers of the dead one, so a peer that owes some is forgotten only when its
// connection has ended, too. Notice Drain asks for the word that all it had sent has been taken (Drains). One thread.

#include <deque>
#include <functional>
#include <unordered_set>
#include <vector>

#include "runtime/inbox/drains.hpp"
#include "runtime/inbox/intake.hpp"
#include "runtime/inbox/replies.hpp"
#include "runtime/wire/notices.hpp"

namespace baton::detail {

class Exits {
public:
    Exits(Self& self, Peers& peers, Asking& asking, Returns& returns, Outbox& outbox, Replies& replies, Intake& intake)
        : self_(&self), peers_(&peers), asking_(&asking), returns_(&returns), outbox_(&outbox), replies_(&replies),
          intake_(&intake) {}

    void take(notice::Exited exited);
    void drain(const notice::Drain& drain) { drains_.begin(drain.actor.id, static_cast<pid_t>(drain.pid)); }
    // At those that have ended, whether anything of them is still on its way.
    void look();
    // When to look again.
    [[nodiscard]] Deadline next_look(Serving serving) const noexcept;
    // The coordinator has died: nobody wants to hear of them any more.
    void drop_all();

    // For an actor's own code: called between commands, never within one.
    void on_exited(std::function<void(const Ended&)> take) { taker_ = std::move(take); }
    void tell();

    // True while commands are to be taken because a dead one may have sent some.
    [[nodiscard]] bool is_draining() const noexcept { return drains_.any(); }
    // The transport has looked for commands; and after that the inbox was found empty, or not.
    void looked_for_commands() noexcept { drains_.looked_for_commands(); }
    void tell_drained(bool was_empty);

private:
    struct Late {
        notice::Exited exited;
        Deadline at_latest;
    };
    void look_at_connections();
    void take_late();
    void forget(const notice::Exited& exited);

    Self* self_;
    Peers* peers_;
    Asking* asking_;
    Returns* returns_;
    Outbox* outbox_;
    Replies* replies_;
    Intake* intake_;
    Drains drains_;
    std::unordered_set<ActorId> heard_;  // of whose exit
    std::vector<Late> late_;  // of those whose last answers may still be on their way
    std::function<void(const Ended&)> taker_;
    std::deque<notice::Exited> untold_;
};

}  // namespace baton::detail
