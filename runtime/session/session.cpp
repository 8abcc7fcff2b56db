#include "runtime/session.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <unordered_set>

#include "runtime/base/check.hpp"
#include "runtime/holdings/arrivals.hpp"
#include "runtime/process/child.hpp"
#include "runtime/process/process_facts.hpp"
#include "runtime/process/session_folder.hpp"
#include "runtime/process/sweep.hpp"
#include "runtime/session/environment.hpp"
#include "runtime/transport/zmq_transport.hpp"

namespace baton {
namespace {

// The coordinator that this program starts for itself: named by the user, beside the program, or installed.
Result<std::string> find_coordinator(const std::vector<std::string>& folders) {
    if (const char* named = std::getenv("BATON_COORDINATOR_PROGRAM"); named != nullptr) return std::string(named);
    std::vector<std::string> looked_in = folders;
    for (const std::string& folder : program_folders()) looked_in.push_back(folder);
    std::string path_list = std::getenv("PATH") == nullptr ? "" : std::getenv("PATH");
    for (std::size_t start = 0; start <= path_list.size();) {
        const std::size_t end = std::min(path_list.find(':', start), path_list.size());
        if (end > start) looked_in.push_back(path_list.substr(start, end - start));
        start = end + 1;
    }
    for (const std::string& folder : looked_in)
        for (const char* name : {"coordinator", "baton-coordinator"}) {
            const std::string path = folder + "/" + name;
            if (::access(path.c_str(), X_OK) == 0) return path;
        }
    return Error{ErrorKind::gone,
                 "no session is running, and no coordinator to start one was found beside this program or in PATH: "
                 "install baton-coordinator, or name it in BATON_COORDINATOR_PROGRAM"};
}

// What comes through `fd` until its end or a line's end.
std::string read_line(int fd, Duration at_most) {
    SystemClock clock;
    const Deadline deadline = Deadline::in(clock, at_most);
    std::string line;
    char byte = 0;
    while (!deadline.has_passed(clock)) {
        pollfd polled{fd, POLLIN, 0};
        const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(deadline.left(clock)).count();
        if (::poll(&polled, 1, static_cast<int>(milliseconds) + 1) <= 0) continue;
        if (::read(fd, &byte, 1) != 1 || byte == '\n') break;
        line += byte;
    }
    return line;
}

constexpr Duration coordinator_start_deadline = std::chrono::seconds{10};
constexpr Duration coordinator_exit_deadline = std::chrono::seconds{2};

}  // namespace

// Commands that came to the inbox and wait for collect().
class Session::Mail final : public Handler {
public:
    explicit Mail() = default;
    void handle(const Command& command, AnswerSlot answer) override {
        std::shared_ptr<Arrivals> arrivals;
        if (!command.envelope.manifest.empty()) {
            arrivals = std::make_shared<Arrivals>(loop->holdings(), command.envelope.from, command.envelope.manifest);
            if (Result<void> accepted = arrivals->accept_all(); !accepted) {
                if (answer.is_asked()) return answer.fail(accepted.error());
                return loop->refuse(command, accepted.error());
            }
        }
        messages.push_back({std::string(command.envelope.tag), Buffer(command.body_bytes), command.envelope.from,
                            std::move(answer), std::move(arrivals)});
        ++arrived;
    }
    Loop* loop = nullptr;
    std::deque<Message> messages;
    std::uint64_t arrived = 0;
};

struct Session::Parts {
    SystemClock clock;
    Log log{"scenario"};
    ZmqTransport transport;
    Loop loop{transport, clock, log};
    std::optional<Vitals> vitals;
    UniqueFd coordinator_pidfd;
};

Session::Session() : parts_(std::make_unique<Parts>()), loop_(&parts_->loop), mail_(std::make_unique<Mail>()) {
    context_ = std::make_unique<Context>(*loop_);
    context_->send_at_once();
    mail_->loop = loop_;
    loop_->collect_with(*mail_);
}

Session::~Session() { static_cast<void>(close()); }

Result<std::unique_ptr<Session>> Session::enter(Entry entry) {
    std::unique_ptr<Session> session{new Session};
    session->program_folders_ = entry.program_folders;
    for (std::string& folder : program_folders()) session->program_folders_.push_back(std::move(folder));

    const bool names_one = entry.session.has_value() || std::getenv(session_variable) != nullptr;
    if (names_one || !entry.may_start) {
        Result<SessionInfo> found = find_session(entry.session);
        if (!found) return found.error();
        session->folder_ = found->path;
    } else if (Result<void> started = session->start_coordinator(entry); !started) {
        return started.error();
    }
    if (Result<void> joined = session->join_session(entry); !joined) return joined.error();
    session->is_closed_ = false;
    return session;
}

Result<void> Session::start_coordinator(const Entry& entry) {
    Result<std::string> program = find_coordinator(entry.program_folders);
    if (!program) return program.error();
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) return Error{ErrorKind::overloaded, "cannot start a coordinator: no pipe left"};
    UniqueFd announced{ends[0]};
    UniqueFd announces{ends[1]};
    ChildSpec spec;
    spec.program = *program;
    spec.arguments = {"--serve-for", std::to_string(::getpid()), "--announce", std::to_string(announces.get())};
    if (entry.memory_bytes != 0) {
        spec.arguments.emplace_back("--memory");
        spec.arguments.push_back(std::to_string(entry.memory_bytes));
    }
    spec.input = ChildSpec::Input::none;
    spec.inherit_fd = announces.get();
    Result<Child> child = Child::start(spec);
    if (!child) return child.error();
    announces.reset();
    coordinator_ = std::make_unique<Child>(std::move(*child));
    folder_ = read_line(announced.get(), coordinator_start_deadline);
    if (folder_.empty())
        return Error{ErrorKind::refused, fmt::format("the coordinator {} did not start; it has said why above", *program)};
    return {};
}

Result<void> Session::join_session(const Entry& entry) {
    static std::atomic<int> count = 0;  // of the inboxes of this process
    const std::string inbox = fmt::format("ipc://{}/o{}-{}.sock", folder_, ::getpid(), ++count);
    if (entry.inbox == Inbox::open)
        if (Result<void> bound = parts_->transport.bind(inbox); !bound) return bound;
    if (Result<void> opened = loop_->open_control(coordinator_address(folder_)); !opened) return opened;
    const coordinator::Join join{AnyRef{}, entry.name, static_cast<std::uint64_t>(::getpid()),
                                 entry.inbox == Inbox::open ? inbox : "", {}, is_own()};
    const Result<coordinator::Welcome> welcome = call(*loop_, join, limits::coordinator_deadline);
    if (!welcome) return welcome.error();
    loop_->be(welcome->you.id, welcome->name);
    id_ = welcome->session;
    Result<Vitals> vitals = Vitals::open(id_);
    if (!vitals) return vitals.error();
    parts_->vitals.emplace(std::move(*vitals));
    Result<OwnVitals> own = OwnVitals::open(*parts_->vitals, welcome->you.id);
    if (!own) return own.error();
    loop_->attach(*parts_->vitals, std::move(*own));
    Result<LedgerRegion> region = LedgerRegion::open(id_);
    if (!region) return region.error();
    holdings_ = std::make_shared<Holdings>(std::move(*region), id_, welcome->you.id, parts_->clock, Store::usual_idle());
    loop_->attach(*holdings_);
    return watch_coordinator(static_cast<pid_t>(welcome->coordinator_pid));
}

Result<void> Session::watch_coordinator(pid_t pid) {
    Result<UniqueFd> pidfd = open_pidfd(pid);
    if (!pidfd) return pidfd.error();
    parts_->coordinator_pidfd = std::move(*pidfd);
    loop_->watch(parts_->coordinator_pidfd.get(), [this] {
        if (has_exited_by(parts_->coordinator_pidfd.get(), Deadline{Instant{}})) loop_->lose_coordinator();
    });
    return {};
}

Result<void> Session::require_open() const {
    if (!is_closed_) return {};
    return Error{ErrorKind::gone, "the session is closed: nothing can be done with it any more"};
}

// ---- actors ----------------------------------------------------------------------------------------

Result<std::vector<Spawned>> Session::spawn(const std::vector<SpawnOptions>& what, Duration duration,
                                            const std::function<void(std::size_t)>& on_ready) {
    if (Result<void> open = require_open(); !open) return open.error();
    std::vector<AskId> asks;
    std::optional<Error> failure;
    for (const SpawnOptions& one : what) {
        const coordinator::Spawn spawn{one.program, one.name, one.arguments, program_folders_, one.fingerprint, duration,
                                       one.memory_bytes == 0 ? std::nullopt : std::optional{one.memory_bytes}};
        Result<AskId> ask = loop_->request(coordinator_id, command_name<coordinator::Spawn>, encoded_body(spawn), duration);
        if (!ask) {
            failure = ask.error();
            break;
        }
        asks.push_back(*ask);
    }
    std::size_t ready_before = 0;
    const auto all_settled = [&] {
        const auto ready = static_cast<std::size_t>(
            std::ranges::count_if(asks, [this](AskId ask) { return loop_->is_settled(ask); }));
        if (ready != ready_before && on_ready) on_ready(ready);
        ready_before = ready;
        return ready == asks.size();
    };
    // The coordinator keeps the deadline; the wait's own is for a coordinator that does not answer.
    const Deadline deadline = Deadline::in(loop_->clock(), duration + limits::coordinator_deadline);
    static_cast<void>(loop_->serve(nullptr, all_settled, deadline));
    std::vector<Spawned> spawned;
    for (const AskId ask : asks) {
        Result<Spawned> one = decoded_reply<Spawned>(loop_->await(ask, deadline));
        if (one) {
            spawned.push_back(std::move(*one));
        } else if (!failure) {
            failure = one.error();
        }
    }
    std::vector<AnyRef> started;
    for (const Spawned& one : spawned) started.push_back(one.actor);
    if (!failure) {
        remember_spawned(started);
        return spawned;
    }
    if (!started.empty()) static_cast<void>(stop(started, limits::stop_deadline));
    return *failure;
}

// Those that live, and as many of those that have ended as the roster remembers.
void Session::remember_spawned(const std::vector<AnyRef>& started) {
    spawned_.insert(spawned_.end(), started.begin(), started.end());
    if (spawned_.size() <= limits::exits_kept_max) return;
    const Result<std::vector<RosterRow>> rows = roster(false);
    if (!rows) return;
    std::unordered_set<ActorId> alive;
    for (const RosterRow& row : *rows) alive.insert(row.actor.id);
    std::size_t too_many = spawned_.size() - limits::exits_kept_max / 2;
    std::erase_if(spawned_, [&](const AnyRef& one) { return too_many > 0 && !alive.contains(one.id) && too_many-- > 0; });
}

Result<Spawned> Session::find(std::string_view name) {
    if (Result<void> open = require_open(); !open) return open.error();
    return context_->find_actor(name, 0);
}

Result<std::vector<RosterRow>> Session::roster(bool with_exited) {
    if (Result<void> open = require_open(); !open) return open.error();
    return call(*loop_, coordinator::Roster{with_exited}, limits::coordinator_deadline);
}

Result<std::vector<Ended>> Session::stop(std::vector<AnyRef> actors, Duration deadline, bool drain) {
    if (Result<void> open = require_open(); !open) return open.error();
    return call(*loop_, coordinator::StopActors{std::move(actors), deadline, drain},
                deadline + limits::coordinator_deadline);
}

Result<void> Session::signal(AnyRef actor, int number) {
    if (Result<void> open = require_open(); !open) return open.error();
    Result<std::monostate> done = call(*loop_, coordinator::Signal{actor, number}, limits::coordinator_deadline);
    if (!done) return done.error();
    return {};
}

Result<Ended> Session::join(AnyRef actor, Duration deadline) {
    if (Result<void> open = require_open(); !open) return open.error();
    const Result<AskId> ask = loop_->request(coordinator_id, command_name<coordinator::Await>,
                                             encoded_body(coordinator::Await{actor}), limits::coordinator_deadline);
    if (!ask) return ask.error();
    return Pending<Ended>{*loop_, *ask}.get_word(deadline);
}

Result<void> Session::sync(std::span<const AnyRef> actors, Duration duration) {
    if (Result<void> open = require_open(); !open) return open.error();
    const Deadline deadline = Deadline::in(loop_->clock(), duration);
    Buffer nothing;
    Encoder{nothing}.nil();
    std::vector<AskId> asks;
    std::optional<Error> failure;
    for (const AnyRef& actor : actors) {
        Result<AskId> ask = loop_->request(actor.id, sync_tag, nothing, duration);
        if (ask) {
            asks.push_back(*ask);
        } else {
            failure = ask.error();
        }
    }
    for (const AskId ask : asks)
        if (Result<ReplyFrame> reply = loop_->await(ask, deadline); !reply && !failure) failure = reply.error();
    if (failure) return *failure;
    return {};
}

// ---- messages that came ----------------------------------------------------------------------------

Result<std::vector<Session::Message>> Session::collect(std::string_view wanted, const Until& until) {
    if (Result<void> open = require_open(); !open) return open.error();
    const Clock& clock = loop_->clock();
    const Deadline deadline = Deadline::in(clock, until.deadline);
    std::vector<Message> collected;
    // What a failure, or an exception out of the wait, takes from the caller waits for the next call.
    struct GiveBack {
        std::vector<Message>& collected;
        std::deque<Message>& messages;
        ~GiveBack() {
            messages.insert(messages.begin(), std::move_iterator(collected.begin()), std::move_iterator(collected.end()));
        }
    } const give_back{collected, mail_->messages};
    for (;;) {
        std::deque<Message> rest;
        for (Message& message : mail_->messages) {
            const bool is_wanted = wanted.empty() || message.tag == wanted;
            if (is_wanted && collected.size() < until.count) {
                collected.push_back(std::move(message));
            } else {
                rest.push_back(std::move(message));
            }
        }
        mail_->messages = std::move(rest);
        if (collected.size() >= until.count) return std::exchange(collected, {});
        if (mail_->messages.size() >= limits::collected_commands_max)
            return Error{ErrorKind::overloaded,
                         fmt::format("{} messages of other commands wait to be collected (limits::collected_commands_max)",
                                     mail_->messages.size())};
        const std::uint64_t before = mail_->arrived;
        const std::uint64_t enough =
            before + std::min(until.count - collected.size(), limits::collected_commands_max);
        // One that is quiet for long enough ends the wait below at `quiet_end`; each arrival starts it anew.
        const Deadline quiet_end = Deadline::in(clock, until.quiet);
        const bool waits_for_quiet = until.quiet != Duration::max();
        const Loop::Waited waited = loop_->serve(
            mail_.get(), [&] { return waits_for_quiet ? mail_->arrived > before : mail_->arrived >= enough; },
            deadline.or_earlier(quiet_end));
        if (waited == Loop::Waited::stopping)
            return Error{ErrorKind::stopping, fmt::format("{} is stopping", loop_->name())};
        if (waited == Loop::Waited::deadline && mail_->arrived == before) return std::exchange(collected, {});
        if (deadline.has_passed(clock) && mail_->arrived == before) return std::exchange(collected, {});
    }
}

Result<void> Session::wait_for(const std::function<bool()>& done, Duration duration) {
    if (Result<void> open = require_open(); !open) return open;
    const Deadline deadline = Deadline::in(loop_->clock(), duration);
    switch (loop_->serve(mail_.get(), done, deadline)) {
        case Loop::Waited::done: return {};
        case Loop::Waited::deadline: return Error{ErrorKind::timed_out, "what was waited for had not come by the deadline"};
        case Loop::Waited::stopping: break;
    }
    return Error{ErrorKind::stopping, fmt::format("{} is stopping", loop_->name())};
}

// ---- the end ---------------------------------------------------------------------------------------

Result<std::vector<Ended>> Session::close(Duration deadline) {
    if (is_closed_) return std::vector<Ended>{};
    is_closed_ = true;
    loop_->begin_leaving();
    loop_->flush();
    mail_->messages.clear();  // asks among them are answered
    if (holdings_) holdings_->release_all();
    if (!is_own()) {
        // A session that was joined goes on; what was started from here does not.
        Result<std::vector<Ended>> ended = std::vector<Ended>{};
        if (!spawned_.empty())
            ended = call(*loop_, coordinator::StopActors{std::move(spawned_), deadline, false},
                         deadline + limits::coordinator_deadline);
        Result<std::monostate> left = call(*loop_, coordinator::Leave{}, limits::coordinator_deadline);
        if (!left && left.error().kind != ErrorKind::gone) return left.error();  // gone: it has ended before us
        return ended;
    }
    Result<coordinator::Closed> closed =
        call(*loop_, coordinator::CloseSession{deadline}, deadline + limits::coordinator_deadline);
    static_cast<void>(tell(*loop_, coordinator::Leave{}));
    const std::optional<ExitStatus> end = coordinator_->reap_within(coordinator_exit_deadline);
    if (!end) kill_all();
    if (!closed) return closed.error();
    if (end == ExitStatus{false, exit_unbalanced})
        return Error{ErrorKind::failed, "the session's ledger does not balance: segments were lost, doubled or left; its "
                                        "coordinator has said which"};
    return std::move(closed->ended);
}

void Session::kill_all() noexcept {
    if (!is_own()) return;
    is_closed_ = true;
    // Its actors end with it, by the kernel; what lies around is swept.
    static_cast<void>(coordinator_->send_signal(SIGKILL));
    static_cast<void>(coordinator_->reap_within(coordinator_exit_deadline));
    static_cast<void>(sweep_dead_sessions());
}

}  // namespace baton
