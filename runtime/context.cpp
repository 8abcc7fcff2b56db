#include <baton/context.hpp>

#include <algorithm>
#include <csignal>

#include "runtime/base/text.hpp"
#include "runtime/holdings/arrivals.hpp"
#include "runtime/inbox/access.hpp"
#include "runtime/inbox/call.hpp"
#include "runtime/inbox/spawning.hpp"
#include "runtime/process/process_facts.hpp"
#include "runtime/session/environment.hpp"

namespace baton {

using namespace detail;

namespace {

coordinator::Spawn spawn_of(const Program& program, std::uint64_t fingerprint) {
    std::vector<std::string> folders = program.folders;
    for (std::string& folder : program_folders()) folders.push_back(std::move(folder));
    return {program.program, program.name, program.arguments, std::move(folders), fingerprint, program.deadline,
            program.memory_bytes == 0 ? std::nullopt : std::optional{program.memory_bytes}};
}

template <class C>
Result<PendingReply> request_of_coordinator(Loop& loop, const C& command) {
    const Result<AskId> ask = loop.request(coordinator_id, command_name<C>, encoded_body(command), limits::coordinator_deadline);
    if (!ask) return ask.error();
    return PendingReply{loop, *ask};
}

}  // namespace

// ---- Pending ---------------------------------------------------------------------------------------

bool detail::read_spawned(Value from, AnyRef& out, Decoding& at) {
    coordinator::Spawned spawned;
    if (!decode(from, spawned, at)) return false;
    out = AnyRef{spawned.actor.id, at.session()};
    return true;
}

bool PendingReply::ready() {
    if (loop_ == nullptr) return false;
    static_cast<void>(loop_->serve(nullptr, [this] { return loop_->is_settled(ask_); }, Deadline{loop_->clock().now()}));
    return loop_->is_settled(ask_);
}

bool PendingReply::is_settled() const { return loop_ != nullptr && loop_->is_settled(ask_); }

void PendingReply::cancel() noexcept {
    if (Loop* loop = std::exchange(loop_, nullptr); loop != nullptr) loop->abandon(ask_);
}

namespace {

Error has_been_taken() { return Error{ErrorKind::refused, "the outcome of this request has been taken already"}; }

Result<void> read_outcome(Result<ReplyFrame> reply, convert::ReadInto read, void* out) {
    if (std::optional<Error> why = read_reply(reply, read, out); why) return std::move(*why);
    return {};
}

}  // namespace

Result<void> PendingReply::take(Within within, convert::ReadInto read, void* out) {
    if (loop_ == nullptr) return has_been_taken();
    // Another thread's call has changed nothing, and an exception out of the wait leaves it to be waited for again.
    if (!loop_->thread().is_this()) return loop_->thread().refusal();
    Result<ReplyFrame> reply = loop_->await(ask_, within.deadline(loop_->clock()));
    loop_ = nullptr;
    return read_outcome(std::move(reply), read, out);
}

Result<void> PendingReply::take_word(Within within, convert::ReadInto read, void* out) {
    if (loop_ == nullptr) return has_been_taken();
    // What throws out of the wait leaves the ask to cancel().
    Result<ReplyFrame> reply = loop_->await_word(ask_, within.deadline(loop_->clock()));
    loop_ = nullptr;
    return read_outcome(std::move(reply), read, out);
}

// ---- Context: messages -----------------------------------------------------------------------------

Outgoing::Outgoing(Context& context)
    : body(std::move(context.spare_body_)), parcel(std::move(context.spare_parcel_)), context_(context) {
    body.clear();
    parcel.holdings.clear();
}

Outgoing::~Outgoing() {
    context_.spare_body_ = std::move(body);
    context_.spare_parcel_ = std::move(parcel);
}

Context::Context(Loop& loop, std::vector<std::string> arguments) : loop_(&loop), arguments_(std::move(arguments)) {}
Context::~Context() = default;

Result<void> Context::send_body(const AnyRef& to, std::string_view command, const Outgoing& out, Within within) {
    return loop_->send(to, command, out.body, within.deadline(loop_->clock()),
                       sends_at_once_ ? Loop::Urgency::now : Loop::Urgency::may_share, &out.parcel);
}

Result<void> Context::ask_body(const AnyRef& to, std::string_view command, const Outgoing& out, Within within,
                               convert::ReadInto read, void* reply) {
    return read_outcome(loop_->ask(to, command, out.body, within.deadline(loop_->clock()), &out.parcel), read, reply);
}

Result<PendingReply> Context::request_body(const AnyRef& to, std::string_view command, const Outgoing& out, Within within) {
    const Result<AskId> ask = loop_->request(to, command, out.body, within.deadline(loop_->clock()), &out.parcel);
    if (!ask) return ask.error();
    return PendingReply{*loop_, *ask};
}

void Context::on_returned(std::string_view type, std::function<void(Bounce&)> take) {
    loop_->on_bounced(type, [take = std::move(take)](Bounce bounce) { take(bounce); });
}

std::shared_ptr<Bounce> Context::next_returned(std::string_view type, ActorId to) {
    std::optional<Bounce> bounce = loop_->next_bounce(type, to);
    return bounce ? std::make_shared<Bounce>(std::move(*bounce)) : nullptr;
}

std::size_t Context::returned_count(std::string_view type) const { return loop_->count_bounces(type); }

bool Context::read_returned(Bounce& bounce, convert::ReadInto read, void* command, AnyRef& to, Error& why) {
    Arrivals returned{loop_->holdings(), std::move(bounce.holdings)};
    Unpacker unpacker;
    std::size_t offset = 0;
    Decoding at{bounce.tag, &returned, loop_->session()};
    to = AnyRef{bounce.to, loop_->session()};
    why = std::move(bounce.why);
    const Result<Value> body = unpacker.next(bounce.body, offset);
    return body && read(*body, command, at);
}

// ---- Context: actors -------------------------------------------------------------------------------

Result<AnyRef> Context::spawn_program(const Program& program, std::uint64_t fingerprint) {
    Result<Spawning> spawning =
        Spawning::begin(*loop_, spawn_of(program, fingerprint), Deadline::in(loop_->clock(), program.deadline));
    if (!spawning) return spawning.error();
    const Result<coordinator::Spawned> spawned = spawning->end();
    if (!spawned) return spawned.error();
    return AnyRef{spawned->actor.id, loop_->session()};
}

Result<PendingReply> Context::spawn_program_later(const Program& program, std::uint64_t fingerprint) {
    coordinator::Spawn spawn = spawn_of(program, fingerprint);
    spawn.until = until_of(Deadline::in(loop_->clock(), program.deadline));
    return request_of_coordinator(*loop_, spawn);
}

Result<Pending<std::vector<Ended>>> Context::stop_later(std::vector<AnyRef> actors, Within within) {
    if (actors.empty()) return Error{ErrorKind::refused, "there is nobody to stop: name at least one actor"};
    const Deadline deadline = within.deadline(loop_->clock());
    Result<PendingReply> pending = request_of_coordinator(
        *loop_, coordinator::StopActors{std::move(actors), deadline.left(loop_->clock()), false, until_of(deadline)});
    if (!pending) return pending.error();
    return Pending<std::vector<Ended>>{std::move(*pending)};
}

Result<void> Context::kill(AnyRef actor) {
    Result<std::monostate> done = call(*loop_, coordinator::Signal{actor, SIGKILL}, limits::coordinator_deadline);
    if (!done) return done.error();
    return {};
}

Result<std::string> Context::watch(AnyRef actor) {
    return call(*loop_, coordinator::Watch{actor}, limits::coordinator_deadline);
}

Result<AnyRef> Context::find_actor(std::string_view name, std::uint64_t fingerprint) {
    const Result<coordinator::Spawned> found = call(*loop_, coordinator::Find{std::string(name)}, limits::coordinator_deadline);
    if (!found) return found.error();
    if (fingerprint != 0 && fingerprint_of(found->protocol) != fingerprint)
        return Error{ErrorKind::refused, fmt::format("{} speaks another protocol ({}) than the one expected", name,
                                                     found->protocol.name)};
    return AnyRef{found->actor.id, loop_->session()};
}

void Context::on_exited(std::function<void(const PeerExited&)> take) { loop_->on_peer_exited(std::move(take)); }

// ---- Context: waiting and facts --------------------------------------------------------------------

Result<void> Context::wait_for(const std::function<bool()>& done, Within within) {
    if (!loop_->thread().is_this()) return loop_->thread().refusal();
    switch (loop_->wait_for(done, within.deadline(loop_->clock()))) {
        case Loop::Waited::done: return {};
        case Loop::Waited::deadline: return Error{ErrorKind::timed_out, "what was waited for had not come by the deadline"};
        case Loop::Waited::gone: return loop_->coordinator_lost();
        case Loop::Waited::stopping: break;
    }
    return Error{ErrorKind::stopping, fmt::format("{} is stopping", name())};
}

void Context::stop() {
    loop_->thread().require();
    loop_->stop(false);
}

const std::string& Context::name() const noexcept { return loop_->name(); }
ActorId Context::id() const noexcept { return loop_->me(); }
SessionTag Context::session() const noexcept { return loop_->session(); }
AnyRef Context::sender() const noexcept {
    return AnyRef{loop_->sender(), loop_->sender().is_somebody() ? loop_->session() : SessionTag{}};
}
bool Context::is_stopping() const noexcept { return loop_->is_stopping(); }
const Clock& Context::clock() const noexcept { return loop_->clock(); }
Log& Context::log() const noexcept { return loop_->log(); }

std::optional<Context::Wait> Context::wait_of(AnyRef actor) const {
    const Vitals* vitals = loop_->vitals();
    const bool is_ours = loop_->require_ours(actor).ok();
    const VitalsRow* row = vitals == nullptr || !is_ours ? nullptr : vitals->row_of(actor.id);
    if (row == nullptr || vitals->has_exited(actor.id)) return std::nullopt;
    const std::optional<ProcessFacts> facts = facts_of(static_cast<pid_t>(row->pid.load(std::memory_order_relaxed)));
    if (!facts || facts->state != 'S') return std::nullopt;  // it may have its answer and not have seen it yet
    const std::optional<Vitals::Wait> wait = vitals->wait_of(actor.id);
    if (!wait) return std::nullopt;
    return Wait{wait->whom, wait->ask};
}

// ---- segments --------------------------------------------------------------------------------------

namespace {

// How often a create() that waits looks whether memory has come home.
constexpr Duration memory_interval = std::chrono::milliseconds{1};
// ... and how often it says that memory is short: what others let go after that waits with them for their own use.
constexpr Duration memory_short_interval = std::chrono::milliseconds{20};

// The kernel would see less of it: /dev/shm/NAME ends at a zero byte.
Result<void> check_memory_name(const std::string& name) {
    const bool is_fine = !name.empty() && name.size() <= limits::name_bytes_max && printable(name) == name &&
                         name.find('/') == std::string::npos && !name.starts_with("baton-") && name != "." && name != "..";
    if (is_fine) return {};
    return Error{ErrorKind::refused, fmt::format("'{}' can't be the name of shared memory: one to {} bytes of UTF-8 without '/' and "
                                                 "control characters, and not beginning with baton-", printable(readable(name, 80)),
                                                 limits::name_bytes_max)};
}

Error no_ledger() {
    return Error{ErrorKind::gone, "this process takes part in no ledger: its session is closed, or never was"};
}

}  // namespace

std::optional<Error> Context::cannot_hold() const {
    if (!loop_->thread().is_this()) return loop_->thread().refusal();
    if (loop_->holdings() == nullptr) return no_ledger();
    // What is made after the session has been swept has a name that nobody looks for any more.
    if (!loop_->has_coordinator()) return loop_->coordinator_lost();
    return std::nullopt;
}

Result<Segment> Context::create_as(Layout layout, Within within) {
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

Result<Lent> Context::lend(Segment&& segment) {
    if (!loop_->thread().is_this()) return loop_->thread().refusal();
    Holding* holding = Access::holding(segment);
    if (holding == nullptr) return Error{ErrorKind::refused, "an empty segment can't be lent: it was moved from, or given away"};
    Holdings& holdings = *Access::holdings(segment);
    if (Result<void> done = holdings.lend(*holding); !done) return done.error();
    Lent lent{holdings, *holding};
    Access::wait_with(lent, *loop_);
    return lent;
}

Result<void> Context::hand_out(Segment&& segment, const std::string& name) {
    if (!loop_->thread().is_this()) return loop_->thread().refusal();
    Holding* holding = Access::holding(segment);
    if (holding == nullptr) return Error{ErrorKind::refused, "an empty segment can't be handed out: it was moved from, or given away"};
    if (Result<void> fine = check_memory_name(name); !fine) return fine;
    return Access::holdings(segment)->hand_out(*holding, name);
}

Result<Segment> Context::take_in(const std::string& name, Layout layout) {
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

Result<void> Context::publish(const Lent& lent, const std::string& name, Published as) {
    Holding* holding = Access::holding(lent);
    if (holding == nullptr) return Error{ErrorKind::refused, "an empty Lent can't be published: it was reclaimed or released"};
    return Access::holdings(lent)->publish(*holding, name, as == Published::to_read ? LeaseKind::read : LeaseKind::shared);
}

void Context::withdraw(const Lent& lent) {
    if (Holding* holding = Access::holding(lent); holding != nullptr) Access::holdings(lent)->unpublish(*holding);
}

Result<void> Context::look_up_held(HeldMemory& out, const std::string& name, std::optional<HandleKind> kind, Within within) {
    const Deadline deadline = within.deadline(loop_->clock());
    Holdings* holdings = loop_->holdings();
    if (holdings == nullptr) return no_ledger();
    Result<Holding*> found = nullptr;
    const auto has_found = [&] {
        found = holdings->attach(name);
        return !found || *found != nullptr;
    };
    if (!has_found() && !deadline.has_passed(loop_->clock()) && loop_->poll(has_found, name_interval, deadline) == Loop::Waited::stopping)
        return Error{ErrorKind::stopping, fmt::format("{} is stopping and does not wait for the name '{}'", this->name(), name)};
    if (!found) return found.error();
    if (*found == nullptr)
        return Error{ErrorKind::gone, fmt::format("no segment is published under the name '{}': nobody has published it yet, or "
                                                  "its owner has withdrawn it or ended", name)};
    HeldMemory held{*holdings, **found};
    if (kind && (*found)->kind != *kind)
        return Error{ErrorKind::refused, fmt::format("'{}' is published to be {}: look it up as a {}", name,
                                                     (*found)->kind == HandleKind::lease ? "read" : "shared",
                                                     (*found)->kind == HandleKind::lease ? "Lease" : "Slice")};
    out = std::move(held);
    return {};
}

Result<CreatedOrAttached> Context::create_or_attach_as(const std::string& name, Layout layout,
                                                       const std::function<void(Segment&)>& fill, Within within) {
    const Deadline deadline = within.deadline(loop_->clock());
    CreatedOrAttached out;
    const auto attach = [&](Within wait) -> Result<void> {
        HeldMemory held;
        if (Result<void> found = look_up_held(held, name, HandleKind::slice, wait); !found) return found;
        if (held.layout() != layout)
            return Error{ErrorKind::refused, fmt::format("the segment that is published as '{}' is {}, not {}", name,
                                                         to_text(held.layout()), to_text(layout))};
        static_cast<HeldMemory&>(out.slice) = std::move(held);
        return {};
    };
    for (;;) {
        Result<void> attached = attach(Duration::zero());
        if (attached) return out;
        if (attached.error().kind != ErrorKind::gone) return attached.error();
        Result<Segment> fresh = create_as(layout, deadline);
        if (!fresh) return fresh.error();
        std::ranges::fill(fresh->bytes(), std::byte{0});  // nothing of an earlier use of that memory
        if (fill) fill(*fresh);
        Result<Lent> lent = lend(std::move(*fresh));
        if (!lent) return lent.error();
        const Result<void> published = publish(*lent, name, Published::to_share);
        if (published) {
            out.lent = std::move(*lent);
            if (Result<void> own = attach(Duration::zero()); !own) return own.error();
            return out;
        }
        // Somebody was first, whose it is then; unless the name itself is the trouble.
        if (published.error().kind != ErrorKind::refused || deadline.has_passed(loop_->clock())) return published.error();
        attached = attach(std::min(deadline.left(loop_->clock()), Duration{std::chrono::milliseconds{20}}));
        if (attached) return out;
        if (attached.error().kind != ErrorKind::gone) return attached.error();
    }
}

}  // namespace baton
