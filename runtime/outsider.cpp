#include <baton/outsider.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "runtime/inbox/access.hpp"
#include "runtime/inbox/call.hpp"
#include "runtime/inbox/spawning.hpp"
#include "runtime/process/process_facts.hpp"
#include "runtime/process/signals.hpp"
#include "runtime/session/outsider_core.hpp"
#include "runtime/wire/dynamic.hpp"

namespace baton {

using namespace detail;
using dynamic::Actor;
using dynamic::EncodedCommand;
using dynamic::OutsiderCore;

namespace {

Actor actor_from(coordinator::Spawned spawned, SessionTag session) {
    if (!spawned.actor.session.is_some()) spawned.actor.session = session;
    return {spawned.actor, std::move(spawned.name), spawned.pid,
            std::make_shared<const dynamic::Protocol>(std::move(spawned.protocol))};
}

}  // namespace

Result<std::unique_ptr<Outsider>> Outsider::enter(Entry entry) {
    auto core = std::make_shared<OutsiderCore>();
    if (!entry.protocol.commands.empty())
        core->protocol = std::make_shared<const dynamic::Protocol>(entry.protocol);
    Result<std::unique_ptr<Session>> session = Session::enter(
        {std::move(entry.session), entry.may_start, std::move(entry.name),
         entry.has_inbox ? Session::Inbox::open : Session::Inbox::none, std::move(entry.program_folders),
         entry.memory_bytes, std::move(entry.protocol)});
    if (!session) return session.error();
    core->session = std::move(*session);
    core->holdings = core->session->holdings();
    return std::unique_ptr<Outsider>{new Outsider{std::move(core)}};
}

Outsider::~Outsider() = default;

Context& Outsider::context() noexcept { return core_->session->context(); }
const std::string& Outsider::session_id() const noexcept { return core_->session->id(); }
AnyRef Outsider::ref() const noexcept { return AnyRef{core_->loop().me(), core_->loop().session()}; }
bool Outsider::owns_session() const noexcept { return core_->session->is_own(); }
pid_t Outsider::coordinator_pid() const noexcept { return core_->session->coordinator_pid(); }
bool Outsider::is_of_this_session(const AnyRef& ref) const noexcept {
    return core_->loop().session().fits(ref.session);
}
const std::vector<std::string>& Outsider::program_folders() const noexcept {
    return core_->session->searched_folders();
}

// ---- actors ----------------------------------------------------------------------------------------

Result<std::vector<Actor>> Outsider::spawn(const std::vector<SpawnOptions>& programs, Within within,
                                           const std::function<void(std::size_t)>& on_ready) {
    Result<std::vector<Spawned>> spawned = core_->session->spawn(programs, within, 0, on_ready);
    if (!spawned) return spawned.error();
    std::vector<Actor> actors;
    for (Spawned& one : *spawned) actors.push_back(actor_from(std::move(one), core_->loop().session()));
    return actors;
}

Result<Actor> Outsider::spawn_detached(SpawnOptions program) {
    Loop& loop = core_->loop();
    const Deadline deadline = Deadline::in(loop.clock(), program.timeout);
    coordinator::Spawn command = core_->session->command_of(program, 0);
    command.outlives_spawner = true;
    Result<Spawning> spawning = Spawning::begin(loop, std::move(command), deadline);
    if (!spawning) return spawning.error();
    Result<Spawned> spawned = spawning->end();
    if (!spawned) return spawned.error();
    return actor_from(std::move(*spawned), loop.session());
}

Result<Actor> Outsider::find(std::string_view name) {
    Result<Spawned> found = core_->session->find(name);
    if (!found) return found.error();
    return actor_from(std::move(*found), core_->loop().session());
}

Result<Actor> Outsider::find_life(const std::string& name, Within within) {
    Result<Spawned> found = core_->session->find(name, within.deadline(core_->loop().clock()));
    if (!found) return found.error();
    return actor_from(std::move(*found), core_->loop().session());
}

Result<std::string> Outsider::name_of(const AnyRef& actor) {
    Result<coordinator::Located> located =
        call(core_->loop(), coordinator::Locate{actor}, limits::coordinator_timeout);
    if (!located) return located.error();
    return std::move(located->name);
}

Result<std::vector<Ended>> Outsider::stop(std::vector<AnyRef> actors, Within within, Drain drain) {
    return core_->session->stop(std::move(actors), within, drain == Drain::yes);
}

Result<UniqueFd> Outsider::sentinel(const AnyRef& actor) { return core_->session->sentinel(actor); }

Result<dynamic::Memory> Outsider::look_up(const std::string& name, Within within) {
    SegmentBase held;
    if (Result<void> found = Access::look_up_held(context(), held, name, within); !found) return found.error();
    Holdings& book = *Access::holdings(held);
    Holding& holding = Access::release(held);
    return holding.kind() == HandleKind::lease ? dynamic::Memory{Lease{book, holding}}
                                             : dynamic::Memory{Slice{book, holding}};
}

// ---- commands out ----------------------------------------------------------------------------------

Result<void> Outsider::send(const AnyRef& to, const EncodedCommand& command, Within within) {
    return core_->loop().send(to, command.name_, command.body_, within, Loop::Urgency::now, &command.parcel_);
}

Result<dynamic::Value> Outsider::ask(const AnyRef& to, const EncodedCommand& command, Within within) {
    if (command.reply_ == nullptr) return dynamic::no_reply(command.name_);
    const Result<ReplyFrame> reply =
        core_->loop().ask(to, command.name_, command.body_, within, &command.parcel_);
    if (!reply) return reply.error();
    return core_->read(command.reply_, reply->frame, reply->offset, reply->arrivals.get());
}

Result<dynamic::Pending> Outsider::request(const AnyRef& to, const EncodedCommand& command, Within within) {
    if (command.reply_ == nullptr) return dynamic::no_reply(command.name_);
    const Result<AskId> ask = core_->loop().request(to, command.name_, command.body_, within, &command.parcel_);
    if (!ask) return ask.error();
    dynamic::Pending pending;
    pending.core_ = core_;
    pending.protocol_ = command.protocol_;
    pending.reply_ = command.reply_;
    pending.ask_ = *ask;
    return pending;
}

Result<void> Outsider::send(const Actor& to, std::string_view command, const dynamic::Value::Map& fields,
                            Within within) {
    const Result<EncodedCommand> encoded = EncodedCommand::of(to.protocol, command, fields);
    if (!encoded) return encoded.error();
    return send(to.ref, *encoded, within);
}

Result<dynamic::Value> Outsider::ask(const Actor& to, std::string_view command, const dynamic::Value::Map& fields,
                                     Within within) {
    const Result<EncodedCommand> encoded = EncodedCommand::of(to.protocol, command, fields);
    if (!encoded) return encoded.error();
    return ask(to.ref, *encoded, within);
}

// ---- commands in -----------------------------------------------------------------------------------

Result<std::vector<dynamic::Message>> Outsider::collect(std::string_view wanted, const Enough& until) {
    Result<std::vector<Session::Message>> collected = core_->session->collect(wanted, until);
    if (!collected) return collected.error();
    std::vector<dynamic::Message> messages;
    for (Session::Message& one : *collected) {
        dynamic::Answer answer;
        if (one.answer.is_asked()) {
            answer.core_ = core_;
            answer.command_ = one.tag;
            answer.key_ = core_->keep(std::move(one.answer));
        }
        const dynamic::Command* const known = core_->protocol == nullptr ? nullptr : core_->protocol->find(one.tag);
        Result<dynamic::Value> fields =
            core_->read(known == nullptr ? nullptr : &known->fields, one.body, 0, one.arrivals.get());
        messages.push_back({std::move(one.tag), AnyRef{one.from, core_->loop().session()}, std::move(fields),
                            std::move(answer)});
    }
    return messages;
}

bool Outsider::has_mail() const noexcept { return core_->session->has_mail(); }

Result<std::vector<dynamic::Bounced>> Outsider::collect_bounced(std::size_t count, Within within,
                                                                const ProtocolOf& protocol_of) {
    // Kept for the next call if something throws out of the wait.
    std::vector<Bounce>& bounces = core_->bounces;
    const auto has_enough = [&] {
        while (bounces.size() < count) {
            std::optional<Bounce> one = core_->loop().returns().next(dynamic::command_parcel);
            if (!one) one = core_->loop().returns().next(dynamic::reply_parcel);
            if (!one) return false;
            bounces.push_back(std::move(*one));
        }
        return true;
    };
    if (Result<void> waited = core_->session->wait_for(has_enough, within);
        !waited && waited.error().kind != ErrorKind::timed_out)
        return waited.error();
    std::vector<dynamic::Bounced> all;
    for (Bounce& bounce : std::exchange(bounces, {})) {
        const bool is_reply = bounce.parcel.type == dynamic::reply_parcel;
        Arrivals returned{core_->holdings.get(), std::move(bounce.parcel)};
        const AnyRef to{bounce.key.to, core_->loop().session()};
        const std::shared_ptr<const dynamic::Protocol> protocol =
            is_reply || !protocol_of ? nullptr : protocol_of(to);
        const dynamic::Command* const known = protocol == nullptr ? nullptr : protocol->find(bounce.tag);
        Result<dynamic::Value> fields =
            core_->read(known == nullptr ? nullptr : &known->fields, bounce.body, 0, &returned);
        all.push_back({std::move(bounce.tag), is_reply, to, std::move(fields), std::move(bounce.why)});
    }
    return all;
}

// ---- waits -----------------------------------------------------------------------------------------

Result<void> Outsider::wait_for(const std::function<bool()>& done, Within within, Mail mail) {
    if (mail == Mail::is_kept) return core_->session->wait_for(done, within);
    return core_->wait_for(done, within);
}

bool Outsider::look() { return core_->session->look(); }

Deadline Outsider::would_wait_for(Mail mail, std::vector<int>& watched) {
    return core_->session->would_wait_for(mail == Mail::is_kept, watched);
}

void Outsider::watch(int descriptor, std::function<void()> on_readable) {
    core_->loop().watch(descriptor, std::move(on_readable));
}

Result<void> Outsider::stop_on_signals() {
    Result<StopSignals> signals = StopSignals::install(StopSignals::Second::exits_now);
    if (!signals) return signals.error();
    core_->signals.emplace(std::move(*signals));
    core_->loop().watch(core_->signals->fd(), [core = core_.get()] {
        if (core->signals->take() == 0) return;
        core->was_interrupted = true;
        core->loop().stop(false);
    });
    return {};
}

bool Outsider::was_interrupted() const noexcept { return core_->was_interrupted; }
void Outsider::adopt_thread() { core_->loop().thread().adopt(); }

// ---- the end ---------------------------------------------------------------------------------------

void Outsider::begin_leaving() {
    core_->loop().begin_leaving();
    core_->answers.clear();  // the askers are told that this member is stopping
}

Result<std::vector<Ended>> Outsider::close(Within within) {
    if (!core_->loop().thread().is_this()) return core_->loop().thread().refusal();
    begin_leaving();
    return core_->session->close(within);
}

Result<std::vector<Ended>> Outsider::end_session(Within within, Duration exit_wait) {
    Loop& loop = core_->loop();
    Result<std::vector<Ended>> closed = core_->session->end_session(within);
    if (!closed) return closed;
    if (!core_->session->has_ended(Deadline::in(loop.clock(), exit_wait)))
        return Error{ErrorKind::timed_out,
                     fmt::format("session {} has closed, but its coordinator (pid {}) has not ended within {} s",
                                 session_id(), coordinator_pid(),
                                 std::chrono::duration<double>(exit_wait).count())};
    // The loop learns that there is nobody to say goodbye to.
    static_cast<void>(loop.serve(nullptr, [] { return false; }, Deadline{loop.clock().now()}));
    return closed;
}

Result<pid_t> Outsider::restart_coordinator(Within within) {
    const Result<coordinator::Incumbent> next = core_->session->restart_coordinator(within);
    if (!next) return next.error();
    return static_cast<pid_t>(next->pid);
}

void Outsider::kill_all() noexcept {
    core_->holdings->release_all();  // before its memory is swept: views may still be alive
    core_->session->kill_all();
}

}  // namespace baton
