#pragma once
// Asking: an ask from its sending to its one outcome, and what ends it if no answer can come. One thread.
//
// A wait for an answer serves the control lane and other answers, and no commands. An exception that a watcher throws
// out of it abandons the ask, which may have been read by then.

#include <functional>
#include <vector>

#include "runtime/inbox/outbox.hpp"

namespace baton::detail {

class Asking final : public Locating {
public:
    Asking(Self& self, Peers& peers, Asks& asks, Requests& requests, Returns& returns, Outbox& outbox,
           Waiting& waiting)
        : self_(&self),
          peers_(&peers),
          asks_(&asks),
          requests_(&requests),
          returns_(&returns),
          outbox_(&outbox),
          waiting_(&waiting) {
        outbox.locate_with(*this);
    }

    // ---- its begin
    // The message is sent as an ask. What it carries comes back as its kind of gift says.
    [[nodiscard]] Result<AskId> request(ActorId to, Outbox::Message message, Deadline deadline,
                                        Gifts::By by = Gifts::By::request);
    // Where an actor is, as the coordinator knows.
    [[nodiscard]] Result<Place> locate(ActorId actor, Deadline deadline) override;

    // ---- its end
    // The outcome of a request, once; waits for it until the deadline. Afterwards the ask is forgotten.
    [[nodiscard]] Result<ReplyFrame> await(AskId ask, Deadline deadline);
    // Like await(), for a receiver that answers at once if it can, and otherwise later. A deadline that is shorter than
    // the way there and back does not end the wait before that answer can come (limits::round_trip_timeout).
    [[nodiscard]] Result<ReplyFrame> await_word(AskId ask, Deadline deadline);
    // After a failure the caller holds what the receiver had not accepted. A reply by position is read into `place`.
    [[nodiscard]] Result<ReplyFrame> ask(ActorId to, const Outbox::Message& message, Deadline deadline,
                                         ReplyPlace place = {});
    [[nodiscard]] bool is_settled(AskId ask) const noexcept;
    // The outcome of an ask that is no longer waited for: it has come, or why it has not been waited for any longer.
    [[nodiscard]] Result<ReplyFrame> take_outcome(AskId ask, Waited waited);

    // Nobody waits for its outcome any more. A command that has not begun is withdrawn, unless commit() was called.
    Fate abandon(AskId ask);
    void commit(AskId ask) noexcept;
    // Does this even for an ask that has been abandoned. `take_late` gets the answer that has come, or comes after all;
    // true if it may still come.
    bool abandon(AskId ask, std::function<void(Result<ReplyFrame>)> take_late);
    // Nobody waits for its outcome, which goes to `take`.
    void hand_over(AskId ask, std::function<void(Result<ReplyFrame>)> take) {
        asks_->hand_over(ask, std::move(take));
    }

    // ---- what others know of it
    // It was asked of the actor to which that link leads.
    [[nodiscard]] bool was_asked(Link link, AskId ask) const noexcept;
    [[nodiscard]] ActorId asked_of(AskId ask) const noexcept;
    void settle(AskId ask, Result<ReplyFrame> outcome);
    // By a reply by position, which another process may still change.
    void settle_by_position(AskId ask, std::string_view reply);
    // That actor has ended, or all have.
    void settle_all_to(ActorId actor, const Error& why);
    void settle_all(const Error& why) { asks_->settle_all(why); }
    // That of the coordinator's role has: what is waited for is asked again of the next one.
    void forget_abandoned_to(ActorId actor) { asks_->forget_abandoned_to(actor); }

private:
    class Showing;
    struct Unwanted;
    [[nodiscard]] Waited wait_for_answer(AskId ask, Deadline deadline, std::vector<WaitEdge>& circle);
    [[nodiscard]] Waited wait_for_word(AskId ask, Deadline deadline);
    [[nodiscard]] Result<ReplyFrame> outcome_of(AskId ask, Waited waited, const std::vector<WaitEdge>& circle);
    [[nodiscard]] Fate withdraw(AskId id, const Asks::Ask& ask);
    [[nodiscard]] std::string what_keeps(const Peer& peer) const;

    Self* self_;
    Peers* peers_;
    Asks* asks_;
    Requests* requests_;
    Returns* returns_;
    Outbox* outbox_;
    Waiting* waiting_;
    AskId shown_ = 0;  // which the vitals say is waited for; 0: none
};

}  // namespace baton::detail
