#include <baton/member.hpp>

#include <algorithm>

#include "runtime/base/text.hpp"
#include "runtime/holdings/arrivals.hpp"
#include "runtime/inbox/access.hpp"
#include "runtime/inbox/call.hpp"
#include "runtime/process/process_facts.hpp"
#include "runtime/session/directory.hpp"

namespace baton {

using namespace detail;

namespace {

Inherited inherited_of(Loop& loop, Accepted came) {
    return {Segment{*loop.holdings(), *came.holding}, std::move(came.said.label), came.said.was_written,
            came.said.owner, std::move(came.said.name)};
}

// Between two looks for the next life of an actor whose end the coordinator has not heard of.
constexpr Duration gone_interval = std::chrono::milliseconds{5};

template <class C>
Result<PendingReply> request_of_coordinator(Loop& loop, const C& command) {
    const Result<AskId> ask =
        loop.request(coordinator_id, command_name<C>, encoded_body(command), limits::coordinator_timeout);
    if (!ask) return ask.error();
    return PendingReply{loop, *ask};
}

Result<void> read_outcome(Result<ReplyFrame> reply, const BodyReader& read, void* out) {
    if (std::optional<Error> why = read_reply(reply, read, out); why) return std::move(*why);
    return {};
}

}  // namespace

// ---- messages --------------------------------------------------------------------------------------

Outgoing::Outgoing(Member& member)
    : body(std::move(member.spare_body_)), parcel(std::move(member.spare_parcel_)), member_(member) {
    body.clear();
    parcel.holdings.clear();
}

Outgoing::~Outgoing() {
    member_.spare_body_ = std::move(body);
    member_.spare_parcel_ = std::move(parcel);
}

Member::Member(Loop& loop, std::vector<std::string> arguments)
    : own_directory_(std::make_unique<Directory>(loop)),
      directory_(own_directory_.get()),
      loop_(&loop),
      arguments_(std::move(arguments)) {}
Member::Member(Directory& directory, std::vector<std::string> arguments)
    : directory_(&directory), loop_(&directory.loop()), arguments_(std::move(arguments)) {}
Member::~Member() = default;

Result<void> Member::send_body(const AnyRef& to, std::string_view command, const Outgoing& out, Within within) {
    return loop_->send(to, command, out.body, within.deadline(loop_->clock()),
                       sends_at_once_ ? Loop::Urgency::now : Loop::Urgency::may_share, &out.parcel);
}

std::optional<Result<void>> Member::send_in_place(const AnyRef& to, std::string_view command,
                                                  const positional::CommandBody& body, Within within) {
    // What is refused is told where it would be encoded.
    if (!loop_->thread().is_this() || !to.session.fits(loop_->session())) return std::nullopt;
    return loop_->outbox().send_by_position(to.id, command, body, within);
}

std::optional<Result<void>> Member::ask_in_place(const AnyRef& to, std::string_view command,
                                                 const positional::CommandBody& body, Within within,
                                                 const BodyReader& read, void* reply) {
    if (!loop_->thread().is_this() || !to.session.fits(loop_->session())) return std::nullopt;
    if (!loop_->outbox().reads_by_position(to.id, body)) return std::nullopt;
    Outbox::Message message{.tag = command, .body = {}};
    message.by_position = &body;
    const ReplyPlace place{read.by_position, reply};
    return read_outcome(loop_->asking().ask(to.id, message, within.deadline(loop_->clock()), place), read, reply);
}

std::optional<Result<PendingReply>> Member::request_in_place(const AnyRef& to, std::string_view command,
                                                             const positional::CommandBody& body, Within within) {
    if (!loop_->thread().is_this() || !to.session.fits(loop_->session())) return std::nullopt;
    if (!loop_->outbox().reads_by_position(to.id, body)) return std::nullopt;
    Outbox::Message message{.tag = command, .body = {}};
    message.by_position = &body;
    const Result<AskId> ask =
        loop_->asking().request(to.id, message, within.deadline(loop_->clock()), Gifts::By::request);
    if (!ask) return ask.error();
    return PendingReply{*loop_, *ask};
}

Result<void> Member::send_body_after(Duration delay, const AnyRef& to, std::string_view command, const Outgoing& out) {
    return loop_->later().send_after(delay, to, command, out.body);
}

Result<void> Member::ask_body(const AnyRef& to, std::string_view command, const Outgoing& out, Within within,
                              const BodyReader& read, void* reply) {
    return read_outcome(loop_->ask(to, command, out.body, within.deadline(loop_->clock()), &out.parcel), read, reply);
}

Result<PendingReply> Member::request_body(const AnyRef& to, std::string_view command, const Outgoing& out,
                                          Within within) {
    const Result<AskId> ask = loop_->request(to, command, out.body, within.deadline(loop_->clock()), &out.parcel);
    if (!ask) return ask.error();
    return PendingReply{*loop_, *ask};
}

void Member::on_returned(std::string_view type, std::function<void(Bounce&)> take) {
    loop_->returns().on_bounced(type, [take = std::move(take)](Bounce bounce) { take(bounce); });
}

std::shared_ptr<Bounce> Member::next_returned(std::string_view type, ActorId to) {
    std::optional<Bounce> bounce = loop_->returns().next(type, to);
    return bounce ? std::make_shared<Bounce>(std::move(*bounce)) : nullptr;
}

std::size_t Member::returned_count(std::string_view type) const { return loop_->returns().count(type); }

bool Member::read_returned(Bounce& bounce, convert::ReadInto read, void* command, AnyRef& to, Error& why) {
    Arrivals returned{loop_->holdings(), std::move(bounce.parcel)};
    Unpacker unpacker;
    std::size_t offset = 0;
    Decoding at{bounce.tag, &returned, loop_->session()};
    to = AnyRef{bounce.key.to, loop_->session()};
    why = std::move(bounce.why);
    const Result<Value> body = unpacker.next(bounce.body, offset);
    return body && read(*body, command, at);
}

// ---- other actors ------------------------------------------------------------------------------------

Result<std::vector<AnyRef>> Member::spawn_programs(const std::vector<SpawnOptions>& programs,
                                                   std::uint64_t fingerprint) {
    Duration longest = Duration::zero();
    for (const SpawnOptions& program : programs) longest = std::max(longest, program.timeout);
    return directory_->spawn(programs, longest, fingerprint).transform([this](const std::vector<Spawned>& all) {
        std::vector<AnyRef> actors;
        for (const Spawned& one : all) actors.emplace_back(one.actor.id, session());
        return actors;
    });
}

Result<PendingReply> Member::spawn_program_later(const SpawnOptions& program, std::uint64_t fingerprint) {
    coordinator::Spawn spawn = directory_->command_of(program, fingerprint);
    spawn.until = until_of(Deadline::in(loop_->clock(), program.timeout));
    return request_of_coordinator(*loop_, spawn);
}

Result<AnyRef> Member::find_actor(std::string_view name, std::uint64_t fingerprint) {
    const Result<Spawned> found = directory_->find(name);
    if (!found) return found.error();
    if (fingerprint != 0 && fingerprint_of(found->protocol) != fingerprint)
        return Error{ErrorKind::refused, fmt::format("{} speaks another protocol ({}) than the one expected", name,
                                                     found->protocol.name)};
    return AnyRef{found->actor.id, loop_->session()};
}

Result<AnyRef> Member::find_life(const std::string& name, std::uint64_t fingerprint, ActorId gone, Deadline end) {
    for (;;) {
        const Result<Spawned> found = directory_->find(name, end);
        if (!found) return found.error();
        if (fingerprint != 0 && fingerprint_of(found->protocol) != fingerprint)
            return Error{ErrorKind::refused, fmt::format("{} speaks another protocol ({}) than the one expected", name,
                                                         found->protocol.name)};
        if (found->actor.id != gone) return AnyRef{found->actor.id, loop_->session()};
        // It has ended, and the coordinator is about to hear of it.
        switch (loop_->poll([] { return false; }, gone_interval, Deadline::in(loop_->clock(), gone_interval)
                                                                     .or_earlier(end))) {
            case Loop::Waited::stopping: return Error{ErrorKind::stopping, fmt::format("{} is stopping", this->name())};
            case Loop::Waited::gone: return loop_->coordinator_lost();
            case Loop::Waited::done:
            case Loop::Waited::deadline: break;
        }
        if (end.has_passed(loop_->clock()))
            return Error{ErrorKind::gone, fmt::format("{} has ended, and there is no next life of it yet", name)};
    }
}

Result<std::vector<Ended>> Member::stop_actors(std::vector<AnyRef> actors, Within within) {
    return directory_->stop(std::move(actors), within);
}

Result<Ended> Member::stop_actor(AnyRef actor, Within within) {
    return directory_->stop({actor}, within).and_then([](std::vector<Ended> ended) -> Result<Ended> {
        if (ended.empty()) return Error{ErrorKind::timed_out, "the actor has not ended before the deadline"};
        return std::move(ended.front());
    });
}

Result<Pending<std::vector<Ended>>> Member::stop_actors_later(std::vector<AnyRef> actors, Within within) {
    if (actors.empty()) return Error{ErrorKind::refused, "there is nobody to stop: name at least one actor"};
    const Deadline end = within.deadline(loop_->clock());
    return request_of_coordinator(
               *loop_, coordinator::StopActors{std::move(actors), end.left(loop_->clock()), false, until_of(end)})
        .transform([](PendingReply reply) { return Pending<std::vector<Ended>>{std::move(reply)}; });
}

Result<void> Member::signal_actor(AnyRef actor, int number) { return directory_->signal(actor, number); }
Result<Ended> Member::join_actor(AnyRef actor, Within within) { return directory_->join(actor, within); }
Result<void> Member::link_actors(AnyRef one, AnyRef other) {
    const auto done = call(*loop_, coordinator::LinkActors{one, other}, limits::coordinator_timeout);
    return done ? Result<void>{} : Result<void>{done.error()};
}
Result<void> Member::unlink_actors(AnyRef one, AnyRef other) {
    const auto done = call(*loop_, coordinator::UnlinkActors{one, other}, limits::coordinator_timeout);
    return done ? Result<void>{} : Result<void>{done.error()};
}
Result<Exit> Member::exit_of_actor(AnyRef actor) { return directory_->exit_of(actor); }
Result<std::vector<RosterRow>> Member::roster_rows(bool with_exited) { return directory_->roster(with_exited); }
Result<void> Member::sync_with(std::span<const AnyRef> actors, Within within) {
    return directory_->sync(actors, within);
}
Result<std::string> Member::watch_actor(AnyRef actor) {
    Result<std::string> name = call(*loop_, coordinator::Watch{actor}, limits::coordinator_timeout);
    if (name) loop_->control().watches_exit_of(actor.id);
    return name;
}

std::shared_ptr<void> Member::between_commands(std::function<Deadline()> look) {
    return loop_->later().look_between(std::move(look));
}
void Member::on_exited(std::function<void(const Ended&)> take) { loop_->control().on_exited(std::move(take)); }

void Member::on_inherited(std::function<void(Inherited)> take) {
    loop_->control().inheritances().on_inherited(
        [this, take = std::move(take)](Accepted came) { take(inherited_of(*loop_, std::move(came))); });
}

Result<Inherited> Member::take_inherited(std::string_view label, Within within) {
    if (std::optional<Error> why = cannot_hold(); why) return std::move(*why);
    Inheritances& inheritances = loop_->control().inheritances();
    std::optional<Accepted> came;
    Result<void> waited = wait_until([&] { return (came = inheritances.next(label)).has_value(); }, within);
    if (came) return inherited_of(*loop_, std::move(*came));
    if (waited.error().kind != ErrorKind::timed_out) return waited.error();
    return Error{ErrorKind::timed_out, label.empty() ? fmt::format("nobody has left anything to {}", name())
                                                     : fmt::format("nobody has left '{}' to {}", label, name())};
}

// ---- waiting and facts ---------------------------------------------------------------------------

Result<void> Member::wait_until(const std::function<bool()>& done, Within within) {
    if (!loop_->thread().is_this()) return loop_->thread().refusal();
    switch (loop_->wait_for(done, within.deadline(loop_->clock()))) {
        case Loop::Waited::done: return {};
        case Loop::Waited::deadline:
            return Error{ErrorKind::timed_out, "what was waited for had not come by the deadline"};
        case Loop::Waited::gone: return loop_->coordinator_lost();
        case Loop::Waited::stopping: break;
    }
    return Error{ErrorKind::stopping, fmt::format("{} is stopping", name())};
}

const std::string& Member::name() const noexcept { return loop_->name(); }
ActorId Member::id() const noexcept { return loop_->me(); }
detail::SessionTag Member::session() const noexcept { return loop_->session(); }
bool Member::is_stopping() const noexcept { return loop_->is_stopping(); }
const Clock& Member::clock() const noexcept { return loop_->clock(); }
Log& Member::log() const noexcept { return loop_->log(); }
Instant Member::now() const { return loop_->clock().now(); }
Deadline Member::deadline(Within within) const { return within.deadline(loop_->clock()); }

std::vector<detail::WaitEdge> Member::find_deadlock(std::vector<detail::WaitEdge> kept) const {
    const Vitals* vitals = loop_->vitals();
    if (vitals == nullptr || kept.empty()) return {};
    return vitals->find_deadlock(std::move(kept), id());
}

// ---- segments --------------------------------------------------------------------------------------

namespace {

// How often a create() that waits looks whether memory has been released.
constexpr Duration memory_interval = std::chrono::milliseconds{1};
// ... and how often it says that memory is short: what others release after being told stays in their own pools.
constexpr Duration memory_short_interval = std::chrono::milliseconds{20};

// The kernel would see less of it: /dev/shm/NAME ends at a zero byte.
Result<void> check_memory_name(const std::string& name) {
    const bool is_fine = !name.empty() && name.size() <= limits::name_bytes_max && printable(name) == name &&
                         name.find('/') == std::string::npos && !name.starts_with("baton-") && name != "." &&
                         name != "..";
    if (is_fine) return {};
    return Error{ErrorKind::refused,
                 fmt::format("'{}' can't be the name of shared memory: one to {} bytes of UTF-8 without '/' and "
                             "control characters, and not beginning with baton-",
                             printable(readable(name, 80)), limits::name_bytes_max)};
}

Error no_ledger() {
    return Error{ErrorKind::gone, "this process takes part in no ledger: its session is closed, or never was"};
}

}  // namespace

std::optional<Error> Member::cannot_hold() const {
    if (!loop_->thread().is_this()) return loop_->thread().refusal();
    if (loop_->holdings() == nullptr) return no_ledger();
    // What is made after the session has been swept has a name that nobody looks for any more.
    if (!loop_->control().has_session()) return loop_->coordinator_lost();
    return std::nullopt;
}

Result<Segment> Member::create_with(Layout layout, Within within) {
    const Deadline deadline = within.deadline(loop_->clock());
    if (std::optional<Error> why = cannot_hold(); why) return std::move(*why);
    Holdings* holdings = loop_->holdings();
    Result<Holding*> made = holdings->create(layout);
    if (!made && made.error().kind == ErrorKind::overloaded && !deadline.has_passed(loop_->clock())) {
        Deadline next_word{loop_->clock().now()};
        const auto has_made = [&] {
            if (next_word.has_passed(loop_->clock())) {
                static_cast<void>(tell(*loop_, coordinator::MemoryShort{}));
                next_word = Deadline::in(loop_->clock(), memory_short_interval);
            }
            made = holdings->create(layout);
            return made.ok() || made.error().kind != ErrorKind::overloaded;
        };
        const Loop::Waited waited = loop_->poll(has_made, memory_interval, deadline);
        if (waited == Loop::Waited::gone) return loop_->coordinator_lost();
    }
    if (!made) return made.error();
    return Segment{*holdings, **made};
}

Result<Loan> Member::lend_segment(Segment&& segment) {
    if (!loop_->thread().is_this()) return loop_->thread().refusal();
    Holding* holding = Access::holding(segment);
    if (holding == nullptr)
        return Error{ErrorKind::refused, "an empty segment can't be lent: it was moved from, or given away"};
    Holdings& holdings = *Access::holdings(segment);
    if (Result<void> done = holdings.lending().lend(*holding); !done) return done.error();
    Loan lent{holdings, *holding};
    Access::wait_with(lent, *loop_);
    return lent;
}

Result<void> Member::export_segment(Segment&& segment, const std::string& name) {
    if (!loop_->thread().is_this()) return loop_->thread().refusal();
    Holding* holding = Access::holding(segment);
    if (holding == nullptr)
        return Error{ErrorKind::refused, "an empty segment can't be exported: it was moved from, or given away"};
    if (Result<void> fine = check_memory_name(name); !fine) return fine;
    return Access::holdings(segment)->hand_out(*holding, name);
}

Result<Segment> Member::import_segment(const std::string& name, Layout layout) {
    if (std::optional<Error> why = cannot_hold(); why) return std::move(*why);
    Holdings* holdings = loop_->holdings();
    if (Result<void> fine = check_memory_name(name); !fine) return fine.error();
    Result<Holding*> taken = holdings->take_in(name, std::move(layout));
    if (!taken) return taken.error();
    return Segment{*holdings, **taken};
}

// ---- names -----------------------------------------------------------------------------------------

namespace {

// How often somebody who waits for a name looks whether it is published.
constexpr Duration name_interval = std::chrono::milliseconds{1};

}  // namespace

Result<void> Member::publish_loan(const Loan& loan, const std::string& name, Loan::Published as) {
    if (!loop_->thread().is_this()) return loop_->thread().refusal();
    Holding* holding = Access::holding(loan);
    if (holding == nullptr)
        return Error{ErrorKind::refused, "an empty Loan can't be published: it was reclaimed or released"};
    return Access::holdings(loan)->publications().publish(*holding, name,
                                           as == Loan::Published::to_read ? LeaseKind::read : LeaseKind::shared);
}

void Member::withdraw(const Loan& loan) {
    loop_->thread().require();
    if (Holding* holding = Access::holding(loan); holding != nullptr)
        Access::holdings(loan)->publications().unpublish(*holding);
}

Result<void> Member::look_up_segment(SegmentBase& out, const std::string& name, std::optional<HandleKind> kind,
                                     Within within) {
    const Deadline deadline = within.deadline(loop_->clock());
    if (!loop_->thread().is_this()) return loop_->thread().refusal();
    Holdings* holdings = loop_->holdings();
    if (holdings == nullptr) return no_ledger();
    Result<Holding*> found = nullptr;
    const auto has_found = [&] {
        found = holdings->publications().attach(name);
        return !found || *found != nullptr;
    };
    if (!has_found() && !deadline.has_passed(loop_->clock()) &&
        loop_->poll(has_found, name_interval, deadline) == Loop::Waited::stopping)
        return Error{ErrorKind::stopping,
                     fmt::format("{} is stopping and does not wait for the name '{}'", this->name(), name)};
    if (!found) return found.error();
    if (*found == nullptr)
        return Error{ErrorKind::gone,
                     fmt::format("no segment is published under the name '{}': nobody has published it yet, or "
                                 "its owner has withdrawn it or ended",
                                 name)};
    SegmentBase held{*holdings, **found};
    if (kind && (*found)->kind() != *kind)
        return Error{ErrorKind::refused, fmt::format("'{}' is published to be {}: look it up as a {}", name,
                                                     (*found)->kind() == HandleKind::lease ? "read" : "shared",
                                                     (*found)->kind() == HandleKind::lease ? "Lease" : "Slice")};
    out = std::move(held);
    return {};
}

Result<Member::CreatedOrAttached> Member::create_or_attach_with(const std::string& name, Layout layout,
                                                       const std::function<void(Segment&)>& fill, Within within) {
    const Deadline deadline = within.deadline(loop_->clock());
    CreatedOrAttached out;
    const auto attach = [&](Within wait) -> Result<void> {
        SegmentBase held;
        if (Result<void> found = look_up_segment(held, name, HandleKind::slice, wait); !found) return found;
        if (held.layout() != layout)
            return Error{ErrorKind::refused, fmt::format("the segment that is published as '{}' is {}, not {}", name,
                                                         to_text(held.layout()), to_text(layout))};
        static_cast<SegmentBase&>(out.slice) = std::move(held);
        return {};
    };
    for (;;) {
        Result<void> attached = attach(Duration::zero());
        if (attached) return out;
        if (attached.error().kind != ErrorKind::gone) return attached.error();
        Result<Segment> fresh = create_with(layout, deadline);
        if (!fresh) return fresh.error();
        std::ranges::fill(fresh->bytes(), std::byte{0});  // nothing of an earlier use of that memory
        if (fill) fill(*fresh);
        Result<Loan> loan = lend_segment(std::move(*fresh));
        if (!loan) return loan.error();
        const Result<void> published = publish_loan(*loan, name, Loan::Published::to_share);
        if (published) {
            out.loan = std::move(*loan);
            if (Result<void> own = attach(Duration::zero()); !own) return own.error();
            return out;
        }
        // Somebody was first, whose it is then; unless the name itself is the trouble.
        if (published.error().kind != ErrorKind::refused || deadline.has_passed(loop_->clock()))
            return published.error();
        attached = attach(std::min(deadline.left(loop_->clock()), Duration{std::chrono::milliseconds{20}}));
        if (attached) return out;
        if (attached.error().kind != ErrorKind::gone) return attached.error();
    }
}

}  // namespace baton
