// What the coordinator starts: the anchor is asked for a process, which becomes an actor by joining (joining.cpp).
#include <algorithm>
#include <csignal>
#include <filesystem>

#include "actors/coordinator/coordinator_actor.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/base/log_level.hpp"
#include "runtime/base/planted_bug.hpp"
#include "runtime/base/text.hpp"
#include "runtime/inbox/access.hpp"
#include "runtime/process/find_program.hpp"
#include "runtime/session/environment.hpp"
#include "runtime/transport/descriptors.hpp"

namespace baton::detail::coordinator {
namespace {

// A spawned actor takes its pidfd and its control lane. Members are accepted a little longer than actors are started,
// so that somebody can still look, and stop what is too many.
constexpr int descriptors_per_spawn = 2;
constexpr int descriptors_for_visits = 8;

// Describes the holder of a name that is taken, for the text of an error.
std::string holder_of_name(const Member* holder, const Member* spawner) {
    if (holder == nullptr) return "the coordinator, or an actor that is about to be restarted";
    if (holder == spawner)
        return fmt::format("the spawner itself (pid {}), which is called after its program or script unless it takes "
                           "another name when it enters the session",
                           holder->pid);
    return fmt::format("actor {} (pid {})", to_string(holder->id), holder->pid);
}

}  // namespace

// What an actor is told by the one that starts it.
std::vector<std::pair<std::string, std::string>> Coordinator::environment_of(ActorId id,
                                                                             const SpawnOptions& options) const {
    std::vector<std::pair<std::string, std::string>> environment{
        {session_variable, folder_->path()},
        {actor_variable, to_string(id)},
        {anchor_variable, std::to_string(anchor_->anchor())}};
    if (options.spin) {
        const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(*options.spin).count();
        environment.emplace_back(spin_variable, std::to_string(std::max<std::int64_t>(microseconds, 0)));
    }
    replace_bad_log_level(environment);
    return environment;
}

void Coordinator::on(Spawn command, Answer<Spawned> answer) {
    if (is_closing_)
        return answer.fail(Error{ErrorKind::stopping, "the session is ending: nothing is spawned any more"});
    Result<Member*> spawner = sender(answer.asker(), Access::link(answer));
    if (!spawner) return answer.fail(gone("only a member of the session can spawn: join first"));
    const Request request{answer.asker(), answer.ask_id()};
    if (answer_repeated(request, answer)) return;
    const SpawnOptions& options = command.options;
    const Deadline deadline = deadline_of(options.timeout, command.until);
    if (deadline.has_passed(loop_->clock()))
        return answer.fail(
            Error{ErrorKind::timed_out,
                  options.timeout <= Duration::zero()
                      ? fmt::format("{} was not started: a timeout of 0 leaves it no time to become an actor",
                                    options.program)
                      : fmt::format("{} was not started: the coordinator has read this only after the "
                                    "deadline, when the spawner had given up",
                                    options.program)});
    Result<Plan> plan = plan_of(command, answer.asker());
    if (!plan) return answer.fail(plan.error());
    const ActorId parent = command.outlives_spawner.value_or(false) ? ActorId{} : answer.asker();
    if (Result<void> fine = check_restart(options, parent); !fine) return answer.fail(fine.error());
    if (!members_.any_starts()) ++wave_;
    Result<Member*> started = start(command, *plan, request);
    if (!started) return answer.fail(started.error());
    (*started)->watchers.insert(answer.asker());
    (*started)->spawn_answer = std::move(answer);
    members_.set_spawn_deadline(**started, deadline);
    if (Result<void> founded = found_seat(**started, command, *plan); !founded)
        return undo_spawn(**started, founded.error());
    records_->write(**started);
    plan->spec.environment = environment_of((*started)->id, options);
    // Only now, when a coordinator that takes over could finish it.
    if (Result<void> asked = anchor_->spawn((*started)->id.number, (*started)->id, plan->spec); !asked)
        return undo_spawn(**started, asked.error());
    watch_requests();
}

// An ask that an earlier coordinator has not answered: what it began is this one's.
bool Coordinator::answer_repeated(const Request& request, Answer<Spawned>& answer) {
    if (anchor_->generation() <= 1 || request.ask == 0 || is_planted(PlantedBug::spawn_repeated)) return false;
    if (Member* member = members_.started_by(request); member != nullptr) {
        member->spawn_answer = std::move(answer);
        answer_spawner(*member);
        return true;
    }
    const Past* const past = members_.past_started_by(request);
    if (past == nullptr) return false;
    answer.fail(Error{ErrorKind::failed, fmt::format("{} ({}) has ended: {}", past->row.name, past->row.program,
                                                     to_text(past->row.exit))});
    return true;
}

Result<Coordinator::Plan> Coordinator::plan_of(const Spawn& command, ActorId spawner) {
    const Member* parent = members_.find(spawner);
    if (parent == nullptr) return gone("only a member of the session can spawn: join first");
    const SpawnOptions& options = command.options;
    std::vector<std::string> folders = options.folders;
    const std::vector<std::string> own = program_folders();
    folders.insert(folders.end(), own.begin(), own.end());
    const auto holds_zero = [](const std::string& text) { return text.find('\0') != std::string::npos; };
    std::vector<std::string> arguments = options.arguments;
    if (!options.actor.empty()) arguments.insert(arguments.begin(), {std::string(actor_option), options.actor});
    if (const auto one = std::ranges::find_if(arguments, holds_zero); one != arguments.end())
        return Error{ErrorKind::refused,
                     fmt::format("the argument '{}' of {} holds a zero byte, which no program can be given",
                                 printable(readable(*one, 80)), printable(options.program))};
    std::erase_if(folders, holds_zero);
    Result<std::string> path = find_program(options.program, folders);
    if (!path) return path.error();

    const bool is_named = !options.name.empty();
    const std::string base = is_named ? options.name : std::filesystem::path(*path).filename().string();
    if (Result<void> fine = check_name(base); !fine) return fine.error();
    std::string name = parent->is_outsider() ? base : parent->name + "/" + base;
    if (name.size() > limits::name_bytes_max)
        return Error{
            ErrorKind::refused,
            fmt::format("'{}' can't be started below {}: its name with those of its parents before it, '{}', has {} "
                        "bytes, and names have at most {} (limits::name_bytes_max). This bounds how deep actors may "
                        "start actors: give shorter names, or start it from higher up",
                        base, parent->name, name, name.size(), limits::name_bytes_max)};
    if (members_.is_taken(name)) {
        if (is_named)
            return Error{ErrorKind::refused, fmt::format("the name '{}' is in use by {}: choose another", name,
                                                         holder_of_name(members_.find(name), parent))};
        name = members_.free_name(name);
    }
    if (Result<void> room = require_room(descriptors_per_spawn + descriptors_for_visits,
                                         fmt::format("the coordinator can't start {}", name));
        !room)
        return room.error();
    if (path->size() >= MemberRecord::program_bytes)
        return Error{ErrorKind::refused, fmt::format("the path of the program has {} bytes, and may have {}: '{}'",
                                                     path->size(), MemberRecord::program_bytes - 1,
                                                     printable(readable(*path, 80)))};
    Plan plan;
    plan.name = std::move(name);
    plan.spec.program = std::move(*path);
    plan.spec.arguments = std::move(arguments);
    plan.spec.input = ChildSpec::Input::none;
    return plan;
}

// It is a member from here on, in the roster too, and its process is still to be asked for.
Result<Member*> Coordinator::start(const Spawn& command, const Plan& plan, Request request) {
    Result<ActorId> id = new_life(command.options.memory_bytes, plan.name);
    if (!id) return id.error();
    auto member = std::make_unique<Member>();
    member->id = *id;
    member->name = plan.name;
    member->program = plan.spec.program;
    member->wave = wave_;
    member->spawn_request = request;
    if (!command.outlives_spawner.value_or(false)) member->parent = request.asker;
    member->fingerprint_expected = command.fingerprint;
    Member& added = members_.add(std::move(member));
    pass_crash_point(CrashPoint::spawn_given);
    return &added;
}

// A number that nobody has, with its rows of roster, vitals and ledger. That it is taken is recorded first, so that a
// coordinator that takes over knows of it; without a process in the anchor's table it was never started.
Result<ActorId> Coordinator::new_life(std::uint64_t memory_bytes, std::string_view name) {
    const auto is_settling = [this](std::uint32_t number) {
        return estate_->is_settling(number) || restarts_.holds(number);
    };
    // A row in which the last life has withdrawn asks is kept for receivers that have not looked yet. If there is no
    // other row, such an ask may run after all.
    Result<ActorId> id = members_.new_id(
        [&](std::uint32_t number) { return is_settling(number) || vitals_->holds_withdrawn(number); });
    if (!id) id = members_.new_id(is_settling);
    if (!id) return id;
    if (Result<void> prepared = records_->prepare(id->number); !prepared) return prepared.error();
    Member taken;
    taken.id = *id;
    taken.name = name;
    taken.program = name;
    records_->write(taken);
    records_->header().last_number.store(id->number, std::memory_order_relaxed);
    records_->header().wave.store(wave_, std::memory_order_relaxed);
    pass_crash_point(CrashPoint::spawn_recorded);
    if (Result<void> prepared = prepare_life(*id, memory_bytes, name); !prepared) {
        records_->write_free(*id);
        return prepared.error();
    }
    return id;
}

// Its rows, beside that of the roster.
Result<void> Coordinator::prepare_life(ActorId id, std::uint64_t memory_bytes, std::string_view name) {
    if (Result<void> prepared = vitals_->prepare(id, name); !prepared) return prepared;
    if (Result<void> prepared = lanes_->prepare(id); !prepared) return prepared;
    return estate_->give_life(id, memory_bytes);
}

// The answer goes out now; the process is killed, and its exit settles the rest.
void Coordinator::fail_spawn(Member& member, const Error& error) {
    member.spawn_answer.fail(error);
    member.spawn_answer = {};
    members_.set_spawn_deadline(member, Deadline::never());
    static_cast<void>(member.send_signal(SIGKILL));
}

// It was never started: nothing is left of it, but the number of its life.
void Coordinator::undo_spawn(Member& member, const Error& why) {
    const ActorId id = member.id;
    member.spawn_answer.fail(why);
    static_cast<void>(estate_->settle(id));
    vitals_->note_exit(id);
    if (undo_restart(member, why)) return finish_stops();
    if (restarts_.find(id) != nullptr) forget_seat(id.number);
    records_->write_free(id);
    stopping_.exited(id);
    static_cast<void>(members_.undo(id));
    finish_stops();
}

void Coordinator::fail_late_spawn(Member& member) {
    fail_spawn(member,
               Error{ErrorKind::timed_out,
                     fmt::format("{} ({}) has not become an actor before the deadline and was killed: does its main "
                                 "call run_actor?",
                                 member.name, member.program)});
}

}  // namespace baton::detail::coordinator
