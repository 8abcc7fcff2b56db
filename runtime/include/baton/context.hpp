#pragma once
// Context: all that an actor may do to the world: send and ask, hold memory, start and stop others, wait, and a few facts.
// Handed to the actor's constructor and valid as long as the actor lives. One thread: the actor's.
//
// Every wait has a limit (a timeout or a deadline, Within) and ends at a stop, and as `gone` when the coordinator has died.
// What can fail says so by its Result; a command that was not accepted is still yours to send again. Another thread is
// refused, and ends the process where a call can't refuse.

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <baton/detail/convert.hpp>
#include <baton/detail/description.hpp>
#include <baton/exit.hpp>
#include <baton/limits.hpp>
#include <baton/log.hpp>
#include <baton/protocol.hpp>
#include <baton/ref.hpp>
#include <baton/segment.hpp>
#include <baton/time.hpp>

namespace baton {

class Context;

namespace detail {

struct Bounce;

// The outcome to come of one ask, without its type. Move-only.
class PendingReply {
public:
    PendingReply() = default;
    PendingReply(Loop& loop, std::uint64_t ask) : loop_(&loop), ask_(ask) {}
    PendingReply(PendingReply&& other) noexcept : loop_(std::exchange(other.loop_, nullptr)), ask_(other.ask_) {}
    PendingReply& operator=(PendingReply&& other) noexcept {
        if (this != &other) {
            cancel();
            loop_ = std::exchange(other.loop_, nullptr);
            ask_ = other.ask_;
        }
        return *this;
    }
    ~PendingReply() { cancel(); }

    [[nodiscard]] bool ready();
    [[nodiscard]] bool is_settled() const;
    // The outcome into `out`, which `read` knows the type of.
    [[nodiscard]] Result<void> take(Within within, convert::ReadInto read, void* out);
    [[nodiscard]] Result<void> take_word(Within within, convert::ReadInto read, void* out);
    void cancel() noexcept;

private:
    Loop* loop_ = nullptr;  // nullptr: taken, or never asked
    std::uint64_t ask_ = 0;
};

// What the coordinator says of a spawn, as the address of the actor.
[[nodiscard]] bool read_spawned(Value from, AnyRef& out, Decoding& at);

template <class R>
inline constexpr convert::ReadInto reply_reader = &convert::read_into<R>;
template <class P>
inline constexpr convert::ReadInto spawned_reader = [](Value from, void* out, Decoding& at) {
    AnyRef actor;
    const bool fine = read_spawned(from, actor, at);
    *static_cast<Ref<P>*>(out) = Ref<P>{actor.id, actor.session};
    return fine;
};

}  // namespace detail

// A reply that has not arrived yet. Move-only; destroying it discards the reply. An empty one answers `refused`.
template <class R>
class Pending {
public:
    Pending() = default;
    explicit Pending(detail::PendingReply reply, detail::convert::ReadInto read = detail::reply_reader<R>)
        : reply_(std::move(reply)), read_(read) {}

    // Has the outcome come? Looks once, without waiting.
    [[nodiscard]] bool ready() { return reply_.ready(); }
    // The same without looking, as far as is known: what a condition for Context::wait_for may ask.
    [[nodiscard]] bool is_settled() const { return reply_.is_settled(); }
    // Waits for the outcome: reply, error of the handler, gone, timed_out, stopping. Once: afterwards the Pending is
    // empty, and `refused` is all it answers.
    [[nodiscard]] Result<R> get(Within within) { return taken(&detail::PendingReply::take, within); }
    // The same of somebody who answers at once what can be answered at once: with no time left the outcome is what that
    // one says now, `timed_out` where it says nothing.
    [[nodiscard]] Result<R> get_word(Within within) { return taken(&detail::PendingReply::take_word, within); }
    void cancel() noexcept { reply_.cancel(); }

private:
    [[nodiscard]] Result<R> taken(Result<void> (detail::PendingReply::*take)(Within, detail::convert::ReadInto, void*), Within within) {
        R out{};
        if (Result<void> done = (reply_.*take)(within, read_, &out); !done) return std::move(done.error());
        return out;
    }
    detail::PendingReply reply_;
    detail::convert::ReadInto read_ = detail::reply_reader<R>;
};

// A segment of the session that several share under a name: what create_or_attach() answers.
struct CreatedOrAttached {
    Lent lent;    // if this actor has created it: the name and the memory stand as long as this. Empty: another has it
    Slice slice;  // all of it
    [[nodiscard]] bool was_created() const { return static_cast<bool>(lent); }
};

// An actor has ended: who, and how.
using PeerExited = Ended;

// A command that came back with what it carried, and why. The segments in it are the sender's again.
template <class C>
struct Bounced {
    using CommandType = C;
    C command;
    AnyRef to;
    Error why;
};

namespace detail {

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

// One command on its way out. Its bytes are nobody else's until it has gone: a wait may serve others that send, too. The
// memory that they took is used for the next one.
class Outgoing {
public:
    template <class C>
    Outgoing(Context& context, const C& command) : Outgoing(context) {
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
    ~Outgoing();

    Buffer body;
    Parcel parcel;

private:
    explicit Outgoing(Context& context);
    Context& context_;
};

}  // namespace detail

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
    explicit Context(detail::Loop& loop, std::vector<std::string> arguments = {});
    ~Context();
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    // ---- the five verbs
    // Delivers without a reply. ok() means: on its way, in order behind what was sent to `to` before. When
    // the receiver is behind, waits (back-pressure) until the deadline, then `overloaded`.
    template <class P, class C>
    Result<void> send(const Ref<P>& to, C&& command, Within within = limits::send_deadline) {
        using Plain = checked_command<P, C>;
        return send_body(AnyRef{to}, detail::command_name<Plain>, {*this, std::as_const(command)}, within);
    }

    // Delivers and waits for the reply; other commands wait meanwhile (no re-entrance). Where whoever is asked waits
    // for this actor in turn, one of them is told so as `timed_out` with the circle's names, long before its deadline.
    // After any failure the segments that the receiver had not accepted are still in `command`.
    template <class P, class C>
    auto ask(const Ref<P>& to, C&& command, Within within = limits::ask_deadline)
        -> Result<detail::reply_of<C>> {
        using Plain = checked_command<P, C>;
        typename Plain::Reply reply{};
        Result<void> done = ask_body(AnyRef{to}, detail::command_name<Plain>, {*this, std::as_const(command)}, within,
                                     detail::reply_reader<typename Plain::Reply>, &reply);
        if (!done) return std::move(done.error());
        return reply;
    }

    // Delivers, and gives a Pending to wait for later: the way to ask many at once.
    template <class P, class C>
    auto request(const Ref<P>& to, C&& command, Within within = limits::send_deadline)
        -> Result<Pending<detail::reply_of<C>>> {
        using Plain = checked_command<P, C>;
        Result<detail::PendingReply> pending =
            request_body(AnyRef{to}, detail::command_name<Plain>, {*this, std::as_const(command)}, within);
        if (!pending) return std::move(pending.error());
        return Pending<typename Plain::Reply>{std::move(*pending)};
    }

    // ---- segments (runtime/segment.hpp). A command that carries some is moved into send, ask or request; it is
    // still whole when that is refused. What comes back later, because the receiver died or refused the command,
    // is given to on_bounced.
    // Memory of so many bytes, not cleared. Waits for memory to come home; `overloaded` when none has come by the
    // deadline.
    Result<Segment> create(std::uint64_t bytes, Within within = limits::memory_deadline) {
        return create_as(Layout{"|u1", {bytes}}, within);
    }
    // An array of T: create_array<double>({rows, columns}).
    template <Shareable T>
    Result<Segment> create_array(std::vector<std::uint64_t> shape, Within within = limits::memory_deadline) {
        return create_as(Layout{detail::element_type<T>(), std::move(shape)}, within);
    }
    Result<Segment> create_as(Layout layout, Within within = limits::memory_deadline);
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
    Result<Held> look_up(const std::string& name, Within within = Duration::zero()) {
        static_assert(std::is_same_v<Held, Lease> || std::is_same_v<Held, Slice>, "what is looked up is a Lease or a Slice");
        Held held;
        if (Result<void> found = look_up_held(held, name, Held::held_kind, within); !found) return std::move(found.error());
        return held;
    }
    // The segment of that name, to be shared: of those who want it at the same time one creates it, and all others
    // attach to that one. The creator's is cleared and given to `fill` before anybody else sees it. `refused` where the
    // one that is there has another type or shape.
    template <Shareable T>
    Result<CreatedOrAttached> create_or_attach(const std::string& name, std::vector<std::uint64_t> shape,
                                               const std::function<void(std::span<T>)>& fill = {},
                                               Within within = limits::memory_deadline) {
        std::function<void(Segment&)> filled;
        if (fill) filled = [&fill](Segment& fresh) { fill(fresh.as<T>()); };
        return create_or_attach_as(name, Layout{detail::element_type<T>(), std::move(shape)}, filled, within);
    }
    Result<CreatedOrAttached> create_or_attach_as(const std::string& name, Layout layout, const std::function<void(Segment&)>& fill,
                                                  Within within = limits::memory_deadline);
    // Calls `take(Bounced<C>)` for every command C of ours that came back with its segments, between commands.
    // Without a taker the segments are released and a warning is logged.
    template <class Take>
    void on_bounced(Take take) {
        using B = typename detail::BouncedOf<decltype(&Take::operator())>::type;
        using C = typename B::CommandType;
        require_carrier<C>();
        on_returned(detail::fields::full_type_name<C>(), [this, take = std::move(take)](detail::Bounce& bounce) mutable {
            if (std::optional<B> bounced = restored<C>(bounce); bounced) take(std::move(*bounced));
        });
    }
    // Calls `take` when an actor has ended with which this one has had to do (it had sent to it, or lent it
    // something), between commands: name and exit. Its leases are in again by then.
    void on_exited(std::function<void(const PeerExited&)> take);
    // The next C that came back, where nobody has called on_bounced; for scenarios, and within a handler. With `to` of
    // those that were sent there.
    template <class C>
    std::optional<Bounced<C>> next_bounced(AnyRef to = {}) {
        require_carrier<C>();
        const std::shared_ptr<detail::Bounce> bounce = next_returned(detail::fields::full_type_name<C>(), to.id);
        if (bounce == nullptr) return std::nullopt;
        return restored<C>(*bounce);
    }

    // How many there are for next_bounced().
    template <class C>
    [[nodiscard]] std::size_t bounced_count() const {
        require_carrier<C>();
        return returned_count(detail::fields::full_type_name<C>());
    }

    // Starts a program as an actor and waits until it is ready. It ends with this actor at the latest.
    template <class P>
    Result<Ref<P>> spawn(const Program& program) {
        Result<AnyRef> spawned = spawn_program(program, fingerprint<P>());
        if (!spawned) return std::move(spawned.error());
        return Ref<P>{spawned->id, spawned->session};
    }

    // The same without waiting: for many at once, or with other things to do in the meantime.
    template <class P>
    [[nodiscard]] Result<Pending<Ref<P>>> spawn_later(const Program& program) {
        Result<detail::PendingReply> pending = spawn_program_later(program, fingerprint<P>());
        if (!pending) return std::move(pending.error());
        return Pending<Ref<P>>{std::move(*pending), detail::spawned_reader<P>};
    }
    // Ends these actors and their children by the ladder (asked, SIGTERM, SIGKILL), without waiting for it.
    [[nodiscard]] Result<Pending<std::vector<Ended>>> stop_later(std::vector<AnyRef> actors, Within within = limits::stop_deadline);
    // Ends a spawned actor by SIGKILL.
    Result<void> kill(AnyRef actor);
    // on_exited tells of that actor's end, though this one never sent anything to it. Its name; `gone`: it has ended already.
    Result<std::string> watch(AnyRef actor);

    // Waits until `done`, which is asked whenever something has come; `timed_out` at the deadline, `stopping`.
    // Answers and news of exits come meanwhile, an actor's other commands wait.
    Result<void> wait_for(const std::function<bool()>& done, Within within);

    // Ends this actor after the command in hand. What the inbox still holds is reported as dead letters.
    void stop();

    // ---- facts
    [[nodiscard]] const std::string& name() const noexcept;
    [[nodiscard]] ActorId id() const noexcept;
    template <class P>
    [[nodiscard]] Ref<P> self() const noexcept {
        return Ref<P>{id(), session()};
    }
    // Whose command is in hand: who sent it, as its connection proves. Nobody between commands.
    [[nodiscard]] AnyRef sender() const noexcept;
    // Which actor another one waits for in an ask(), and the number of that ask among its own. Empty if it is not waiting,
    // does not get to run (stopped, or starved of CPU), or has exited. A snapshot from shared memory; sends no message.
    struct Wait {
        ActorId whom;
        std::uint64_t ask = 0;
        bool operator==(const Wait&) const = default;
    };
    [[nodiscard]] std::optional<Wait> wait_of(AnyRef actor) const;
    // What the spawner gave along.
    [[nodiscard]] std::span<const std::string> arguments() const noexcept { return arguments_; }
    // The address of another actor by its name in the roster.
    template <class P>
    Result<Ref<P>> find(std::string_view name) {
        Result<AnyRef> found = find_actor(name, fingerprint<P>());
        if (!found) return std::move(found.error());
        return Ref<P>{found->id, found->session};
    }
    [[nodiscard]] bool is_stopping() const noexcept;
    [[nodiscard]] const Clock& clock() const noexcept;
    [[nodiscard]] Instant now() const { return clock().now(); }
    // The point in time that is so far away from now; of a deadline, itself.
    [[nodiscard]] Deadline deadline(Within within) const { return within.deadline(clock()); }
    [[nodiscard]] Log& log() const noexcept;

private:
    friend struct detail::Access;
    friend class detail::Outgoing;
    using Outgoing = detail::Outgoing;

    // The plain type of a command given to send, ask or request.
    template <class P, class C>
    struct Checked {
        using type = std::remove_cvref_t<C>;
        static_assert(AcceptedBy<P, type>, "this command is not in the receiver's protocol");
        static_assert(!detail::carries_held<type>() || !std::is_lvalue_reference_v<C>,
                      "a command that carries a segment is moved, not copied: send(to, std::move(command))");
    };
    template <class P, class C>
    using checked_command = typename Checked<P, C>::type;
    template <class C>
    static constexpr void require_carrier() {
        static_assert(detail::carries_held<C>(), "this command carries no segment, lease or slice, so it never comes back: nobody "
                                                 "is told of a command that its receiver has not handled");
    }
    template <class P>
    [[nodiscard]] static std::uint64_t fingerprint() {
        return detail::fingerprint_of(detail::describe_protocol<P>());
    }

    // The parts that need no template.
    [[nodiscard]] SessionTag session() const noexcept;
    [[nodiscard]] Result<void> send_body(const AnyRef& to, std::string_view command, const Outgoing& out, Within within);
    [[nodiscard]] Result<void> ask_body(const AnyRef& to, std::string_view command, const Outgoing& out, Within within,
                                        detail::convert::ReadInto read, void* reply);
    [[nodiscard]] Result<detail::PendingReply> request_body(const AnyRef& to, std::string_view command, const Outgoing& out, Within within);
    [[nodiscard]] Result<AnyRef> spawn_program(const Program& program, std::uint64_t fingerprint);
    [[nodiscard]] Result<detail::PendingReply> spawn_program_later(const Program& program, std::uint64_t fingerprint);
    [[nodiscard]] Result<AnyRef> find_actor(std::string_view name, std::uint64_t fingerprint);
    // Of any kind, if none is given.
    [[nodiscard]] Result<void> look_up_held(detail::HeldMemory& out, const std::string& name, std::optional<detail::HandleKind> kind, Within within);
    void on_returned(std::string_view type, std::function<void(detail::Bounce&)> take);
    [[nodiscard]] std::shared_ptr<detail::Bounce> next_returned(std::string_view type, ActorId to);
    [[nodiscard]] std::size_t returned_count(std::string_view type) const;
    // What came back, into `command`, which `read` knows the type of.
    [[nodiscard]] bool read_returned(detail::Bounce& bounce, detail::convert::ReadInto read, void* command, AnyRef& to, Error& why);
    // Why this context can make no segment.
    [[nodiscard]] std::optional<Error> cannot_hold() const;

    template <class C>
    std::optional<Bounced<C>> restored(detail::Bounce& bounce) {
        Bounced<C> out;
        if (!read_returned(bounce, detail::reply_reader<C>, &out.command, out.to, out.why)) return std::nullopt;
        return out;
    }

    detail::Loop* loop_;
    std::vector<std::string> arguments_;
    detail::Buffer spare_body_;
    detail::Parcel spare_parcel_;
    // Within a handler what waits goes out when it returns; outside of one nobody would send it later.
    bool sends_at_once_ = false;
};

}  // namespace baton
