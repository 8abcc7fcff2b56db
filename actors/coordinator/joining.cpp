// The coordinator's door: how an actor or an outsider becomes a member, is ready, and says goodbye.
#include <algorithm>
#include <filesystem>

#include "actors/coordinator/coordinator_actor.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/base/log_level.hpp"
#include "runtime/inbox/access.hpp"
#include "runtime/base/text.hpp"
#include "runtime/inbox/call.hpp"
#include "runtime/process/find_program.hpp"
#include "runtime/process/process_facts.hpp"
#include "runtime/session/environment.hpp"
#include "runtime/transport/descriptors.hpp"

namespace baton::detail::coordinator {
namespace {

// A spawned actor takes its pidfd and its control lane, a member from outside a pidfd beside the connection it has.
constexpr int descriptors_per_spawn = 2;
constexpr int descriptors_per_join = 1;
// Connections are accepted a little longer than members are, so that those who come too late are told; and members a
// little longer than actors are started, so that somebody can still look, and stop what is too many.
constexpr int descriptors_for_refusals = 8;
constexpr int descriptors_for_visits = 8;

// What an actor is told by the one that starts it.
std::vector<std::pair<std::string, std::string>> environment_of(ActorId id, const SpawnOptions& options,
                                                                const std::string& folder) {
    std::vector<std::pair<std::string, std::string>> environment{
        {session_variable, folder},
        {actor_variable, to_string(id)},
        {coordinator_variable, std::to_string(::getpid())}};
    if (options.spin) {
        const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(*options.spin).count();
        environment.emplace_back(spin_variable, std::to_string(std::max<std::int64_t>(microseconds, 0)));
    }
    replace_bad_log_level(environment);
    return environment;
}

// Describes the holder of a name that is taken, for the text of an error.
std::string holder_of_name(const Member* holder, const Member* spawner) {
    if (holder == nullptr) return "the coordinator";
    if (holder == spawner)
        return fmt::format("the spawner itself (pid {}), which is called after its program or script unless it takes "
                           "another name when it enters the session",
                           holder->pid);
    return fmt::format("actor {} (pid {})", to_string(holder->id), holder->pid);
}

}  // namespace

Result<void> Coordinator::require_room(int descriptors, std::string_view tried) const {
    // Those that have been started and have not joined will still connect.
    return require_descriptors(descriptors + static_cast<int>(members_.awaited()) + descriptors_for_refusals, tried);
}

// ---- joining and leaving ---------------------------------------------------------------------------

void Coordinator::on(Join command, Answer<Welcome> answer) {
    if (is_closing_) return answer.fail(Error{ErrorKind::stopping, "the session is ending"});
    if (const Member* joined = members_.find(Access::link(answer)); joined != nullptr)
        return answer.fail(Error{ErrorKind::refused, fmt::format("this connection has joined already, as {} ({})",
                                                                 joined->name, to_string(joined->id))});
    if (encoded_body(command.protocol).size() > limits::protocol_bytes_max)
        return answer.fail(
            Error{ErrorKind::refused, fmt::format("the description of the protocol has more than {} bytes "
                                                  "(limits::protocol_bytes_max)",
                                                  limits::protocol_bytes_max)});
    if (Result<void> fine = check_address(command.address, command.as.id); !fine) return answer.fail(fine.error());
    if (command.as.id.is_somebody()) {
        Member* member = members_.find(command.as.id);
        if (member == nullptr || member->is_outsider() || member->link.is_some())
            return answer.fail(gone(fmt::format("nobody was spawned as actor {}", to_string(command.as.id))));
        members_.connect(*member, Access::link(answer), std::move(command.address));
        member->protocol = std::move(command.protocol);
        if (member->was_asked_to_stop)
            return answer.fail(Error{ErrorKind::stopping, fmt::format("{} was told to stop", member->name)});
        const std::uint64_t fingerprint = fingerprint_of(member->protocol);
        if (member->fingerprint_expected != 0 && member->fingerprint_expected != fingerprint) {
            const Error other{ErrorKind::refused,
                              fmt::format("the program {} speaks the protocol '{}' ({:016x}), not the one that its "
                                          "spawner was compiled with ({:016x}): build both anew",
                                          member->program, member->protocol.name, fingerprint,
                                          member->fingerprint_expected)};
            fail_spawn(*member, other);
            return answer.fail(other);
        }
        return welcome(*member, std::move(answer));
    }
    // An outsider. Names of outsiders never fail: the second "scenario" is "scenario-2".
    const std::string wanted = command.name.empty() ? "outsider" : command.name;
    if (Result<void> fine = check_name(wanted); !fine) return answer.fail(fine.error());
    if (Result<void> room =
            require_room(descriptors_per_join, fmt::format("the session can't take {} as a member", wanted));
        !room)
        return answer.fail(room.error());
    std::string name = members_.free_name(wanted);
    Result<ActorId> id = new_life(0, name);
    if (!id) return answer.fail(id.error());
    auto member = std::make_unique<Member>();
    member->id = *id;
    member->name = std::move(name);
    member->pid = command.pid;
    member->state = Member::State::ready;
    member->protocol = std::move(command.protocol);
    member->owns_session = command.owns_session && static_cast<pid_t>(command.pid) == setting_.serves_for;
    if (command.pid != 0) {
        Result<UniqueFd> pidfd = open_pidfd(static_cast<pid_t>(command.pid));
        Result<void> watched;
        if (pidfd) watched = watch(pidfd->get(), packed(*id));
        if (!pidfd || !watched) {
            static_cast<void>(estate_->settle(*id));  // nobody lives there
            return answer.fail(pidfd ? watched.error() : pidfd.error());
        }
        member->pidfd = std::move(*pidfd);
    }
    Member& added = members_.add(std::move(member));
    members_.connect(added, Access::link(answer), std::move(command.address));
    loop_->log().info("actor.joined", "name={} id={} pid={}", added.name, to_string(added.id), added.pid);
    welcome(added, std::move(answer));
}

void Coordinator::welcome(Member& member, Answer<Welcome> answer) {
    loop_->transport().keep(member.link);  // its control lane, as long as it lives
    loop_->commands().intake().introduce(member.link, member.id);
    answer.reply({AnyRef{member.id}, member.name, folder_->id(), static_cast<std::uint64_t>(::getpid()),
                  limits::send_timeout});
}

Result<Member*> Coordinator::sender(ActorId id, Link link) {
    Member* member = members_.find(id);
    if (member != nullptr && member->link == link) return member;
    return gone(fmt::format("this connection has not joined as actor {}", to_string(id)));
}

void Coordinator::on(const Ready&, Answer<std::monostate> answer) {
    Result<Member*> found = sender(answer.asker(), Access::link(answer));
    if (!found) return answer.fail(found.error());
    Member& member = **found;
    if (member.state != Member::State::starting) return answer.reply({});
    // The spawner has been told, or has given up by itself while we were held up.
    if (member.spawn_deadline.has_passed(loop_->clock())) {
        fail_late_spawn(member);
        return answer.fail(Error{ErrorKind::timed_out, "it became ready only after the deadline of its spawner"});
    }
    members_.set_state(member, Member::State::ready);
    members_.set_spawn_deadline(member, Deadline::never());
    loop_->log().info("actor.ready", "name={} id={} pid={}", member.name, to_string(member.id), member.pid);
    member.spawn_answer.reply({AnyRef{member.id}, member.name, member.pid, member.protocol});
    answer.reply({});
}

void Coordinator::on(Leave command, Answer<std::monostate> answer) {
    Result<Member*> found = sender(answer.asker(), Access::link(answer));
    if (!found) return answer.fail(found.error());
    Member& member = **found;
    if (command.dead_letters.size() > limits::actors_max) command.dead_letters.resize(limits::actors_max);
    for (DeadLetter& letter : command.dead_letters) {
        letter.from = reports_.name_of_sender(letter.from);
        letter.command = readable(letter.command, limits::name_bytes_max);
    }
    member.left = std::move(command.dead_letters);
    members_.set_state(member, Member::State::stopping);
    members_.set_spawn_deadline(member, Deadline::never());
    answer.reply({});
    if (member.is_outsider()) settle_exit(member, std::nullopt);
}

// ---- spawning --------------------------------------------------------------------------------------

Result<void> Coordinator::check_name(std::string_view name) const {
    const bool is_fine = !name.empty() && name.size() <= limits::name_bytes_max && printable(name) == name &&
                         std::ranges::none_of(name, [](char c) { return c == ' ' || c == '/'; });
    if (is_fine) return {};
    return Error{
        ErrorKind::refused,
        fmt::format("'{}' can't be a name: one to {} bytes of UTF-8 without spaces, '/' and control characters",
                    printable(readable(name, 40)), limits::name_bytes_max)};
}

// An exit removes the socket of its actor, so a member may name no file of somebody else's.
Result<void> Coordinator::check_address(std::string_view address, ActorId joins_as) {
    if (address.empty()) return {};
    const std::string prefix = fmt::format("ipc://{}/", folder_->path());
    const auto refused = [&](std::string_view why) {
        return Error{ErrorKind::refused,
                     fmt::format("'{}' can't be the address of an inbox: {}", readable(address, 200), why)};
    };
    if (!address.starts_with(prefix))
        return refused(fmt::format("an inbox is a socket in the session's folder, {}<name>.sock", prefix));
    const std::string_view socket = address.substr(prefix.size());
    const bool is_plain = std::ranges::all_of(socket, [](unsigned char c) { return c > 0x20 && c < 0x7F && c != '/'; });
    if (!is_plain || socket.size() <= 5 || !socket.ends_with(".sock"))
        return refused("a socket in the session's folder is called <name>.sock, in printable ASCII");
    if (address.size() - std::string_view("ipc://").size() > socket_path_size_bytes_max)
        return refused(fmt::format("the path of a socket has at most {} bytes", socket_path_size_bytes_max));
    if (address == coordinator_address(folder_->path())) return refused("it is the coordinator's");
    if (const Member* holder = members_.at_address(std::string(address)); holder != nullptr && holder->id != joins_as)
        return refused(fmt::format("it is that of {}", holder->name));
    return {};
}

void Coordinator::on(Spawn command, Answer<Spawned> answer) {
    if (is_closing_)
        return answer.fail(Error{ErrorKind::stopping, "the session is ending: nothing is spawned any more"});
    Result<Member*> spawner = sender(answer.asker(), Access::link(answer));
    if (!spawner) return answer.fail(gone("only a member of the session can spawn: join first"));
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
    Result<std::unique_ptr<Member>> started = start(command, answer.asker());
    if (!started) return answer.fail(started.error());
    if (!members_.any_starts()) ++wave_;
    std::unique_ptr<Member>& member = *started;
    member->wave = wave_;
    member->watchers.insert(answer.asker());
    member->spawn_answer = std::move(answer);
    Member& added = members_.add(std::move(member));
    members_.set_spawn_deadline(added, deadline);
    loop_->log().info("actor.spawned", "name={} id={} pid={} program={}", added.name, to_string(added.id), added.pid,
                      added.program);
}

Result<std::unique_ptr<Member>> Coordinator::start(const Spawn& command, ActorId spawner) {
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
    Result<ActorId> id = new_life(options.memory_bytes, name);
    if (!id) return id.error();
    pass_crash_point(CrashPoint::spawn_given);

    ChildSpec spec;
    spec.program = *path;
    spec.arguments = std::move(arguments);
    spec.input = ChildSpec::Input::none;
    spec.environment = environment_of(*id, options, folder_->path());
    Result<Child> child = Child::start(spec);
    Result<void> watched;
    if (child) watched = watch(child->pidfd(), packed(*id));
    if (!child || !watched) {
        static_cast<void>(estate_->settle(*id));  // nobody lives there
        return child ? watched.error() : child.error();
    }
    pass_crash_point(CrashPoint::spawn_started);

    auto member = std::make_unique<Member>();
    member->id = *id;
    member->name = std::move(name);
    member->program = std::move(*path);
    member->pid = static_cast<std::uint64_t>(child->pid());
    if (!command.outlives_spawner.value_or(false)) member->parent = spawner;
    member->child.emplace(std::move(*child));
    member->fingerprint_expected = command.fingerprint;
    return member;
}

// A number that nobody has, with its rows of vitals and ledger.
Result<ActorId> Coordinator::new_life(std::uint64_t memory_bytes, std::string_view name) {
    const auto is_settling = [this](std::uint32_t number) { return estate_->is_settling(number); };
    // A row in which the last life has withdrawn asks is kept for receivers that have not looked yet. If there is no
    // other row, such an ask may run after all.
    Result<ActorId> id = members_.new_id(
        [&](std::uint32_t number) { return is_settling(number) || vitals_->holds_withdrawn(number); });
    if (!id) id = members_.new_id(is_settling);
    if (!id) return id;
    if (Result<void> prepared = vitals_->prepare(*id, name); !prepared) return prepared.error();
    if (Result<void> prepared = lanes_->prepare(*id); !prepared) return prepared.error();
    if (Result<void> lives = estate_->give_life(*id, memory_bytes); !lives) return lives.error();
    return id;
}

// The answer goes out now; the process is killed, and its exit settles the rest.
void Coordinator::fail_spawn(Member& member, const Error& error) {
    member.spawn_answer.fail(error);
    member.spawn_answer = {};
    members_.set_spawn_deadline(member, Deadline::never());
    static_cast<void>(member.child->send_signal(SIGKILL));
}

void Coordinator::fail_late_spawn(Member& member) {
    fail_spawn(member,
               Error{ErrorKind::timed_out,
                     fmt::format("{} ({}) has not become an actor before the deadline and was killed: does its main "
                                 "call run_actor?",
                                 member.name, member.program)});
}

}  // namespace baton::detail::coordinator
