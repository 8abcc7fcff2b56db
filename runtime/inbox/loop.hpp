#pragma once
// Loop: one actor's life between its messages; the non-template middle between the public API and the transport.
//
// It sends and asks, takes commands one at a time, hands them to a Handler and lets it answer, and serves the control
// lane, which overtakes: before each command that follows a pause, and during every wait. While a handler waits in
// ask(), other commands wait; only the control lane and answers are served. It knows tags and encoded bodies, and
// nothing of the C++ types of commands. One thread, which is the user's; that is checked here, where user code calls.
//
// It consists of things with names. Each knows only those that stand above it here, and all of them know Self: who this
// actor is, and whether it is ending.
//
//     Peers, Asks    to whom it has sent, and what it has asked; Requests: what of that the coordinator
//     Returns        what was given away and comes back
//     Outbox         from a message to the link of its receiver, through window and batches
//     Asking         from an ask to its one outcome
//     Replies        what comes back over links, to whom it belongs
//     Commands       what comes to the inbox, to a handler; its answers
//     Exits          what is to be done when another actor has ended
//     ControlLane    notices, and the coordinator's life; Inheritances: what the dead have left to this one
//     Later          what is to be done at some time
//     Waits          one wait: what it looks at, and until when
//
// Who sends or asks may have to wait, and what is served meanwhile is further down. So Outbox and Asking know the
// loop as a Waiting and nothing else, and Outbox knows Asking as what finds addresses (Locating).
//
// A callback of watch() may throw out of any wait. What was waiting then is as if it had not been called: what was not
// sent is not sent later, and what it carried is where it was. Only an ask may have been read by then: it is abandoned.

#include <functional>

#include "runtime/inbox/waits.hpp"

namespace baton::detail {

class Loop final : public Self, private Waiting {
public:
    using Waited = detail::Waited;
    using Urgency = Outbox::Urgency;
    Loop(Transport& transport, const Clock& clock, Log& log);

    [[nodiscard]] Outbox& outbox() noexcept { return outbox_; }
    [[nodiscard]] Asking& asking() noexcept { return asking_; }
    [[nodiscard]] Returns& returns() noexcept { return returns_; }
    [[nodiscard]] Commands& commands() noexcept { return commands_; }
    [[nodiscard]] ControlLane& control() noexcept { return control_; }
    [[nodiscard]] Later& later() noexcept { return later_; }

    // ---- messages out, for user code: refused in another thread, or if they are meant for another session.
    // `body` is one encoded value. What `parcel` carries leaves the caller's hands when the message is on its way; else
    // it stays there.
    [[nodiscard]] Result<void> send(const Receiver& to, std::string_view tag, std::string_view body, Within within,
                                    Urgency urgency, const Parcel* parcel = nullptr);
    [[nodiscard]] Result<AskId> request(const Receiver& to, std::string_view tag, std::string_view body, Within within,
                                        const Parcel* parcel = nullptr);
    [[nodiscard]] Result<ReplyFrame> ask(const Receiver& to, std::string_view tag, std::string_view body,
                                         Within within, const Parcel* parcel = nullptr);
    // The outcome of a request, as Asking says.
    [[nodiscard]] Result<ReplyFrame> await(AskId ask, Deadline deadline);
    [[nodiscard]] bool is_settled(AskId ask) const noexcept { return asking_.is_settled(ask); }
    Fate abandon(AskId ask) { return asking_.abandon(ask); }
    bool abandon(AskId ask, std::function<void(Result<ReplyFrame>)> take_late);

    // ---- waiting and serving
    // Serves until `done` holds, the deadline passes, this actor is told to stop or the coordinator has died. With a
    // handler, commands are handled while it waits; without one they wait.
    Waited serve(Handler* handler, const std::function<bool()>& done, Deadline deadline);
    // For user code that waits: a scenario's commands are collected, an actor's wait.
    Waited wait_for(const std::function<bool()>& done, Deadline deadline);
    // Serves the control lane and answers, and looks again every `interval` whether `done` holds.
    Waited poll(const std::function<bool()>& done, Duration interval, Deadline deadline);
    // As Waits says.
    [[nodiscard]] Deadline would_wait_for(Handler* handler, std::vector<int>& watched);
    void watch(int descriptor, std::function<void()> on_readable);

    // ---- its end
    // Handles (drain) or answers and counts what the inbox still holds. The last thing before Leave.
    [[nodiscard]] std::vector<DeadLetter> finish(Handler& handler);
    // From here a stop no longer ends waits: what is left to do is to say goodbye.
    void begin_leaving();

private:
    Waited wait_until(const std::function<bool()>& done, Deadline deadline) override;
    void serve_links(Link also) override;
    void wait(Deadline deadline, Link writable) override { waits_.wait(nullptr, deadline, writable); }
    void serve_between_commands(Handler* handler);

    Peers peers_;
    Asks asks_;
    Requests requests_;
    Returns returns_;
    Outbox outbox_;
    Asking asking_;
    Replies replies_;
    Commands commands_;
    Exits exits_;
    ControlLane control_;
    Later later_;
    Waits waits_;
};

}  // namespace baton::detail
