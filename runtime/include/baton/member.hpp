#pragma once
// Member: what every member of a session can do, an actor (through its Context) and a scenario alike. Each verb is
// declared once, in detail::Verbs below. The two faces differ in how a verb fails: in an actor it returns a Result, in
// a scenario it returns the value itself and throws ErrorException (detail::Returning and Throwing).
//
// Every wait has a limit (Within: a timeout or a deadline). It also ends as `stopping` when this member is told to
// stop, and as `gone` when the coordinator has died. A command that was not accepted is still yours, to be sent again.
//
// One thread: the one that created the member. Calls from another thread are refused, or end the process if the call
// can't return an error.

#include <fmt/format.h>

#include <concepts>
#include <csignal>
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
#include <baton/detail/positional.hpp>
#include <baton/exit.hpp>
#include <baton/limits.hpp>
#include <baton/log.hpp>
#include <baton/pending.hpp>
#include <baton/protocol.hpp>
#include <baton/ref.hpp>
#include <baton/segment.hpp>
#include <baton/spawn.hpp>
#include <baton/time.hpp>

namespace baton {

class Member;

namespace detail {

class Directory;
struct Bounce;
struct WaitEdge;

// One command on its way out. Nothing else uses its bytes until it has been sent, even if code that runs during a wait
// sends commands too. Their memory is reused for the next command.
class Outgoing {
public:
    template <class C>
    Outgoing(Member& member, const C& command) : Outgoing(member) {
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
    explicit Outgoing(Member& member);
    Member& member_;
};

}  // namespace detail

// What is the same for both faces and does not depend on the type of a command.
class Member {
public:
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;

    using CreatedOrAttached = detail::CreatedOrAttached;

    [[nodiscard]] const std::string& name() const noexcept;
    [[nodiscard]] ActorId id() const noexcept;
    // This member's address, as an actor of protocol P.
    template <class P>
    [[nodiscard]] Ref<P> self() const noexcept {
        return Ref<P>{id(), session()};
    }
    // The command-line arguments; those of an actor come from its spawner.
    [[nodiscard]] std::span<const std::string> arguments() const noexcept { return arguments_; }
    [[nodiscard]] bool is_stopping() const noexcept;
    [[nodiscard]] Instant now() const;
    // The deadline for a timeout that begins now; a deadline is returned as it is.
    [[nodiscard]] Deadline deadline(Within within) const;
    [[nodiscard]] const detail::Clock& clock() const noexcept;
    [[nodiscard]] Log& log() const noexcept;

    // For an actor that keeps what others wait for, such as locks: the waits of one circle in which none can ever end.
    // It consists of `kept`, waits for an answer of this actor, and of waits of others for answers or for room. Empty
    // if there is none. A snapshot from shared memory; sends no message. See <baton/deadlock.hpp>.
    [[nodiscard]] std::vector<detail::WaitEdge> find_deadlock(std::vector<detail::WaitEdge> kept) const;

    // Calls `take(Bounced<C>)`, between commands, for every command C of ours that came back with its segments. If no
    // such function is set, the segments are released and a warning is logged.
    template <class Take>
    void on_bounced(Take take) {
        using B = typename detail::BouncedOf<decltype(&Take::operator())>::type;
        using C = typename B::CommandType;
        require_carrier<C>();
        on_returned(detail::fields::full_type_name<C>(),
                    [this, take = std::move(take)](detail::Bounce& bounce) mutable {
                        if (std::optional<B> bounced = restored<C>(bounce); bounced) take(std::move(*bounced));
                    });
    }
    // The next C that came back, if on_bounced was not called for C; for scenarios, and within a handler. With `to`,
    // only commands that were sent to that actor.
    template <class C>
    std::optional<Bounced<C>> next_bounced(AnyRef to = {}) {
        require_carrier<C>();
        const std::shared_ptr<detail::Bounce> bounce = next_returned(detail::fields::full_type_name<C>(), to.id);
        if (bounce == nullptr) return std::nullopt;
        return restored<C>(*bounce);
    }
    // How many commands C are waiting for next_bounced().
    template <class C>
    [[nodiscard]] std::size_t bounced_count() const {
        require_carrier<C>();
        return returned_count(detail::fields::full_type_name<C>());
    }
    // Calls `take`, between commands, whenever an actor exits that this member has sent to, lent memory to or watches.
    // Its leases have been returned by then.
    void on_exited(std::function<void(const Ended&)> take);
    // Calls `take`, between commands, whenever an actor has died and left a segment to this member
    // (Segment::name_heirs). An actor without such a function declines what it has not asked for with inherited(), and
    // the next heir gets it.
    void on_inherited(std::function<void(Inherited)> take);
    // For libraries that have something of their own to do while this member serves others: calls `look` between
    // commands, as long as what is returned lives. That is whenever something has come, and when the deadline that
    // `look` returned last has passed; in a scenario it is during waits.
    [[nodiscard]] std::shared_ptr<void> between_commands(std::function<Deadline()> look);
    // No one attaches to the segment any more; what has been attached stays. Does nothing if it is not published.
    void withdraw(const Loan& loan);

protected:
    Member(detail::Loop& loop, std::vector<std::string> arguments);
    Member(detail::Directory& directory, std::vector<std::string> arguments);
    ~Member();

    friend struct detail::Access;
    friend class detail::Outgoing;
    using Outgoing = detail::Outgoing;

    // The plain type of a command given to send, ask or request.
    template <class P, class C>
    struct Checked {
        using type = std::remove_cvref_t<C>;
        static_assert(detail::AcceptedBy<P, type>, "this command is not in the receiver's protocol");
        static_assert(!detail::carries_held<type>() || !std::is_lvalue_reference_v<C>,
                      "a command that carries a segment is moved, not copied: send(to, std::move(command))");
    };
    template <class P, class C>
    using checked_command = typename Checked<P, C>::type;
    template <class C>
    static constexpr void require_carrier() {
        static_assert(detail::carries_held<C>(),
                      "this command carries no segment, lease or slice, so it never comes back: nobody "
                      "is told of a command that its receiver has not handled");
    }
    template <class P>
    [[nodiscard]] static std::uint64_t fingerprint() {
        static const std::uint64_t known = detail::fingerprint_of(detail::describe_protocol<P>());
        return known;
    }
    template <class P>
    [[nodiscard]] static Ref<P> typed(const AnyRef& ref) noexcept {
        return Ref<P>{ref.id, ref.session};
    }

    // ---- the verbs without types
    [[nodiscard]] detail::SessionTag session() const noexcept;
    [[nodiscard]] Result<void> send_body(const AnyRef& to, std::string_view command, const Outgoing& out,
                                         Within within);
    // Without a copy of it, if its receiver reads commands of the protocol by position; nothing: it does not.
    [[nodiscard]] std::optional<Result<void>> send_in_place(const AnyRef& to, std::string_view command,
                                                            const detail::positional::CommandBody& body, Within within);
    // The same with an answer; of asks that could not begin it says why.
    [[nodiscard]] std::optional<Result<void>> ask_in_place(const AnyRef& to, std::string_view command,
                                                           const detail::positional::CommandBody& body, Within within,
                                                           const detail::BodyReader& read, void* reply);
    [[nodiscard]] std::optional<Result<detail::PendingReply>> request_in_place(
        const AnyRef& to, std::string_view command, const detail::positional::CommandBody& body, Within within);
    template <class P, class C>
    [[nodiscard]] Result<void> ask_one(const AnyRef& to, const C& command, Within within,
                                       const detail::BodyReader& read, void* reply) {
        if constexpr (!detail::carries_held<C>())
            if (std::optional<Result<void>> asked =
                    ask_in_place(to, detail::command_name<C>, detail::positional::body_of(command, &fingerprint<P>),
                                 within, read, reply);
                asked)
                return std::move(*asked);
        return ask_body(to, detail::command_name<C>, {*this, command}, within, read, reply);
    }
    template <class P, class C>
    [[nodiscard]] Result<detail::PendingReply> request_one(const AnyRef& to, const C& command, Within within) {
        if constexpr (!detail::carries_held<C>())
            if (std::optional<Result<detail::PendingReply>> requested =
                    request_in_place(to, detail::command_name<C>,
                                     detail::positional::body_of(command, &fingerprint<P>), within);
                requested)
                return std::move(*requested);
        return request_body(to, detail::command_name<C>, {*this, command}, within);
    }
    template <class P, class C>
    [[nodiscard]] Result<void> send_one(const AnyRef& to, const C& command, Within within) {
        if constexpr (!detail::carries_held<C>())
            if (std::optional<Result<void>> sent =
                    send_in_place(to, detail::command_name<C>, detail::positional::body_of(command, &fingerprint<P>),
                                  within);
                sent)
                return std::move(*sent);
        return send_body(to, detail::command_name<C>, {*this, command}, within);
    }
    [[nodiscard]] Result<void> send_body_after(Duration delay, const AnyRef& to, std::string_view command,
                                               const Outgoing& out);
    [[nodiscard]] Result<void> ask_body(const AnyRef& to, std::string_view command, const Outgoing& out, Within within,
                                        const detail::BodyReader& read, void* reply);
    [[nodiscard]] Result<detail::PendingReply> request_body(const AnyRef& to, std::string_view command,
                                                            const Outgoing& out, Within within);

    [[nodiscard]] Result<std::vector<AnyRef>> spawn_programs(const std::vector<SpawnOptions>& programs,
                                                             std::uint64_t fingerprint);
    [[nodiscard]] Result<detail::PendingReply> spawn_program_later(const SpawnOptions& program,
                                                                   std::uint64_t fingerprint);
    [[nodiscard]] Result<AnyRef> find_actor(std::string_view name, std::uint64_t fingerprint);
    // The present life of the actor of that name, which is not the one that is `gone`; waits for it.
    [[nodiscard]] Result<AnyRef> find_life(const std::string& name, std::uint64_t fingerprint, ActorId gone,
                                           Deadline end);
    // What `begin` says of the present life. It is tried again with the next one as long as it says `gone`: then the
    // command has not been accepted.
    template <class P, class Begin>
    [[nodiscard]] auto with_life(Named<P>& actor, Deadline end, const Begin& begin) {
        using Outcome = decltype(begin(AnyRef{}));
        ActorId gone{};
        for (;;) {
            if (!actor.held_.id.is_somebody()) {
                Result<AnyRef> found = find_life(actor.name_, fingerprint<P>(), gone, end);
                if (!found) return Outcome{std::move(found).error()};
                actor.held_ = *found;
            }
            Outcome outcome = begin(actor.held_);
            if (outcome || outcome.error().kind != ErrorKind::gone) return outcome;
            gone = std::exchange(actor.held_, AnyRef{}).id;
        }
    }
    [[nodiscard]] Result<std::vector<Ended>> stop_actors(std::vector<AnyRef> actors, Within within);
    [[nodiscard]] Result<Ended> stop_actor(AnyRef actor, Within within);
    [[nodiscard]] Result<Pending<std::vector<Ended>>> stop_actors_later(std::vector<AnyRef> actors, Within within);
    [[nodiscard]] Result<void> signal_actor(AnyRef actor, int number);
    [[nodiscard]] Result<Ended> join_actor(AnyRef actor, Within within);
    [[nodiscard]] Result<void> link_actors(AnyRef one, AnyRef other);
    [[nodiscard]] Result<void> unlink_actors(AnyRef one, AnyRef other);
    [[nodiscard]] Result<Exit> exit_of_actor(AnyRef actor);
    [[nodiscard]] Result<std::string> watch_actor(AnyRef actor);
    [[nodiscard]] Result<std::vector<RosterRow>> roster_rows(bool with_exited);
    [[nodiscard]] Result<void> sync_with(std::span<const AnyRef> actors, Within within);
    [[nodiscard]] Result<void> wait_until(const std::function<bool()>& done, Within within);

    [[nodiscard]] Result<Segment> create_with(Layout layout, Within within);
    [[nodiscard]] Result<Loan> lend_segment(Segment&& segment);
    [[nodiscard]] Result<void> export_segment(Segment&& segment, const std::string& name);
    [[nodiscard]] Result<Segment> import_segment(const std::string& name, Layout layout);
    [[nodiscard]] Result<void> publish_loan(const Loan& loan, const std::string& name, Loan::Published as);
    // Of any kind, if none is given.
    [[nodiscard]] Result<void> look_up_segment(detail::SegmentBase& out, const std::string& name,
                                               std::optional<detail::HandleKind> kind, Within within);
    [[nodiscard]] Result<Inherited> take_inherited(std::string_view label, Within within);
    [[nodiscard]] Result<CreatedOrAttached> create_or_attach_with(const std::string& name, Layout layout,
                                                                  const std::function<void(Segment&)>& fill,
                                                                  Within within);

    void on_returned(std::string_view type, std::function<void(detail::Bounce&)> take);
    [[nodiscard]] std::shared_ptr<detail::Bounce> next_returned(std::string_view type, ActorId to);
    [[nodiscard]] std::size_t returned_count(std::string_view type) const;
    // What came back, into `command`, whose type `read` knows.
    [[nodiscard]] bool read_returned(detail::Bounce& bounce, detail::convert::ReadInto read, void* command, AnyRef& to,
                                     Error& why);
    template <class C>
    std::optional<Bounced<C>> restored(detail::Bounce& bounce) {
        Bounced<C> out;
        if (!read_returned(bounce, detail::convert::read_into<C>, &out.command, out.to, out.why)) return std::nullopt;
        return out;
    }
    // Why this member can make no segment.
    [[nodiscard]] std::optional<Error> cannot_hold() const;

    std::unique_ptr<detail::Directory> own_directory_;  // of an actor
    detail::Directory* directory_;
    detail::Loop* loop_;
    std::vector<std::string> arguments_;
    detail::Buffer spare_body_;
    detail::Parcel spare_parcel_;
    // What is sent within a handler and waits to share a frame leaves when the handler returns; outside of one nothing
    // would make it leave.
    bool sends_at_once_ = false;
};

namespace detail {

template <class Face>
class Verbs : public Member {
    template <class T>
    using Of = typename Face::template Of<T>;

public:
    // ---- messages

    // Sends a command that needs no reply. Success means that it is on its way, in order behind what was sent to `to`
    // before. If the receiver is far behind, waits for room; `overloaded` if there is none in time.
    template <class P, class C>
    Of<void> send(const Ref<P>& to, C&& command, Within within = limits::send_timeout) {
        using Plain = checked_command<P, C>;
        return Face::give(send_one<P, Plain>(AnyRef{to}, command, within));
    }
    // Sends a command once, after `delay`; the receiver may be this member itself. If it can't be sent then, it is
    // dropped with a warning.
    template <class P, class C>
    Of<void> send_after(Duration delay, const Ref<P>& to, C&& command) {
        using Plain = checked_command<P, C>;
        static_assert(!carries_held<Plain>(), "a command that carries a segment is sent at once");
        return Face::give(send_body_after(delay, AnyRef{to}, command_name<Plain>, {*this, std::as_const(command)}));
    }
    // Sends the command to each of them; returns how many took it. If that is fewer, some were gone or overloaded.
    template <class P, class C>
    std::size_t send_all(std::span<const Ref<P>> to, const C& command) {
        std::size_t taken = 0;
        for (const Ref<P>& one : to)
            if (send_one<P, checked_command<P, const C&>>(AnyRef{one}, command, limits::send_timeout)) ++taken;
        return taken;
    }
    // Sends a command and waits for its reply; in the meantime other commands wait (no re-entrance). If the receiver is
    // itself waiting for this member, one of the waits ends as `deadlock`, and its error names all members involved. An
    // ask that is given up is withdrawn: the error's is_withdrawn says whether it is certain that the command does not
    // run. After any failure the segments that the receiver had not accepted are still in `command`.
    template <class P, class C>
    Of<reply_of<C>> ask(const Ref<P>& to, C&& command, Within within = limits::ask_timeout) {
        using Plain = checked_command<P, C>;
        using R = reply_of<C>;
        return Face::give(read_reply_value<R>([&](void* reply) {
            return ask_one<P, Plain>(AnyRef{to}, command, within, reply_reader<R>, reply);
        }));
    }
    // Sends a command and returns a Pending to wait for later: the way to ask many at once.
    template <class P, class C>
    Of<Pending<reply_of<C>>> request(const Ref<P>& to, C&& command, Within within = limits::send_timeout) {
        return Face::give(requested<P, checked_command<P, C>>(AnyRef{to}, command, within));
    }
    // These three go to an actor by its name, across its lives. If it is between two lives they wait for the next one.
    template <class P, class C>
    Of<void> send(Named<P>& to, C&& command, Within within = limits::send_timeout) {
        using Plain = checked_command<P, C>;
        const Deadline end = deadline(within);
        return Face::give(
            with_life(to, end, [&](const AnyRef& life) { return send_one<P, Plain>(life, command, end); }));
    }
    template <class P, class C>
    Of<reply_of<C>> ask(Named<P>& to, C&& command, Within within = limits::ask_timeout) {
        using Plain = checked_command<P, C>;
        const Deadline end = deadline(within);
        Result<Pending<reply_of<C>>> asked = with_life(
            to, end, [&](const AnyRef& life) { return requested<P, Plain>(life, command, end); });
        if (!asked) return Face::give(Result<reply_of<C>>{std::move(asked).error()});
        return Face::give(asked->get(end));
    }
    template <class P, class C>
    Of<Pending<reply_of<C>>> request(Named<P>& to, C&& command, Within within = limits::send_timeout) {
        const Deadline end = deadline(within);
        return Face::give(with_life(
            to, end, [&](const AnyRef& life) { return requested<P, checked_command<P, C>>(life, command, end); }));
    }
    // Asks all of them at once: one outcome each, in their order, all within the same time.
    template <class P, class C>
    [[nodiscard]] std::vector<Result<reply_of<C>>> ask_all(std::span<const Ref<P>> to, const C& command,
                                                           Within within = limits::ask_timeout) {
        const Deadline end = deadline(within);
        std::vector<Result<Pending<reply_of<C>>>> pending;
        for (const Ref<P>& one : to)
            pending.push_back(requested<P, checked_command<P, const C&>>(AnyRef{one}, command, end));
        std::vector<Result<reply_of<C>>> outcomes;
        for (Result<Pending<reply_of<C>>>& one : pending)
            outcomes.push_back(one ? one->get(end) : Result<reply_of<C>>{std::move(one).error()});
        return outcomes;
    }
    // Waits until these actors have handled everything that this member sent to them before.
    Of<void> sync(std::span<const AnyRef> actors, Within within = limits::ask_timeout) {
        return Face::give(sync_with(actors, within));
    }
    // Waits until `done`, which is asked whenever something has come; `timed_out` if it never holds. Replies and exits
    // are taken in the meantime; an actor's other commands wait, a scenario's are kept for collect().
    Of<void> wait_for(const std::function<bool()>& done, Within within) { return Face::give(wait_until(done, within)); }

    // ---- other actors

    // Starts a program as an actor and waits until it is ready. It ends with this member at the latest.
    template <class P>
    Of<Ref<P>> spawn(const SpawnOptions& program) {
        return Face::give(spawn_programs({program}, fingerprint<P>()).transform([](std::vector<AnyRef> one) {
            return typed<P>(one.front());
        }));
    }
    // Several in parallel, within the longest of their timeouts. If one fails, the others are stopped again.
    template <class P>
    Of<std::vector<Ref<P>>> spawn_all(const std::vector<SpawnOptions>& programs) {
        return Face::give(spawn_programs(programs, fingerprint<P>()).transform([](const std::vector<AnyRef>& all) {
            std::vector<Ref<P>> refs;
            for (const AnyRef& one : all) refs.push_back(typed<P>(one));
            return refs;
        }));
    }
    // Like spawn(), without waiting.
    template <class P>
    Of<Pending<Ref<P>>> spawn_later(const SpawnOptions& program) {
        return Face::give(spawn_program_later(program, fingerprint<P>()).transform([](PendingReply reply) {
            return Pending<Ref<P>>{std::move(reply), spawned_reader<P>};
        }));
    }
    // The address of another actor by its name in the roster. `refused` if it speaks another protocol.
    template <class P>
    Of<Ref<P>> find(std::string_view name) {
        return Face::give(
            find_actor(name, fingerprint<P>()).transform([](const AnyRef& found) { return typed<P>(found); }));
    }
    // Stops an actor and its children by the ladder (asked, SIGTERM, SIGKILL); the exit says how it went.
    Of<Ended> stop(AnyRef actor, Within within = limits::stop_timeout) { return Face::give(stop_actor(actor, within)); }
    // Like stop(), for several actors at once.
    Of<std::vector<Ended>> stop_all(std::vector<AnyRef> actors, Within within = limits::stop_timeout) {
        return Face::give(stop_actors(std::move(actors), within));
    }
    // Like stop_all(), without waiting.
    Of<Pending<std::vector<Ended>>> stop_later(std::vector<AnyRef> actors, Within within = limits::stop_timeout) {
        return Face::give(stop_actors_later(std::move(actors), within));
    }
    // Sends a signal to the process of a spawned actor; terminate() sends SIGTERM, kill() sends SIGKILL.
    Of<void> signal(AnyRef actor, int number) { return Face::give(signal_actor(actor, number)); }
    Of<void> terminate(AnyRef actor) { return signal(actor, SIGTERM); }
    Of<void> kill(AnyRef actor) { return signal(actor, SIGKILL); }
    // Links two actors, which end together from then on: when one has ended, in whatever way, the other one is stopped,
    // and its exit names the first. If one has ended already, the other is stopped at once. It lasts until unlink(), in
    // this life of theirs; no coordinator's death ends it. Refused for members that no coordinator has started, such as
    // scenarios; `overloaded` if `one` names limits::links_max others; `gone` if there never was such an actor.
    Of<void> link(AnyRef one, AnyRef other) { return Face::give(link_actors(one, other)); }
    // From its return on, neither is stopped for the other's sake. Does nothing if they are not linked.
    Of<void> unlink(AnyRef one, AnyRef other) { return Face::give(unlink_actors(one, other)); }
    // Waits for the exit of an actor.
    Of<Ended> join(AnyRef actor, Within within) { return Face::give(join_actor(actor, within)); }
    // How an actor ended; `running` while it lives. `gone` if there never was such an actor, or if its exit has been
    // forgotten (limits::exits_kept_max).
    Of<Exit> exit_of(AnyRef actor) { return Face::give(exit_of_actor(actor)); }
    // Reports this actor's exit to on_exited even if nothing was ever sent to it. Returns its name; `gone` if it has
    // exited already.
    Of<std::string> watch(AnyRef actor) { return Face::give(watch_actor(actor)); }
    // The members of the session, by number; then, if wanted, those that have exited, in the order in which they ended.
    Of<std::vector<RosterRow>> roster(bool with_exited = false) { return Face::give(roster_rows(with_exited)); }

    // What an actor that has died has left to this member under that label, or under any if it is empty; the oldest
    // first. Waits until something has come, `timed_out` if nothing has. What an owner has left to its next life, and
    // nobody has a lease of, is there when that is constructed.
    Of<Inherited> inherited(std::string_view label = {}, Within within = Duration::zero()) {
        return Face::give(take_inherited(label, within));
    }

    // ---- segments (<baton/segment.hpp>). A command that carries some is moved into send, ask or request; it is still
    // whole if that is refused. What comes back later, because the receiver died or refused the command, is given to
    // on_bounced.

    // Memory of that size, not cleared. If memory is short, waits for segments to be released; `overloaded` if too few
    // are.
    Of<Segment> create_segment(std::uint64_t bytes, Within within = limits::memory_timeout) {
        return create_as(Layout{"|u1", {bytes}}, within);
    }
    // An array of T: create_array<double>({rows, columns}).
    template <Shareable T>
    Of<Segment> create_array(std::vector<std::uint64_t> shape, Within within = limits::memory_timeout) {
        return create_as(Layout{element_type<T>(), std::move(shape)}, within);
    }
    // An array of one dimension: create_array<double>(1000).
    template <Shareable T, std::integral Count>
    Of<Segment> create_array(Count elements, Within within = limits::memory_timeout) {
        return create_as(Layout{element_type<T>(), {static_cast<std::uint64_t>(elements)}}, within);
    }
    Of<Segment> create_as(Layout layout, Within within = limits::memory_timeout) {
        return Face::give(create_with(std::move(layout), within));
    }
    // Gives up writing, so that others may read, or write parts. After a failure the segment is still ours.
    Of<Loan> lend(Segment&& segment) { return Face::give(lend_segment(std::move(segment))); }
    // The segment outlives the session as /dev/shm/<name>, for any program that knows the name.
    Of<void> export_as(Segment&& segment, const std::string& name) {
        return Face::give(export_segment(std::move(segment), name));
    }
    // Shared memory from outside, /dev/shm/<name>, becomes a segment of this session.
    Of<Segment> import_from(const std::string& name, Layout layout) {
        return Face::give(import_segment(name, std::move(layout)));
    }

    // ---- names: within the session a segment can be found by its name, without a message

    // Others may attach to all of the loan, without asking, until it is reclaimed, released or withdrawn, or this actor
    // ends. `refused` if the name is taken, with the owner's name; of several at once the ledger lets one be first.
    Of<void> publish(const Loan& loan, const std::string& name, Loan::Published as = Loan::Published::to_read) {
        return Face::give(publish_loan(loan, name, as));
    }
    // A Lease of what is published to be read, or a Slice of what is published to be shared. Waits until something is
    // published under that name; `gone` if nothing is, `refused` if it is published the other way.
    template <class Held>
    Of<Held> look_up(const std::string& name, Within within = Duration::zero()) {
        static_assert(std::is_same_v<Held, Lease> || std::is_same_v<Held, Slice>,
                      "what is looked up is a Lease or a Slice");
        Held held;
        if (Result<void> found = look_up_segment(held, name, Held::held_kind, within); !found)
            return Face::give(Result<Held>{std::move(found).error()});
        return Face::give(Result<Held>{std::move(held)});
    }
    // The shared segment of that name: of several members that want it at the same time one creates it, and all others
    // attach to it. The creator's is cleared and given to `fill` before anybody else sees it. `refused` if the existing
    // one has another type or shape.
    template <Shareable T>
    Of<Member::CreatedOrAttached> create_or_attach(const std::string& name, std::vector<std::uint64_t> shape,
                                                   const std::function<void(std::span<T>)>& fill = {},
                                                   Within within = limits::memory_timeout) {
        std::function<void(Segment&)> filled;
        if (fill) filled = [&fill](Segment& fresh) { fill(fresh.as<T>()); };
        return create_or_attach_as(name, Layout{element_type<T>(), std::move(shape)}, filled, within);
    }
    Of<Member::CreatedOrAttached> create_or_attach_as(const std::string& name, Layout layout,
                                                      const std::function<void(Segment&)>& fill,
                                                      Within within = limits::memory_timeout) {
        return Face::give(create_or_attach_with(name, std::move(layout), fill, within));
    }

protected:
    using Member::Member;
    ~Verbs() = default;

private:
    template <class P, class C>
    [[nodiscard]] Result<Pending<reply_of<C>>> requested(const AnyRef& to, const C& command, Within within) {
        return request_one<P, C>(to, command, within).transform([](PendingReply reply) {
            return Pending<reply_of<C>>{std::move(reply)};
        });
    }
};

}  // namespace detail

}  // namespace baton
