#include "actors/coordinator/coordinator_actor.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "runtime/base/check.hpp"
#include "runtime/inbox/call.hpp"
#include "runtime/inbox/dispatch.hpp"
#include "runtime/process/find_program.hpp"
#include "runtime/process/process_facts.hpp"
#include "runtime/session/environment.hpp"

namespace baton::coordinator {
namespace {

// What epoll wakes us for, beside the exits of members (packed ids, which are larger).
constexpr std::uint64_t stop_signal = 1;
constexpr std::uint64_t served_process = 2;
constexpr std::uint64_t scenario_exit = 3;

// The scenario on the ladder: it is no spawned actor, but it is a child that must end.
constexpr ActorId scenario_on_ladder{0, 1};

// The owner is gone without a word: nobody waits for a gentle end.
constexpr Duration orphaned_deadline = std::chrono::seconds{1};

constexpr Duration deadline_max = std::chrono::hours{24 * 365};

Error gone(std::string text) { return Error{ErrorKind::gone, std::move(text)}; }

Duration bounded(Duration deadline) { return std::clamp(deadline, Duration::zero(), deadline_max); }

}  // namespace

Result<std::unique_ptr<Coordinator>> Coordinator::create(Loop& loop, SessionFolder& folder, Vitals& vitals,
                                                         StopSignals& signals, Setting setting) {
    UniqueFd epoll{::epoll_create1(EPOLL_CLOEXEC)};
    if (!epoll.is_open()) return Error{ErrorKind::overloaded, "cannot watch processes: no descriptor left"};
    std::unique_ptr<Coordinator> coordinator{
        new Coordinator(loop, folder, vitals, signals, std::move(setting), std::move(epoll))};
    Coordinator& self = *coordinator;
    if (Result<void> watched = self.watch(signals.fd(), stop_signal); !watched) return watched.error();
    if (self.setting_.serves_for != 0) {
        Result<UniqueFd> pidfd = open_pidfd(self.setting_.serves_for);
        if (!pidfd) return pidfd.error();
        self.served_pidfd_ = std::move(*pidfd);
        if (Result<void> watched = self.watch(self.served_pidfd_.get(), served_process); !watched) return watched.error();
    }
    if (self.setting_.scenario)
        if (Result<void> watched = self.watch(self.setting_.scenario->pidfd(), scenario_exit); !watched)
            return watched.error();
    return coordinator;
}

Coordinator::Coordinator(Loop& loop, SessionFolder& folder, Vitals& vitals, StopSignals& signals, Setting setting,
                         UniqueFd epoll)
    : loop_(&loop),
      folder_(&folder),
      vitals_(&vitals),
      signals_(&signals),
      setting_(std::move(setting)),
      epoll_(std::move(epoll)),
      dispatch_(std::make_unique<Dispatch<Coordinator, Protocol>>(loop, *this)) {}

Result<void> Coordinator::watch(int descriptor, std::uint64_t what) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = what;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) == 0) return {};
    return Error{ErrorKind::overloaded, fmt::format("cannot watch a process: {}", std::strerror(errno))};
}

// ---- joining and leaving ---------------------------------------------------------------------------

void Coordinator::on(Join command, Answer<Welcome> answer) {
    if (is_closing_) return answer.fail(Error{ErrorKind::stopping, "the session is ending"});
    if (Result<void> fine = check_address(command.address, command.as.id); !fine) return answer.fail(fine.error());
    if (command.as.id.is_somebody()) {
        Member* member = members_.find(command.as.id);
        if (member == nullptr || member->is_outsider() || member->link.is_some())
            return answer.fail(gone(fmt::format("nobody was spawned as actor {}", to_string(command.as.id))));
        member->link = answer.link();
        member->address = std::move(command.address);
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
    Result<ActorId> id = members_.new_id();
    if (!id) return answer.fail(id.error());
    if (Result<void> prepared = vitals_->prepare(*id); !prepared) return answer.fail(prepared.error());
    auto member = std::make_unique<Member>();
    member->id = *id;
    member->name = members_.free_name(wanted);
    member->pid = command.pid;
    member->state = Member::State::ready;
    member->link = answer.link();
    member->address = std::move(command.address);
    member->protocol = std::move(command.protocol);
    member->owns_session = command.owns_session && static_cast<pid_t>(command.pid) == setting_.serves_for;
    if (command.pid != 0) {
        Result<UniqueFd> pidfd = open_pidfd(static_cast<pid_t>(command.pid));
        if (!pidfd) return answer.fail(pidfd.error());
        member->pidfd = std::move(*pidfd);
        if (Result<void> watched = watch(member->pidfd.get(), packed(*id)); !watched) return answer.fail(watched.error());
    }
    Member& added = members_.add(std::move(member));
    loop_->log().info("actor.joined", "name={} id={} pid={}", added.name, to_string(added.id), added.pid);
    welcome(added, std::move(answer));
}

void Coordinator::welcome(Member& member, Answer<Welcome> answer) {
    loop_->transport().keep(member.link);  // its control lane, as long as it lives
    answer.reply({AnyRef{member.id}, member.name, folder_->id(), static_cast<std::uint64_t>(::getpid()),
                  limits::send_deadline});
}

Result<Member*> Coordinator::sender(ActorId id, Link link) {
    Member* member = members_.find(id);
    if (member != nullptr && member->link == link) return member;
    return gone(fmt::format("this connection has not joined as actor {}", to_string(id)));
}

void Coordinator::on(const Ready&, Answer<std::monostate> answer) {
    Result<Member*> found = sender(answer.asker(), answer.link());
    if (!found) return answer.fail(found.error());
    Member& member = **found;
    if (member.state != Member::State::starting) return answer.reply({});
    member.state = Member::State::ready;
    member.spawn_deadline = Deadline::never();
    loop_->log().info("actor.ready", "name={} id={} pid={}", member.name, to_string(member.id), member.pid);
    member.spawn_answer.reply({AnyRef{member.id}, member.name, member.pid, member.protocol});
    answer.reply({});
}

void Coordinator::on(Leave command, Answer<std::monostate> answer) {
    Result<Member*> found = sender(answer.asker(), answer.link());
    if (!found) return answer.fail(found.error());
    Member& member = **found;
    if (command.dead_letters.size() > limits::actors_max) command.dead_letters.resize(limits::actors_max);
    for (DeadLetter& letter : command.dead_letters) letter.from = name_of_sender(letter.from);
    member.left = std::move(command.dead_letters);
    member.state = Member::State::stopping;
    answer.reply({});
    if (member.is_outsider()) settle_exit(member, std::nullopt);
}

std::string Coordinator::name_of_sender(std::string_view id) const {
    for (const auto& [number, member] : const_cast<Members&>(members_).living())
        if (to_string(member->id) == id) return member->name;
    for (const Past& past : members_.past())
        if (to_string(past.row.actor.id) == id) return past.row.name;
    return std::string(id);
}

// ---- spawning --------------------------------------------------------------------------------------

Result<void> Coordinator::check_name(std::string_view name) const {
    const bool is_fine = !name.empty() && name.size() <= limits::name_bytes_max &&
                         std::ranges::none_of(name, [](unsigned char c) { return c < 0x21 || c == 0x7F || c == '/'; });
    if (is_fine) return {};
    return Error{ErrorKind::refused, fmt::format("'{}' can't be a name: one to {} characters without spaces and '/'",
                                                 name.substr(0, 40), limits::name_bytes_max)};
}

// An exit removes the socket of its actor, so a member may name no file of somebody else's.
Result<void> Coordinator::check_address(std::string_view address, ActorId joins_as) {
    const std::string prefix = fmt::format("ipc://{}/", folder_->path());
    const auto refused = [&](std::string_view why) {
        return Error{ErrorKind::refused, fmt::format("'{}' can't be the address of an inbox: {}", address.substr(0, 200), why)};
    };
    if (address.starts_with(prefix)) {
        const std::string_view socket = address.substr(prefix.size());
        if (socket.find('/') != std::string_view::npos || socket.size() <= 5 || !socket.ends_with(".sock"))
            return refused("a socket in the session's folder is called <name>.sock");
    }
    if (address == coordinator_address(folder_->path())) return refused("it is the coordinator's");
    for (const auto& [number, member] : members_.living())
        if (!address.empty() && member->id != joins_as && member->address == address)
            return refused(fmt::format("it is that of {}", member->name));
    return {};
}

void Coordinator::on(Spawn command, Answer<Spawned> answer) {
    if (is_closing_) return answer.fail(Error{ErrorKind::stopping, "the session is ending: nothing is spawned any more"});
    Result<Member*> spawner = sender(answer.asker(), answer.link());
    if (!spawner) return answer.fail(gone("only a member of the session can spawn: join first"));
    Result<std::unique_ptr<Member>> started = start(command, answer.asker());
    if (!started) return answer.fail(started.error());
    const bool any_starts = std::ranges::any_of(members_.living(), [](const auto& entry) {
        return entry.second->state == Member::State::starting;
    });
    if (!any_starts) ++wave_;
    std::unique_ptr<Member>& member = *started;
    member->wave = wave_;
    member->watchers.insert(answer.asker());
    member->spawn_answer = std::move(answer);
    member->spawn_deadline = Deadline::in(loop_->clock(), bounded(command.deadline));
    const Member& added = members_.add(std::move(member));
    loop_->log().info("actor.spawned", "name={} id={} pid={} program={}", added.name, to_string(added.id), added.pid,
                      added.program);
}

Result<std::unique_ptr<Member>> Coordinator::start(const Spawn& command, ActorId spawner) {
    const Member* parent = members_.find(spawner);
    if (parent == nullptr) return gone("only a member of the session can spawn: join first");
    std::vector<std::string> folders = command.folders;
    const std::vector<std::string> own = program_folders();
    folders.insert(folders.end(), own.begin(), own.end());
    Result<std::string> path = find_program(command.program, folders);
    if (!path) return path.error();

    const bool is_named = !command.name.empty();
    const std::string base = is_named ? command.name : std::filesystem::path(*path).filename().string();
    if (Result<void> fine = check_name(base); !fine) return fine.error();
    std::string name = parent->is_outsider() ? base : parent->name + "/" + base;
    if (name.size() > limits::name_bytes_max)
        return Error{ErrorKind::refused, fmt::format("the name {} is longer than {} bytes", name, limits::name_bytes_max)};
    if (const Member* taken = members_.find(name); taken != nullptr) {
        if (is_named)
            return Error{ErrorKind::refused, fmt::format("the name '{}' is in use by actor {} (pid {}): choose another",
                                                         name, to_string(taken->id), taken->pid)};
        name = members_.free_name(name);
    }
    Result<ActorId> id = members_.new_id();
    if (!id) return id.error();
    if (Result<void> prepared = vitals_->prepare(*id); !prepared) return prepared.error();

    ChildSpec spec;
    spec.program = *path;
    spec.arguments = command.arguments;
    spec.input = ChildSpec::Input::none;
    spec.environment = {{session_variable, folder_->path()},
                        {actor_variable, to_string(*id)},
                        {coordinator_variable, std::to_string(::getpid())}};
    Result<Child> child = Child::start(spec);
    if (!child) return child.error();
    if (Result<void> watched = watch(child->pidfd(), packed(*id)); !watched) return watched.error();

    auto member = std::make_unique<Member>();
    member->id = *id;
    member->name = std::move(name);
    member->program = std::move(*path);
    member->pid = static_cast<std::uint64_t>(child->pid());
    member->parent = spawner;
    member->child.emplace(std::move(*child));
    member->fingerprint_expected = command.fingerprint;
    return member;
}

// The answer goes out now; the process is killed, and its exit settles the rest.
void Coordinator::fail_spawn(Member& member, const Error& error) {
    member.spawn_answer.fail(error);
    member.spawn_answer = {};
    member.spawn_deadline = Deadline::never();
    static_cast<void>(member.child->send_signal(SIGKILL));
}

// ---- looking up ------------------------------------------------------------------------------------

void Coordinator::on(const Locate& command, Answer<Located> answer) {
    const ActorId id = command.actor.id;
    if (id == coordinator_id)
        return answer.reply({"coordinator", coordinator_address(folder_->path())});
    if (Member* member = members_.find(id); member != nullptr) {
        if (member->address.empty())
            return answer.fail(Error{ErrorKind::refused, fmt::format("{} has no inbox: nothing can be sent to it", member->name)});
        if (sender(answer.asker(), answer.link())) member->watchers.insert(answer.asker());
        return answer.reply({member->name, member->address});
    }
    if (const Past* past = members_.find_past(id); past != nullptr)
        return answer.fail(gone(fmt::format("{} has exited: {}", past->row.name, to_text(past->row.exit))));
    answer.fail(gone(fmt::format("no actor {} in this session", to_string(id))));
}

void Coordinator::on(const Find& command, Answer<Spawned> answer) {
    if (command.name == "coordinator")
        return answer.reply({AnyRef{coordinator_id}, "coordinator", static_cast<std::uint64_t>(::getpid()),
                             describe_protocol<Protocol>()});
    if (const Member* member = members_.find(command.name); member != nullptr)
        return answer.reply({AnyRef{member->id}, member->name, member->pid, member->protocol});
    const auto past = std::ranges::find(members_.past(), command.name, [](const Past& one) { return one.row.name; });
    if (past != members_.past().end())
        return answer.fail(gone(fmt::format("{} has exited: {}", command.name, to_text(past->row.exit))));
    std::string names;
    for (const auto& [number, member] : members_.living()) names += (names.empty() ? "" : ", ") + member->name;
    answer.fail(gone(fmt::format("no actor '{}' in this session; there {} {}", command.name,
                                 members_.living().size() == 1 ? "is" : "are", names.empty() ? "none" : names)));
}

std::vector<RosterRow> Coordinator::on(const Roster& command) {
    std::vector<RosterRow> rows;
    for (const auto& [number, member] : members_.living()) rows.push_back(row_of(*member));
    if (command.with_exited)
        for (const Past& past : members_.past()) rows.push_back(past.row);
    return rows;
}

RosterRow Coordinator::row_of(const Member& member) const {
    RosterRow row{AnyRef{member.id}, member.name, member.program, member.pid, 0, "", 0, 0, "", {}};
    switch (member.state) {
        case Member::State::starting: row.state = "starting"; break;
        case Member::State::ready: row.state = "ready"; break;
        case Member::State::stopping: row.state = "stopping"; break;
    }
    if (const VitalsRow* vitals = vitals_->row_of(member.id); vitals != nullptr) {
        row.handled = vitals->handled.load(std::memory_order_relaxed);
        if (vitals->in_hand_since.load(std::memory_order_relaxed) != 0) {
            row.in_hand.assign(vitals->in_hand, ::strnlen(vitals->in_hand, VitalsRow::text_bytes));
            if (member.state == Member::State::ready) row.state = "busy";
        }
    }
    for (const auto& [number, other] : const_cast<Members&>(members_).living())
        row.inbox_depth += vitals_->waiting(other->id, member.id);
    if (member.pid != 0) {
        if (const std::optional<ProcessFacts> facts = facts_of(static_cast<pid_t>(member.pid)); facts) {
            row.ppid = static_cast<std::uint64_t>(facts->ppid);
            if (facts->state == 'T' || facts->state == 't') row.state = "frozen";
        }
    }
    return row;
}

// ---- exits -----------------------------------------------------------------------------------------

Exit Coordinator::exit_of(const Member& member, std::optional<ExitStatus> status) const {
    Exit exit;
    if (const VitalsRow* vitals = vitals_->row_of(member.id); vitals != nullptr) {
        exit.text.assign(vitals->last_words, ::strnlen(vitals->last_words, VitalsRow::text_bytes));
        if (vitals->in_hand_since.load(std::memory_order_relaxed) != 0)
            exit.in_hand.assign(vitals->in_hand, ::strnlen(vitals->in_hand, VitalsRow::text_bytes));
    }
    exit.dead_letters = dead_letters_of(member);
    if (!status) {
        exit.kind = ExitKind::left;
        if (!member.left) exit.text = "ended without a word";
    } else if (status->by_signal) {
        exit.kind = ExitKind::signalled;
        exit.code = status->code_or_signal;
    } else if (status->code_or_signal == check_exit_code && !exit.text.empty()) {
        exit.kind = ExitKind::failed_check;
        exit.code = status->code_or_signal;
    } else if (status->code_or_signal == 0 && (member.left || member.was_asked_to_stop)) {
        exit.kind = ExitKind::stopped;
    } else {
        exit.kind = ExitKind::returned;
        exit.code = status->code_or_signal;
    }
    return exit;
}

std::vector<DeadLetter> Coordinator::dead_letters_of(const Member& member) const {
    // What it said itself, command by command, and what it could not say: sent, and never taken.
    std::vector<DeadLetter> letters = member.left.value_or(std::vector<DeadLetter>{});
    const auto add_untaken = [&](ActorId sender, const std::string& name) {
        std::uint64_t waiting = vitals_->waiting(sender, member.id);
        if (waiting > 0) letters.push_back({name, "", waiting});
    };
    for (const auto& [number, other] : const_cast<Members&>(members_).living())
        if (other->id != member.id) add_untaken(other->id, other->name);
    for (const Past& past : members_.past()) add_untaken(past.row.actor.id, past.row.name);
    return letters;
}

void Coordinator::settle_exit(Member& living, std::optional<ExitStatus> status) {
    const ActorId id = living.id;
    // Asked for nobody any more: from here no row may name it.
    std::vector<ActorId> orphans;
    for (const auto& [number, other] : members_.living())
        if (other->parent == id) orphans.push_back(other->id);

    RosterRow row = row_of(living);
    row.exit = exit_of(living, status);
    row.state = "exited";
    row.inbox_depth = 0;
    if (living.exit_descriptor() >= 0)
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, living.exit_descriptor(), nullptr);
    const std::unique_ptr<Member> member = members_.remove(id, row);

    const std::string prefix = fmt::format("ipc://{}/", folder_->path());
    if (member->address.starts_with(prefix)) {
        const std::string socket = member->address.substr(prefix.size());
        std::error_code ignored;  // it may have removed its socket itself
        if (socket.find('/') == std::string::npos) std::filesystem::remove(folder_->path() + "/" + socket, ignored);
    }
    const Exit& exit = row.exit;
    const bool was_expected = exit.kind == ExitKind::stopped || exit.kind == ExitKind::left || member->was_asked_to_stop;
    const std::string in_hand = exit.in_hand.empty() ? "" : fmt::format(" while handling {}", exit.in_hand);
    if (was_expected) {
        loop_->log().info("actor.exited", "name={} {}{}", member->name, to_text(exit), in_hand);
    } else {
        loop_->log().warn("actor.exited", "name={} {}{}", member->name, to_text(exit), in_hand);
    }
    for (const DeadLetter& letter : exit.dead_letters)
        loop_->log().warn("letters.dead", "to={} from={} count={}{}", member->name, letter.from, letter.count,
                          letter.command.empty() ? "" : " command=" + letter.command);

    if (member->state == Member::State::starting)
        member->spawn_answer.fail(Error{ErrorKind::failed, fmt::format("{} ({}) ended before it was ready: {}", member->name,
                                                                       member->program, to_text(exit))});
    const Ended ended{AnyRef{id}, member->name, exit};
    for (Answer<Ended>& answer : member->awaiting) answer.reply(ended);
    for (const ActorId watcher : member->watchers)
        if (const Member* told = members_.find(watcher); told != nullptr)
            notify(*told, notice::Exited{AnyRef{id}, member->name, exit});
    loop_->forget(id);

    unread_closed_.erase(id);
    for (const auto& job : jobs_) job->ladder.exited(id);
    if (member->owns_session) close(orphaned_deadline);
    if (!is_closing_ && !orphans.empty())
        begin_stop(std::move(orphans), Deadline::in(loop_->clock(), setting_.stop_deadline), false, {});
    finish_jobs();
}

void Coordinator::on(const Await& command, Answer<Ended> answer) {
    if (Member* member = members_.find(command.actor.id); member != nullptr) {
        member->awaiting.push_back(std::move(answer));
    } else if (const Past* past = members_.find_past(command.actor.id); past != nullptr) {
        answer.reply({past->row.actor, past->row.name, past->row.exit});
    } else {
        answer.fail(gone(fmt::format("no actor {} in this session", to_string(command.actor.id))));
    }
}

// ---- stopping --------------------------------------------------------------------------------------

void Coordinator::on(const Signal& command, Answer<std::monostate> answer) {
    Member* member = members_.find(command.actor.id);
    if (member == nullptr) return answer.fail(gone(fmt::format("no actor {} is alive", to_string(command.actor.id))));
    if (!member->child)
        return answer.fail(Error{ErrorKind::refused, fmt::format("{} was not started by this coordinator: it can only be "
                                                                 "asked to stop", member->name)});
    if (Result<void> sent = member->child->send_signal(command.signal); !sent) return answer.fail(sent.error());
    answer.reply({});
}

void Coordinator::on(const StopActors& command, Answer<std::vector<Ended>> answer) {
    std::vector<ActorId> named;
    if (command.actors.empty())
        for (const auto& [number, member] : members_.living())
            if (!member->is_outsider()) named.push_back(member->id);
    for (const AnyRef& actor : command.actors) {
        if (members_.find(actor.id) == nullptr && members_.find_past(actor.id) == nullptr)
            return answer.fail(gone(fmt::format("no actor {} in this session", to_string(actor.id))));
        named.push_back(actor.id);
    }
    begin_stop(std::move(named), Deadline::in(loop_->clock(), bounded(command.deadline)), command.drain, std::move(answer));
}

void Coordinator::begin_stop(std::vector<ActorId> named, Deadline deadline, bool drain,
                             Answer<std::vector<Ended>> answer) {
    std::map<std::uint64_t, std::set<ActorId>, std::greater<>> waves;  // the last to start first
    for (const ActorId id : named) {
        if (id == scenario_on_ladder) waves[wave_ + 1].insert(id);
        for (const Member* member : members_.family_of(id))
            waves[member->is_outsider() ? wave_ + 1 : member->wave].insert(member->id);
    }
    std::vector<std::set<ActorId>> order;
    for (auto& [wave, ids] : waves) order.push_back(std::move(ids));
    jobs_.push_back(std::make_unique<StopJob>(StopJob{StopLadder{loop_->clock(), std::move(order), deadline},
                                                      std::move(named), drain, std::move(answer)}));
    climb(*jobs_.back());
    finish_jobs();
}

void Coordinator::climb(StopJob& job) {
    for (const StopLadder::Step& step : job.ladder.due()) take_step(step, job.drain);
}

void Coordinator::take_step(const StopLadder::Step& step, bool drain) {
    using Rung = StopLadder::Rung;
    const int signal = step.rung == Rung::terminate ? SIGTERM : SIGKILL;
    if (step.actor == scenario_on_ladder) {
        if (step.rung != Rung::ask) static_cast<void>(setting_.scenario->send_signal(signal));
        return;
    }
    Member* member = members_.find(step.actor);
    if (member == nullptr) return;
    if (step.rung == Rung::ask) {
        if (std::exchange(member->was_asked_to_stop, true)) return;
        if (member->link.is_some()) return notify(*member, notice::Stop{drain});
        // It has not joined, so it can't be asked.
        if (member->child) static_cast<void>(member->child->send_signal(SIGTERM));
        return;
    }
    if (!member->child) {  // an outsider is not ours to kill
        for (const auto& job : jobs_) job->ladder.exited(step.actor);
        return;
    }
    loop_->log().warn(step.rung == Rung::terminate ? "actor.terminated" : "actor.killed",
                      "name={} it did not stop when asked", member->name);
    static_cast<void>(member->child->send_signal(signal));
}

void Coordinator::finish_jobs() {
    for (std::size_t index = 0; index < jobs_.size();) {
        StopJob& job = *jobs_[index];
        climb(job);  // the next wave, when one has just ended
        if (!job.ladder.is_done()) {
            ++index;
            continue;
        }
        std::vector<Ended> ended;
        for (const ActorId id : job.named)
            if (const Past* past = members_.find_past(id); past != nullptr)
                ended.push_back({past->row.actor, past->row.name, past->row.exit});
        job.answer.reply(ended);
        jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(index));
    }
    close_if_empty();
}

void Coordinator::on(const CloseSession& command, Answer<Closed> answer) {
    closing_.push_back(std::move(answer));
    close(bounded(command.deadline));
}

void Coordinator::close(Duration deadline) {
    if (std::exchange(is_closing_, true)) return;
    std::vector<ActorId> named;
    for (const auto& [number, member] : members_.living()) {
        if (!member->is_outsider()) named.push_back(member->id);
        // Outsiders are told, and not waited for: they are not ours. Who asked for the end knows it.
        const bool has_asked = std::ranges::any_of(closing_, [id = member->id](const auto& one) { return one.asker() == id; });
        if (member->is_outsider() && !has_asked && !std::exchange(member->was_asked_to_stop, true))
            notify(*member, notice::Stop{});
    }
    if (setting_.scenario && !scenario_exit_code_) named.push_back(scenario_on_ladder);
    begin_stop(std::move(named), Deadline::in(loop_->clock(), deadline), false, {});
}

void Coordinator::close_if_empty() {
    if (!is_closing_ || !jobs_.empty() || is_closed_) return;
    Closed closed;
    for (const Past& past : members_.past())
        if (!past.row.program.empty()) closed.ended.push_back({past.row.actor, past.row.name, past.row.exit});
    // Whoever sees us exit before the answer has reached him would call it a death: so he says Leave first.
    for (Answer<Closed>& answer : closing_) {
        answer.reply(closed);
        if (members_.find(answer.asker()) != nullptr) unread_closed_.insert(answer.asker());
        goodbye_deadline_ = Deadline::in(loop_->clock(), limits::linger);
    }
    closing_.clear();
    is_closed_ = unread_closed_.empty() || goodbye_deadline_.has_passed(loop_->clock());
}

template <class Notice>
void Coordinator::notify(const Member& member, const Notice& notice) {
    if (!member.link.is_some()) return;
    const bool was_posted = loop_->post(
        member.link, Envelope{MessageKind::notice, coordinator_id, member.id, 0, 0, command_name<Notice>}, encoded_body(notice));
    if (!was_posted) loop_->log().debug("notice.undelivered", "to={}", member.name);
}

// ---- waking up -------------------------------------------------------------------------------------

void Coordinator::on_descriptor() {
    std::array<epoll_event, 64> events{};
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
    for (int index = 0; index < count; ++index) {
        const std::uint64_t what = events[static_cast<std::size_t>(index)].data.u64;
        if (what == stop_signal) {
            static_cast<void>(signals_->take());
            if (signals_->count() >= 2) {
                for (const auto& job : jobs_) job->ladder.hurry();
            }
            close(setting_.stop_deadline);
            on_deadline();
        } else if (what == served_process) {
            ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, served_pidfd_.get(), nullptr);
            close(orphaned_deadline);
        } else if (what == scenario_exit) {
            const std::optional<ExitStatus> status = setting_.scenario->reap();
            if (!status) continue;
            ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, setting_.scenario->pidfd(), nullptr);
            scenario_exit_code_ = status->by_signal ? 128 + status->code_or_signal : status->code_or_signal;
            for (const auto& job : jobs_) job->ladder.exited(scenario_on_ladder);
            close(setting_.stop_deadline);
            finish_jobs();
        } else if (Member* member = members_.find(ActorId{static_cast<std::uint32_t>(what >> 32),
                                                          static_cast<std::uint32_t>(what)});
                   member != nullptr) {
            std::optional<ExitStatus> status;
            if (member->child && !(status = member->child->reap())) continue;
            settle_exit(*member, status);
        }
    }
}

Deadline Coordinator::next_deadline() const {
    Deadline next = goodbye_deadline_;
    for (const auto& job : jobs_) next = next.or_earlier(job->ladder.next());
    for (const auto& [number, member] : const_cast<Members&>(members_).living())
        next = next.or_earlier(member->spawn_deadline);
    return next;
}

void Coordinator::on_deadline() {
    for (const auto& [number, member] : members_.living())
        if (member->state == Member::State::starting && member->spawn_deadline.has_passed(loop_->clock()))
            fail_spawn(*member, Error{ErrorKind::timed_out,
                                      fmt::format("{} ({}) has not become an actor before the deadline and was killed: does "
                                                  "its main call run_actor?", member->name, member->program)});
    for (const auto& job : jobs_) climb(*job);
    finish_jobs();
}

}  // namespace baton::coordinator
