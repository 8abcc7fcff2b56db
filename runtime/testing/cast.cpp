#include "runtime/testing/cast.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <csignal>
#include <stdexcept>

#include "runtime/inbox/access.hpp"
#include "runtime/session/directory.hpp"

namespace baton::detail {

CastMember::CastMember(TestWorld& world, ActorId actor, const std::string& of, std::vector<std::string> arguments)
    : StageMember(world, actor, of), desk(loop), context(desk, std::move(arguments)), name(of), world_(&world) {}

// ---- an actor of the user ---------------------------------------------------------------------------

HostedMember::HostedMember(TestWorld& world, ActorId actor, const std::string& of, std::vector<std::string> arguments,
                           ActorClass its_class)
    : CastMember(world, actor, of, std::move(arguments)), class_(std::move(its_class)) {}

void HostedMember::make() {
    const BusyMember busy{*this};
    is_running = true;
    actor_ = class_.make(context);
    loop.outbox().flush();
    is_running = false;
}

void HostedMember::handle(const Command& command, AnswerSlot answer) {
    handled.emplace_back(command.envelope.tag);
    Incoming incoming{loop, command, std::move(answer)};
    const CommandHandler* const handler = find_handler(class_.handlers, incoming);
    if (handler == nullptr) return;
    try {
        handler->run(actor_.get(), incoming);
    } catch (const MemberKilled&) {
        throw;
    } catch (...) {
        const Error error = error_of_current_exception();
        failures.push_back({handled.back(), error});
        report_exception(incoming, error);
    }
}

Deadline HostedMember::next_deadline() const {
    return class_.next_deadline == nullptr || actor_ == nullptr ? Deadline::never()
                                                                : class_.next_deadline(actor_.get());
}

void HostedMember::on_deadline() {
    if (class_.on_deadline != nullptr) class_.on_deadline(actor_.get());
}

void HostedMember::on_stop() {
    std::vector<DeadLetter> dead_letters;
    {
        const BusyMember busy{*this};
        dead_letters = loop.finish(*this);
        actor_.reset();
        loop.outbox().flush();
        loop.begin_leaving();
    }
    world_->end(id, Exit{ExitKind::stopped, 0, "", "", std::move(dead_letters), {}});
}

// As it would leave main(), and end the process.
void HostedMember::on_throw() {
    Error error = error_of_current_exception();
    Exit exit{ExitKind::signalled, SIGABRT, error.text, "", {}, {}};
    failures.push_back({"", std::move(error)});
    world_->end(id, std::move(exit));
}

void* HostedMember::object() const {
    if (actor_ == nullptr) throw std::logic_error(fmt::format("{} has ended: its object is gone", name));
    return actor_.get();
}

// ---- a part of the test -----------------------------------------------------------------------------

void refuse_incoming(Incoming& incoming, const Error& why) {
    if (incoming.slot.is_asked()) incoming.slot.fail(why);
    else incoming.loop.commands().answers().refuse(incoming.command, why);
}

void PlayedMember::keep(const Command& command, AnswerSlot answer) {
    Came& one = came.back();
    one.is_kept = true;
    one.slot = std::move(answer);
    if (command.envelope.manifest.empty()) return;
    one.arrivals = std::make_shared<Arrivals>(holdings.get(), command.envelope.from, command.envelope.manifest);
    if (Result<void> accepted = one.arrivals->accept_all(); !accepted) came.pop_back();
}

void PlayedMember::handle(const Command& command, AnswerSlot answer) {
    came.push_back({std::string(command.envelope.tag), std::string(command.body_bytes),
                    AnyRef{command.envelope.from, loop.session()}});
    const auto script = scripts.find(command.envelope.tag);
    if (script == scripts.end() && answer.is_asked())
        return answer.fail(Error{
            ErrorKind::unsupported,
            fmt::format("the test has not said what its peer {} answers to {}: peer.replies<{}>(...), fails or keeps",
                        name, command.envelope.tag, command.envelope.tag)});
    if (script == scripts.end() || !script->second) return keep(command, std::move(answer));
    Incoming incoming{loop, command, std::move(answer)};
    const Script run = script->second;  // which may replace itself
    try {
        run(incoming);
    } catch (const MemberKilled&) {
        throw;
    } catch (const ErrorException& exception) {
        refuse_incoming(incoming, exception.error());
    } catch (...) {
        world_->keep_exception();
        refuse_incoming(incoming, Error{ErrorKind::failed, fmt::format("the test's script for {} threw an exception, "
                                                                       "which the test gets",
                                                                       command.envelope.tag)});
    }
    scripts.insert_or_assign(std::string(command.envelope.tag), run);
}

void PlayedMember::on_stop() { world_->end(id, Exit{ExitKind::stopped, 0, "", "", {}, {}}); }
void PlayedMember::on_throw() { world_->keep_exception(); }

// ---- a script ---------------------------------------------------------------------------------------

void ScenarioMember::begin() {
    Access::send_at_once(CastMember::context);
    loop.commands().collect_with(mail_);
}

Result<std::vector<Session::Message>> ScenarioMember::collect(std::string_view wanted, const Enough& until) {
    if (desk.is_closed()) return loop.coordinator_lost();
    return mail_.collect(wanted, until);
}

Result<UniqueFd> ScenarioMember::sentinel(AnyRef) {
    return Error{ErrorKind::refused, "a test world has no processes, so no sentinels: test this in a real session"};
}

Result<std::vector<Ended>> ScenarioMember::close(Within within) {
    if (desk.is_closed()) return std::vector<Ended>{};
    loop.outbox().flush();
    std::vector<DeadLetter> unread = mail_.give_up();
    Result<std::vector<Ended>> ended = std::vector<Ended>{};
    if (std::vector<AnyRef> started = desk.take_spawned(); !started.empty())
        ended = desk.stop(std::move(started), within);
    desk.set_closed();
    world_->end(id, Exit{ExitKind::left, 0, "", "", std::move(unread), {}});
    return ended;
}

// ---- the world --------------------------------------------------------------------------------------

TestWorld::TestWorld(std::uint64_t memory_bytes) {
    add_memory(memory_bytes);
    registrar().on_spawn = [this](ActorId spawner, const coordinator::Spawn& what) { return spawn(spawner, what); };
    test_ = play("test", {"test"}).id;
}

TestWorld::~TestWorld() {
    network.on_wait = [](Duration) {};
    // Actors first: what they hold refers to loops, and to others.
    for (auto& [id, member] : cast_) {
        member->is_dead = true;
        member->on_end();
    }
    for (auto& [id, member] : cast_)
        if (member->holdings) member->holdings->release_all();
}

HostedMember& TestWorld::start(const ActorClass& of, const std::string& name, std::vector<std::string> arguments,
                               Registrar::Row row) {
    auto made = std::make_shared<HostedMember>(*this, next_id(), name, std::move(arguments), of);
    HostedMember& member = *made;
    cast_.emplace(member.id, std::move(made));
    enter(member, std::move(row));
    try {
        member.make();
    } catch (const std::exception& exception) {
        end(member.id, Exit{ExitKind::returned, 1, exception.what(), "", {}, {}});
        throw;
    } catch (const MemberKilled&) {
        throw std::runtime_error(fmt::format("{} was killed before its constructor had returned", name));
    } catch (...) {
        end(member.id,
            Exit{ExitKind::returned, 1, "its constructor threw something other than a std::exception", "", {}, {}});
        throw;
    }
    return member;
}

PlayedMember& TestWorld::play(const std::string& name, Registrar::Row row) {
    auto made = std::make_shared<PlayedMember>(*this, next_id(), name, std::vector<std::string>{});
    PlayedMember& member = *made;
    Access::send_at_once(member.context);
    cast_.emplace(member.id, std::move(made));
    enter(member, std::move(row));
    return member;
}

std::shared_ptr<ScenarioMember> TestWorld::enter_scenario(const std::string& name) {
    const auto member = std::make_shared<ScenarioMember>(*this, next_id(), name, std::vector<std::string>{});
    cast_.emplace(member->id, member);
    enter(*member, {name});
    member->begin();
    return member;
}

HostedMember& TestWorld::hosted(ActorId id) const { return dynamic_cast<HostedMember&>(member(id)); }
PlayedMember& TestWorld::played(ActorId id) const { return dynamic_cast<PlayedMember&>(member(id)); }

void TestWorld::settle() {
    run_until_idle();
    rethrow_kept();
}

Result<const ActorClass*> TestWorld::choose(const std::vector<ActorClass>& actors, std::string_view program,
                                            std::string_view name) const {
    if (name.empty() && actors.size() == 1) return &actors.front();
    std::vector<std::string_view> names;
    for (const ActorClass& one : actors) {
        names.push_back(one.name);
        if (!name.empty() && one.name == name) return &one;
    }
    return Error{ErrorKind::refused, fmt::format("the program '{}' of the test world contains several actors: choose "
                                                 "one of {} (SpawnOptions::actor)",
                                                 program, fmt::join(names, ", "))};
}

Result<coordinator::Spawned> TestWorld::spawn(ActorId spawner, const coordinator::Spawn& what) {
    const SpawnOptions& options = what.options;
    const std::size_t slash = options.program.rfind('/');
    const std::string base = slash == std::string::npos ? options.program : options.program.substr(slash + 1);
    const auto found = programs.find(base);
    if (found == programs.end())
        return Error{
            ErrorKind::refused,
            fmt::format("the test world has no program '{}': it starts no processes; say what stands for it with "
                        "world.provide(\"{}\", ...) or world.provide_peer<Protocol>(\"{}\")",
                        base, base, base)};
    Result<std::string> name = registrar().name_for(spawner, options.name, base);
    if (!name) return name.error();
    const auto fits = [&](const ProtocolDescription& protocol) {
        return what.fingerprint == 0 || what.fingerprint == fingerprint_of(protocol);
    };
    const auto refusal = [&](const ProtocolDescription& protocol) {
        return Error{ErrorKind::refused, fmt::format("{} speaks another protocol ({}) than the one expected", *name,
                                                     protocol.name)};
    };
    if (const auto* played = std::get_if<Played>(&found->second)) {
        if (!fits(played->protocol)) return refusal(played->protocol);
        const Played role = *played;
        const PlayedMember& member = play(*name, {*name, base, spawner, role.protocol, {}, {}});
        role.begin(member.id);
        return coordinator::Spawned{AnyRef{member.id}, *name, 0, role.protocol};
    }
    Result<const ActorClass*> chosen = choose(std::get<std::vector<ActorClass>>(found->second), base, options.actor);
    if (!chosen) return chosen.error();
    const ActorClass its_class = **chosen;
    if (!fits(its_class.protocol)) return refusal(its_class.protocol);
    try {
        const HostedMember& member =
            start(its_class, *name, options.arguments, {*name, base, spawner, its_class.protocol, {}, {}});
        return coordinator::Spawned{AnyRef{member.id}, *name, 0, its_class.protocol};
    } catch (const std::exception& exception) {
        return Error{ErrorKind::failed, fmt::format("{} ({}) ended before it was ready: returned 1: {}", *name, base,
                                                    exception.what())};
    }
}

}  // namespace baton::detail
