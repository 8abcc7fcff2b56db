#pragma once
// Loop: one actor's life between its messages; the non-template middle between the public API and the transport.
//
// It sends and asks (peers, asks), takes commands one at a time (intake), hands them to a Handler and lets it
// answer (answers), and serves the control lane, which overtakes: before each command that follows a pause, and during
// every wait. While a handler waits in ask(), other commands wait; only the control lane and answers are served. Knows
// nothing of C++ command types: tags and encoded bodies. One thread, which is the user's, and checked.
//
// A callback of watch() may throw out of any wait. What was waiting then is as if it had not been called: what was not
// sent is not sent later, and what it carried is where it was. Only an ask may have been read by then: it is abandoned.

#include <deque>
#include <functional>
#include <map>
#include <memory>

#include <baton/log.hpp>
#include "runtime/inbox/answers.hpp"
#include "runtime/inbox/asks.hpp"
#include "runtime/inbox/command.hpp"
#include "runtime/inbox/drains.hpp"
#include "runtime/inbox/gifts.hpp"
#include "runtime/inbox/intake.hpp"
#include "runtime/inbox/own_thread.hpp"
#include "runtime/inbox/peers.hpp"

namespace baton::detail {

class Loop {
public:
    Loop(Transport& transport, const Clock& clock, Log& log);

    // ---- place in the session
    void be(ActorId me, std::string name);
    // The session that it is in; a Ref of another one is refused from here on.
    void be_in(SessionTag session) noexcept { session_ = session; }
    [[nodiscard]] SessionTag session() const noexcept { return session_; }
    [[nodiscard]] Result<void> require_ours(const AnyRef& ref) const;
    void attach(const Vitals& vitals, OwnVitals own);
    // The control lane: a link to the coordinator's inbox.
    [[nodiscard]] Result<void> open_control(const std::string& address);
    [[nodiscard]] ActorId me() const noexcept { return me_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] const Clock& clock() const noexcept { return *clock_; }
    [[nodiscard]] Log& log() const noexcept { return *log_; }
    [[nodiscard]] Transport& transport() const noexcept { return *transport_; }
    // The thread that made it, or that has adopted it since.
    [[nodiscard]] OwnThread& thread() noexcept { return thread_; }

    // ---- segments
    void attach(Holdings& holdings);
    [[nodiscard]] Holdings* holdings() const noexcept { return gifts_.holdings(); }
    // What receives commands that come back, by the type of the message. Called between commands, never within one.
    void on_bounced(std::string_view type, std::function<void(Bounce)> take) { bounce_takers_[type] = std::move(take); }
    // The oldest that nobody has taken, of that type and sent to that actor, if these are given; for scenarios, which
    // serve no handler.
    [[nodiscard]] std::optional<Bounce> next_bounce(std::string_view type, ActorId to = {});
    [[nodiscard]] std::size_t count_bounces(std::string_view type) const;
    // What receives commands while a dead peer is drained and no handler serves: a scenario's mail.
    void collect_with(Handler& handler) noexcept { collector_ = &handler; }

    // ---- messages out. `body` is one encoded value.
    // Decides whether commands to a receiver that is behind may share a frame and leave a little later, at the latest
    // when the handler returns or waits.
    enum class Urgency { may_share, now };
    // What `parcel` carries leaves the caller's hands when the message is on its way; else it stays there.
    [[nodiscard]] Result<void> send(ActorId to, std::string_view tag, std::string_view body, Within within,
                                    Urgency urgency, const Parcel* parcel = nullptr);
    [[nodiscard]] Result<AskId> request(ActorId to, std::string_view tag, std::string_view body, Within within,
                                        const Parcel* parcel = nullptr, Gifts::By by = Gifts::By::request);
    // The outcome of a request, once; waits for it until the deadline. Afterwards the ask is forgotten.
    [[nodiscard]] Result<ReplyFrame> await(AskId ask, Deadline deadline);
    // Like await(), for a receiver that answers at once if it can, and otherwise later. A deadline that is shorter than
    // the way there and back does not end the wait before that answer can come (limits::round_trip_timeout).
    [[nodiscard]] Result<ReplyFrame> await_word(AskId ask, Deadline deadline);
    [[nodiscard]] bool is_settled(AskId ask);
    // Nobody waits for its outcome any more. A command that has not begun is withdrawn, unless commit() was called.
    Fate abandon(AskId ask);
    void commit(AskId ask) noexcept;
    // Does this even for an ask that has been abandoned. `take_late` gets the answer that has come, or comes after all;
    // true if it may still come.
    bool abandon(AskId ask, std::function<void(Result<ReplyFrame>)> take_late);
    // After a failure the caller holds what the receiver had not accepted.
    [[nodiscard]] Result<ReplyFrame> ask(ActorId to, std::string_view tag, std::string_view body, Within within,
                                         const Parcel* parcel = nullptr);
    // Reaches the actor that a Ref names.
    [[nodiscard]] Result<void> send(const AnyRef& to, std::string_view tag, std::string_view body, Within within,
                                    Urgency urgency, const Parcel* parcel = nullptr) {
        if (Result<void> ours = require_ours(to); !ours) return ours;
        return send(to.id, tag, body, within, urgency, parcel);
    }
    [[nodiscard]] Result<AskId> request(const AnyRef& to, std::string_view tag, std::string_view body, Within within,
                                        const Parcel* parcel = nullptr, Gifts::By by = Gifts::By::request) {
        if (Result<void> ours = require_ours(to); !ours) return ours.error();
        return request(to.id, tag, body, within, parcel, by);
    }
    [[nodiscard]] Result<ReplyFrame> ask(const AnyRef& to, std::string_view tag, std::string_view body, Within within,
                                         const Parcel* parcel = nullptr) {
        if (Result<void> ours = require_ours(to); !ours) return ours.error();
        return ask(to.id, tag, body, within, parcel);
    }
    // What waits to share a frame goes out now.
    void flush();

    // Sends that command at that time from now on, between commands. Afterwards it is as send() with no time to wait
    // for room: tried again until there is some, or dropped with a warning.
    [[nodiscard]] Result<void> send_after(Duration delay, const AnyRef& to, std::string_view tag,
                                          std::string_view body);
    // Gives the outcome of an ask to `take`, between commands, once it has come or the deadline has passed.
    void continue_with(AskId ask, Deadline deadline, std::function<void(Result<ReplyFrame>)> take);

    // To the other end of an accepted link; see Answers.
    Answers::Posted post(Link link, const Envelope& envelope, std::string_view body) {
        return answers_.post(link, envelope, body);
    }
    void refuse(const Command& command, const Error& why) { answers_.refuse(command, why); }

    // Calls `look` between commands, as long as what is returned lives: whenever something has come, and when the
    // deadline that it returned last has passed.
    [[nodiscard]] std::shared_ptr<void> look_between(std::function<Deadline()> look);

    // ---- waiting and serving
    enum class Waited { done, deadline, stopping, gone };  // gone: the session has ended, without its coordinator
    // Serves until `done` holds, the deadline passes, this actor is told to stop or the coordinator has died. With a
    // handler, commands are handled while it waits; without one they wait.
    Waited serve(Handler* handler, const std::function<bool()>& done, Deadline deadline);

    // For an event loop of others: the descriptors of which one becomes readable when there is something to serve,
    // besides those of watch(), and when to serve at the latest. The set may differ after each serve(), ask and send.
    [[nodiscard]] Deadline would_wait_for(Handler* handler, std::vector<int>& watched);

    // For user code that waits: a scenario's commands are collected, an actor's wait.
    Waited wait_for(const std::function<bool()>& done, Deadline deadline);

    // Serves the control lane and answers, and looks again every `interval` whether `done` holds.
    Waited poll(const std::function<bool()>& done, Duration interval, Deadline deadline);

    // Handles (drain) or answers and counts what the inbox still holds. The last thing before Leave.
    [[nodiscard]] std::vector<DeadLetter> finish(Handler& handler);

    void stop(bool drain);
    // From here a stop no longer ends waits: what is left to do is to say goodbye.
    void begin_leaving();
    [[nodiscard]] bool is_stopping() const noexcept { return stop_ != Stop::no; }
    // Every ask under way ends as `gone`, and so does every wait and every later ask and send: the coordinator has
    // died.
    void lose_coordinator();
    // Becomes readable when the coordinator has died; `has_died` says whether it has. No longer watched afterwards.
    void watch_coordinator(int descriptor, std::function<bool()> has_died);
    // True if it lives, as far as it is watched. What would outlive the session is not begun without it.
    [[nodiscard]] bool has_coordinator();
    [[nodiscard]] Error coordinator_lost() const;

    // Wakes up for `descriptor` in every wait, even if no handler serves.
    void watch(int descriptor, std::function<void()> on_readable);
    // For an actor's own code: called between commands, never within one.
    void on_peer_exited(std::function<void(const Ended&)> take) { exit_taker_ = std::move(take); }
    // The member that joined over that link, and may never speak over it again.
    void introduce(Link link, ActorId joined) { intake_.introduce(link, joined); }
    // An actor that has exited: nothing more will come over its connection.
    void forget(ActorId exited) { intake_.forget(exited); }
    // The sender of the command in progress; nobody between commands.
    [[nodiscard]] ActorId sender() const noexcept { return sender_; }
    // Nullptr before attach().
    [[nodiscard]] const Vitals* vitals() const noexcept { return vitals_; }
    [[nodiscard]] std::uint64_t dropped_peers() const noexcept { return intake_.dropped_peers(); }

private:
    // How often a sender whose window is full looks again, and so does an answerer whose asker reads slowly; the other
    // side has plenty to do in that time.
    static constexpr Duration window_interval = std::chrono::milliseconds{1};

    // A command that was to be sent by now and found no room is tried again after this.
    static constexpr Duration delayed_retry_interval = std::chrono::milliseconds{10};

    // The most answers that are read from one link before the others, the control lane and the deadline get their turn.
    static constexpr std::size_t answers_per_look_max = 256;

    enum class Stop { no, now, after_draining };
    struct Showing;
    struct Unsent;
    struct Unasked;
    struct Ungiven;

    [[nodiscard]] Result<Peer*> reach(ActorId to, Deadline deadline);
    [[nodiscard]] Result<void> put(Peer& peer, MessageKind kind, AskId ask, std::string_view tag,
                                   std::string_view body, Deadline deadline, Urgency urgency, const Parcel* parcel);
    [[nodiscard]] Result<void> put_parcel(Peer& peer, MessageKind kind, AskId ask, std::string_view tag,
                                          std::string_view body, Deadline deadline, const Parcel& parcel);
    struct WaitingForRoom;
    [[nodiscard]] Result<void> ask_for_count(Peer& peer, Deadline deadline);
    [[nodiscard]] Result<void> wait_for_window(Peer& peer, std::size_t bytes, Deadline deadline);
    // A record that was counted joins those that leave with the next push.
    void let_wait(Peer& peer, std::string_view head, std::string_view body);
    [[nodiscard]] Result<void> push(Peer& peer, Deadline deadline);
    [[nodiscard]] bool ends_waits() const noexcept { return stop_ == Stop::now && !is_leaving_; }
    // Why a wait for room at `to` ends now, if it does.
    [[nodiscard]] std::optional<Error> cannot_wait(ActorId to, Deadline deadline, std::string_view for_what);
    [[nodiscard]] bool lives(ActorId actor) const noexcept;

    void serve_control();
    void serve_links();  // and answers
    void collect_answers();
    bool take_answers(Link link);  // a slice of them; true if there may be more
    void take_all_answers(Link link);
    [[nodiscard]] Peer* peer_over(Link link) noexcept;
    void take_notice(const Envelope& envelope, Value body);
    template <class Notice>
    [[nodiscard]] std::optional<Notice> read_notice(Value body) const;
    [[nodiscard]] bool was_asked(Link link, AskId id) noexcept;
    void settle(AskId id, Result<ReplyFrame> outcome);
    [[nodiscard]] Waited wait_for_answer(AskId id, Deadline deadline, std::vector<WaitEdge>& circle);
    [[nodiscard]] Waited wait_for_word(AskId id, Deadline deadline);
    [[nodiscard]] Result<ReplyFrame> take_outcome(AskId id, Waited waited, const std::vector<WaitEdge>& circle);
    [[nodiscard]] Fate withdraw(AskId id, const Asks::Ask& ask);
    // The circle in which we wait, if we are the one that has to give up so that all others go on.
    [[nodiscard]] std::vector<WaitEdge> circle_to_break() const;
    [[nodiscard]] Error deadlock(const std::vector<WaitEdge>& circle);
    [[nodiscard]] std::string what_keeps(const Peer& peer) const;
    enum class Handled { none, some, slice };  // slice: there may be more, but others are to be looked at
    Handled handle_some(Handler& handler, const std::function<bool()>& done);
    void handle_one(Handler& handler, const Command& command);
    [[nodiscard]] Transport::Interest interest_of(Handler* handler, Deadline& deadline, Link writable);
    void wait(Handler* handler, Deadline deadline, Link writable);
    void look_at_the_dead();
    void take_exit(const notice::Exited& exited);
    void take_late_exits();
    void forget_exited(const notice::Exited& exited);
    void remember_exited(ActorId id, const std::string& why);
    void take_refusal(Link link, const Envelope& envelope, const Error& why);
    void take_reply(const Envelope& envelope, std::size_t body_start);
    void take_in_vain(Link link, const Envelope& envelope);
    void keep_bounces(std::vector<Bounce> bounces);
    void give_bounces();
    void send_due();
    void continue_settled();
    void look_around();
    [[nodiscard]] Deadline next_timer(bool handles_commands) const;
    void tell_exits();
    void tell_drained(bool was_empty);

    OwnThread thread_;
    Transport* transport_;
    const Clock* clock_;
    Log* log_;
    ActorId me_;
    std::string name_;
    SessionTag session_;
    const Vitals* vitals_ = nullptr;
    std::optional<OwnVitals> own_vitals_;
    Link control_;
    Peers peers_;
    Asks asks_;
    AskId shown_ = 0;  // which the vitals say is waited for; 0: none
    Intake intake_;
    Gifts gifts_;
    Answers answers_;
    Drains drains_;
    std::function<void(const Ended&)> exit_taker_;
    std::deque<notice::Exited> exits_;  // of which the taker has not been told
    struct LateExit {
        notice::Exited exited;
        Deadline at_latest;
    };
    std::vector<LateExit> late_exits_;  // of those whose last answers may still be on their way
    std::deque<Bounce> bounces_;
    std::unordered_map<std::string_view, std::function<void(Bounce)>> bounce_takers_;
    // Commands that are to be sent later, by their time.
    struct Delayed {
        AnyRef to;
        std::string tag;
        Buffer body;
    };
    std::multimap<Instant, Delayed> delayed_;
    // Asks whose outcomes go to a function, by their number, and by their deadline.
    std::unordered_map<AskId, std::function<void(Result<ReplyFrame>)>> continuations_;
    std::multimap<Instant, AskId> continuation_deadlines_;
    // Callers that have something to do between commands, and when at the latest.
    struct Onlooker {
        std::function<Deadline()> look;
        Deadline next;
    };
    std::vector<std::weak_ptr<Onlooker>> onlookers_;
    bool is_sending_due_ = false;
    Handler* collector_ = nullptr;
    bool is_handling_ = false;
    ActorId sender_;  // of the command in hand
    Stop stop_ = Stop::no;
    bool is_leaving_ = false;
    bool has_lost_coordinator_ = false;
    int coordinator_descriptor_ = -1;
    std::function<bool()> has_coordinator_died_;
    std::unordered_map<ActorId, std::string> exited_;  // why a Ref is of no use any more
    std::vector<std::pair<int, std::function<void()>>> watched_;

    // Reused, so that the steady state allocates nothing.
    Unpacker answer_unpacker_;
    Buffer answer_frame_;
    Buffer record_;
    std::vector<Link> waited_links_;
    std::vector<int> waited_descriptors_;
    std::size_t unsent_peers_ = 0;  // that hold records in `waiting`
    std::size_t peers_asked_ = 0;   // that owe an answer
};

}  // namespace baton::detail
