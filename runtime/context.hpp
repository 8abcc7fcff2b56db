#pragma once
// Context: all that an actor may do to the world. Five verbs (send, ask, request, spawn, stop) and a few
// facts. Handed to the actor's constructor and valid as long as the actor lives. One thread: the actor's.
//
// Every wait has a deadline and ends at a stop, and as `gone` when the coordinator has died. What can fail says so by its
// Result; a command that was not accepted is still yours to send again. Another thread is refused, and ends the process
// where a call can't refuse.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/holdings/arrivals.hpp"
#include "runtime/inbox/call.hpp"
#include "runtime/protocol.hpp"
#include "runtime/ref.hpp"
#include "runtime/segment.hpp"
#include "runtime/vitals/vitals.hpp"
#include "runtime/wire/convert.hpp"
#include "runtime/wire/description.hpp"

namespace baton {

// The answer to come of a request. Move-only; the one who lets it go does not hear the answer.
template <class R>
class Pending {
public:
    Pending(Loop& loop, AskId ask) : loop_(&loop), ask_(ask) {}
    Pending(Pending&& other) noexcept : loop_(std::exchange(other.loop_, nullptr)), ask_(other.ask_) {}
    Pending& operator=(Pending&& other) noexcept {
        if (this != &other) {
            cancel();
            loop_ = std::exchange(other.loop_, nullptr);
            ask_ = other.ask_;
        }
        return *this;
    }
    ~Pending() { cancel(); }

    // Has the outcome come? Looks once, without waiting.
    [[nodiscard]] bool ready();
    // The same without looking, as far as is known: what a condition for Context::wait_for may ask.
    [[nodiscard]] bool is_settled() const { return loop_ != nullptr && loop_->is_settled(ask_); }
    // Waits for the outcome: reply, error of the handler, gone, timed_out, stopping. Once: afterwards the
    // Pending is empty, and `refused` is all it answers.
    [[nodiscard]] Result<R> get(Duration deadline);
    // The same of somebody who answers at once what can be answered at once: with a deadline of 0 the outcome is what that
    // one says now, `timed_out` where it says nothing (Loop::await_word).
    [[nodiscard]] Result<R> get_word(Duration deadline);
    void cancel() noexcept {
        if (Loop* loop = std::exchange(loop_, nullptr); loop != nullptr) loop->abandon(ask_);
    }

private:
    Loop* loop_;
    AskId ask_;
};

// A segment of the session that several share under a name: what create_or_attach() answers.
struct CreatedOrAttached {
    Lent lent;    // where this actor has created it: the name and the memory stand as long as this. Empty: another has it
    Slice slice;  // all of it
    [[nodiscard]] bool was_created() const { return static_cast<bool>(lent); }
};

// An actor has ended: who, and how.
using PeerExited = notice::Exited;

// A command that came back with what it carried, and why. The segments in it are the sender's again.
template <class C>
struct Bounced {
    using CommandType = C;
    C command;
    AnyRef to;
    Error why;
};
template <class>
struct BouncedOf;
template <class Taker, class C>
struct BouncedOf<void (Taker::*)(Bounced<C>)> {
    using type = Bounced<C>;
};
template <class Taker, class C>
struct BouncedOf<void (Taker::*)(Bounced<C>) const> {
    using type = Bounced<C>;
};

// What to start. The name is what the roster and the logs say; empty means after the program. An actor's
// children are named below it: "class/alice".
struct Program {
    std::string program;                       // looked up beside this program, beside the coordinator, in PATH
    std::string name = {};
    std::vector<std::string> arguments = {};   // the actor reads them from its Context
    Duration deadline = limits::spawn_deadline;
    std::uint64_t memory_bytes = 0;            // that its segments may take; 0: as much as the session has
    std::vector<std::string> folders = {};     // where to look for the program first
};

class Context {
public:
    explicit Context(Loop& loop, std::vector<std::string> arguments = {})
        : loop_(&loop), arguments_(std::move(arguments)) {}

    // ---- the five verbs
    // Delivers without a reply. ok() means: on its way, in order behind what was sent to `to` before. When
    // the receiver is behind, waits (back-pressure) until the deadline, then `overloaded`.
    template <class P, class C>
    Result<void> send(const Ref<P>& to, C&& command, Duration deadline = limits::send_deadline) {
        using Plain = checked_command<P, C>;
        const Outgoing out{*this, std::as_const(command)};
        return loop_->send(untyped(to), command_name<Plain>, out.body, deadline, urgency_, &out.parcel);
    }

    // Delivers and waits for the reply; other commands wait meanwhile (no re-entrance). Where whoever is asked waits
    // for this actor in turn, one of them is told so as `timed_out` with the circle's names, long before its deadline.
    // After any failure the segments that the receiver had not accepted are still in `command`.
    template <class P, class C>
    auto ask(const Ref<P>& to, C&& command, Duration deadline = limits::ask_deadline) {
        using Plain = checked_command<P, C>;
        static_assert(HasReply<Plain>, "this command has no Reply: it can be sent, not asked");
        const Outgoing out{*this, std::as_const(command)};
        return decoded_reply<typename Plain::Reply>(loop_->ask(untyped(to), command_name<Plain>, out.body, deadline, &out.parcel));
    }

    // Delivers, and gives a Pending to wait for later: the way to ask many at once.
    template <class P, class C>
    auto request(const Ref<P>& to, C&& command, Duration deadline = limits::send_deadline)
        -> Result<Pending<typename std::remove_cvref_t<C>::Reply>> {
        using Plain = checked_command<P, C>;
        static_assert(HasReply<Plain>, "this command has no Reply: it can be sent, not asked");
        const Outgoing out{*this, std::as_const(command)};
        Result<AskId> ask = loop_->request(untyped(to), command_name<Plain>, out.body, deadline, &out.parcel);
        if (!ask) return ask.error();
        return Pending<typename Plain::Reply>{*loop_, *ask};
    }

    // ---- segments (runtime/segment.hpp). A command that carries some is moved into send, ask or request; it is
    // still whole when that is refused. What comes back later, because the receiver died or refused the command,
    // is given to on_bounced.
    // Memory of so many bytes, not cleared. Waits for memory to come home; `overloaded` when none has come by the
    // deadline.
    Result<Segment> create(std::uint64_t bytes, Duration deadline = limits::memory_deadline) {
        return create_as(Layout{"|u1", {bytes}}, deadline);
    }
    // An array of T: create_array<double>({rows, columns}).
    template <Shareable T>
    Result<Segment> create_array(std::vector<std::uint64_t> shape, Duration deadline = limits::memory_deadline) {
        return create_as(Layout{element_type<T>(), std::move(shape)}, deadline);
    }
    Result<Segment> create_as(Layout layout, Duration deadline = limits::memory_deadline);
    // Gives up writing, so that others may read, or write parts. Refused for what is not ours; then it still is.
    Result<Lent> lend(Segment&& segment);
    // The segment outlives the session as /dev/shm/<name>, for whoever knows that name.
    Result<void> hand_out(Segment&& segment, const std::string& name);
    // Shared memory from outside, /dev/shm/<name>, becomes a segment of this session.
    Result<Segment> take_in(const std::string& name, Layout layout);

    // ---- names: a segment can be found without a message, by whoever knows its name in the session
    // Others may attach to all of what is lent, without asking, until it is reclaimed, released or withdrawn, or this
    // actor ends. `refused` when somebody has that name, with who it is; of several at once the ledger lets one be first.
    Result<void> publish(const Lent& lent, const std::string& name, Published as = Published::to_read);
    // Nobody attaches any more; what has been attached stays. Nothing where it is not published.
    void withdraw(const Lent& lent);
    // A Lease of what is published to be read, or a Slice of what is published to be shared. Waits until something is
    // published under that name; `gone` when nothing is at the deadline, `refused` when it is published the other way.
    template <class Held>
    Result<Held> look_up(const std::string& name, Duration deadline = Duration::zero()) {
        static_assert(std::is_same_v<Held, Lease> || std::is_same_v<Held, Slice>, "what is looked up is a Lease or a Slice");
        Result<HeldMemory> found = look_up_held(name, Held::held_kind, deadline);
        if (!found) return found.error();
        Held held;
        static_cast<HeldMemory&>(held) = std::move(*found);
        return held;
    }
    // The segment of that name, to be shared: of those who want it at the same time one creates it, and all others
    // attach to that one. The creator's is cleared and given to `fill` before anybody else sees it. `refused` where the
    // one that is there has another type or shape.
    template <Shareable T>
    Result<CreatedOrAttached> create_or_attach(const std::string& name, std::vector<std::uint64_t> shape,
                                               const std::function<void(std::span<T>)>& fill = {},
                                               Duration deadline = limits::memory_deadline) {
        std::function<void(Segment&)> filled;
        if (fill) filled = [&fill](Segment& fresh) { fill(fresh.as<T>()); };
        return create_or_attach_as(name, Layout{element_type<T>(), std::move(shape)}, filled, deadline);
    }
    Result<CreatedOrAttached> create_or_attach_as(const std::string& name, Layout layout, const std::function<void(Segment&)>& fill,
                                                  Duration deadline = limits::memory_deadline);
    // The same as look_up() for whoever does not know how it is published.
    [[nodiscard]] Result<HeldMemory> look_up_held(const std::string& name, std::optional<HandleKind> kind, Duration deadline);

    // Calls `take(Bounced<C>)` for every command C of ours that came back with its segments, between commands.
    // Without a taker the segments are released and a warning is logged.
    template <class Take>
    void on_bounced(Take take) {
        using B = typename BouncedOf<decltype(&Take::operator())>::type;
        using C = typename B::CommandType;
        require_carrier<C>();
        loop_->on_bounced(fields::full_type_name<C>(), [this, take = std::move(take)](Bounce bounce) mutable {
            if (std::optional<B> bounced = restored<C>(std::move(bounce)); bounced) take(std::move(*bounced));
        });
    }
    // Calls `take` when an actor has ended with which this one has had to do (it had sent to it, or lent it
    // something), between commands: name and exit. Its leases are in again by then.
    void on_exited(std::function<void(const PeerExited&)> take) { loop_->on_peer_exited(std::move(take)); }
    // The next C that came back, where nobody has called on_bounced; for scenarios, and within a handler. With `to` of
    // those that were sent there.
    template <class C>
    std::optional<Bounced<C>> next_bounced(AnyRef to = {}) {
        require_carrier<C>();
        std::optional<Bounce> bounce = loop_->next_bounce(fields::full_type_name<C>(), to.id);
        if (!bounce) return std::nullopt;
        return restored<C>(std::move(*bounce));
    }

    // How many there are for next_bounced().
    template <class C>
    [[nodiscard]] std::size_t bounced_count() const {
        require_carrier<C>();
        return loop_->count_bounces(fields::full_type_name<C>());
    }

    // Starts a program as an actor and waits until it is ready. It ends with this actor at the latest.
    template <class P>
    Result<Ref<P>> spawn(const Program& program) {
        Result<coordinator::Spawned> spawned = spawn_program(program, fingerprint_of(describe_protocol<P>()));
        if (!spawned) return spawned.error();
        return Ref<P>{spawned->actor.id, loop_->session()};
    }

    // The same without waiting; for many at once, and for who has other things to do meanwhile.
    [[nodiscard]] Result<Pending<coordinator::Spawned>> spawn_later(const Program& program, std::uint64_t fingerprint);
    // Ends these actors and their children by the ladder (asked, SIGTERM, SIGKILL), without waiting for it.
    [[nodiscard]] Result<Pending<std::vector<coordinator::Ended>>> stop_later(std::vector<AnyRef> actors,
                                                                              Duration deadline = limits::stop_deadline);
    // Ends a spawned actor by SIGKILL.
    Result<void> kill(AnyRef actor);
    // on_exited tells of that actor's end, though this one never sent anything to it. Its name; `gone`: it has ended already.
    Result<std::string> watch(AnyRef actor);

    // Waits until `done`, which is asked whenever something has come; `timed_out` at the deadline, `stopping`.
    // Answers and news of exits come meanwhile, an actor's other commands wait.
    Result<void> wait_for(const std::function<bool()>& done, Duration deadline);

    // Ends this actor after the command in hand. What the inbox still holds is reported as dead letters.
    void stop() {
        loop_->thread().require();
        loop_->stop(false);
    }

    // ---- facts
    [[nodiscard]] const std::string& name() const noexcept { return loop_->name(); }
    [[nodiscard]] ActorId id() const noexcept { return loop_->me(); }
    template <class P>
    [[nodiscard]] Ref<P> self() const noexcept {
        return Ref<P>{loop_->me(), loop_->session()};
    }
    // Whose command is in hand: who sent it, as its connection proves. Nobody between commands.
    [[nodiscard]] AnyRef sender() const noexcept {
        return AnyRef{loop_->sender(), loop_->sender().is_somebody() ? loop_->session() : SessionTag{}};
    }
    // Whose answer that actor waits for at this moment, and in which of its asks; nothing of one that does not wait,
    // that does not get to run (SIGSTOP, a busy machine), or has ended. A photograph, taken without a message.
    [[nodiscard]] std::optional<Vitals::Wait> wait_of(AnyRef actor) const;
    // What the spawner gave along.
    [[nodiscard]] std::span<const std::string> arguments() const noexcept { return arguments_; }
    // The address of another actor by its name in the roster.
    template <class P>
    Result<Ref<P>> find(std::string_view name) {
        Result<coordinator::Spawned> found = find_actor(name, fingerprint_of(describe_protocol<P>()));
        if (!found) return found.error();
        return Ref<P>{found->actor.id, loop_->session()};
    }
    [[nodiscard]] bool is_stopping() const noexcept { return loop_->is_stopping(); }
    [[nodiscard]] Instant now() const { return loop_->clock().now(); }
    [[nodiscard]] Log& log() const noexcept { return loop_->log(); }

    // For the runtime.
    [[nodiscard]] Loop& loop() const noexcept { return *loop_; }
    void send_at_once() noexcept { urgency_ = Loop::Urgency::now; }
    [[nodiscard]] Result<coordinator::Spawned> find_actor(std::string_view name, std::uint64_t fingerprint);

private:
    // Why this context can make no segment.
    [[nodiscard]] std::optional<Error> cannot_hold() const;
    [[nodiscard]] Result<coordinator::Spawned> spawn_program(const Program& program, std::uint64_t fingerprint);

    // The plain type of a command given to send, ask or request.
    template <class P, class C>
    struct Checked {
        using type = std::remove_cvref_t<C>;
        static_assert(AcceptedBy<P, type>, "this command is not in the receiver's protocol");
        static_assert(!carries_held<type>() || !std::is_lvalue_reference_v<C>,
                      "a command that carries a segment is moved, not copied: send(to, std::move(command))");
    };
    template <class P, class C>
    using checked_command = typename Checked<P, C>::type;
    template <class C>
    static constexpr void require_carrier() {
        static_assert(carries_held<C>(), "this command carries no segment, lease or slice, so it never comes back: nobody is told "
                                         "of a command that its receiver has not handled");
    }

    // One command on its way out. Its bytes are nobody else's meanwhile: a wait may serve whoever sends, too. The memory
    // that they took is used for the next one.
    struct Outgoing {
        template <class C>
        Outgoing(Context& context, const C& command)
            : context_(context), body(std::move(context.spare_body_)), parcel(std::move(context.spare_parcel_)) {
            body.clear();
            parcel.holdings.clear();
            if constexpr (carries_held<C>()) {
                parcel.type = fields::full_type_name<C>();
                Encoder encoder{body, parcel.holdings};
                encode(encoder, command);
            } else {
                Encoder encoder{body};
                encode(encoder, command);
            }
        }
        Outgoing(const Outgoing&) = delete;
        Outgoing& operator=(const Outgoing&) = delete;
        ~Outgoing() {
            context_.spare_body_ = std::move(body);
            context_.spare_parcel_ = std::move(parcel);
        }

    private:
        Context& context_;

    public:
        Buffer body;
        Parcel parcel;
    };
    template <class C>
    std::optional<Bounced<C>> restored(Bounce bounce) {
        Arrivals returned{loop_->holdings(), std::move(bounce.holdings)};
        Unpacker unpacker;
        std::size_t offset = 0;
        Bounced<C> out{{}, AnyRef{bounce.to, loop_->session()}, std::move(bounce.why)};
        Decoding at{bounce.tag, &returned, loop_->session()};
        const Result<Value> body = unpacker.next(bounce.body, offset);
        if (!body || !decode(*body, out.command, at)) return std::nullopt;
        return out;
    }

    Loop* loop_;
    std::vector<std::string> arguments_;
    Buffer spare_body_;
    Parcel spare_parcel_;
    // Within a handler what waits goes out when it returns; outside of one nobody would send it later.
    Loop::Urgency urgency_ = Loop::Urgency::may_share;
};

template <class R>
bool Pending<R>::ready() {
    if (loop_ == nullptr) return false;
    static_cast<void>(loop_->serve(nullptr, [this] { return loop_->is_settled(ask_); },
                                   Deadline{loop_->clock().now()}));
    return loop_->is_settled(ask_);
}

template <class R>
Result<R> Pending<R>::get(Duration deadline) {
    Loop* loop = std::exchange(loop_, nullptr);
    if (loop == nullptr) return Error{ErrorKind::refused, "the outcome of this request has been taken already"};
    // Another thread's call has changed nothing, and an exception out of the wait leaves it to be waited for again.
    if (!loop->thread().is_this()) return (loop_ = loop)->thread().refusal();
    const auto outcome = [&] {
        try {
            return loop->await(ask_, Deadline::in(loop->clock(), deadline));
        } catch (...) {
            loop_ = loop;
            throw;
        }
    };
    return decoded_reply<R>(outcome());
}

template <class R>
Result<R> Pending<R>::get_word(Duration deadline) {
    if (loop_ == nullptr) return Error{ErrorKind::refused, "the outcome of this request has been taken already"};
    // What throws out of the wait leaves the ask to cancel().
    Result<ReplyFrame> reply = loop_->await_word(ask_, Deadline::in(loop_->clock(), deadline));
    loop_ = nullptr;
    return decoded_reply<R>(std::move(reply));
}

}  // namespace baton
