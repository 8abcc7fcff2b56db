#include "runtime/session/session.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <limits>
#include <unordered_map>
#include <unordered_set>

#include "runtime/base/check.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/base/log_level.hpp"
#include "runtime/inbox/access.hpp"
#include "runtime/inbox/call.hpp"
#include "runtime/inbox/spawning.hpp"
#include "runtime/inbox/leaving.hpp"
#include "runtime/process/birth.hpp"
#include "runtime/process/child.hpp"
#include "runtime/process/process_facts.hpp"
#include "runtime/process/session_folder.hpp"
#include "runtime/process/system_error.hpp"
#include "runtime/session/environment.hpp"
#include "runtime/session/entrances.hpp"
#include "runtime/session/mail.hpp"
#include "runtime/session/role_watch.hpp"
#include "runtime/transport/zmq_transport.hpp"

namespace baton::detail {
namespace {

constexpr std::size_t announced_line_bytes_max = 8192;

// What comes through `fd` until its end or a line's end.
std::string read_line(int fd, Duration at_most) {
    SystemClock clock;
    const Deadline deadline = Deadline::in(clock, at_most);
    std::string line;
    char byte = 0;
    while (line.size() < announced_line_bytes_max && !deadline.has_passed(clock)) {
        pollfd polled{fd, POLLIN, 0};
        const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(deadline.left(clock)).count();
        if (::poll(&polled, 1, static_cast<int>(milliseconds) + 1) <= 0) continue;
        if (::read(fd, &byte, 1) != 1 || byte == '\n') break;
        line += byte;
    }
    return line;
}

// By which a coordinator knows a Join that is repeated. 0 would mean that it cannot.
std::uint64_t new_token() {
    std::uint64_t token = 0;
    check(::getrandom(&token, sizeof token, 0) == sizeof token, "a few random bytes come whole");
    return token | 1;
}

constexpr Duration coordinator_start_timeout = std::chrono::seconds{10};
constexpr Duration coordinator_exit_timeout = std::chrono::seconds{2};

}  // namespace

struct Session::Parts {
    SystemClock clock;
    Log log{"scenario"};
    ZmqTransport outside;
    LaneTransport transport{outside};
    Loop loop{transport, clock, log};
    std::optional<Vitals> vitals;
    std::unique_ptr<RoleWatch> role;
};

Session::Session() : Session(std::make_unique<Parts>()) {}

Session::Session(std::unique_ptr<Parts> parts)
    : Directory(parts->loop), parts_(std::move(parts)), mail_(std::make_unique<Mail>(*loop_)) {
    set_closed();  // until it has joined
    context_ = std::make_unique<Context>(*this);
    Access::send_at_once(*context_);
    loop_->commands().collect_with(*mail_);
}

Session::~Session() {
    loop_->thread().adopt();  // the thread that ends it is its last user
    static_cast<void>(close());
    end_own_session();
}

Result<std::unique_ptr<Session>> Session::enter(Entry entry) {
    take_over_for_library();
    std::unique_ptr<Session> session{new Session};
    session->mail_->publish(entry.protocol);
    session->folders_ = entry.program_folders;
    for (std::string& folder : program_folders()) session->folders_.push_back(std::move(folder));

    if (is_session_named(entry.session) || !entry.may_start) {
        Result<SessionInfo> found = find_session(entry.session);
        if (!found) return found.error();
        session->folder_ = found->path;
    } else if (Result<void> started = session->start_session(entry); !started) {
        return started.error();
    }
    if (Result<void> joined = session->join_session(entry); !joined) return joined.error();  // ends its own coordinator
    session->set_closed(false);
    return session;
}

Result<void> Session::start_session(const Entry& entry) {
    Result<std::string> program = find_coordinator(entry.program_folders);
    if (!program)
        return Error{program.error().kind, "no session was named, and none can be started: " + program.error().text};
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) return system_error(errno, "cannot start a coordinator: no pipe can be made");
    UniqueFd announced{ends[0]};
    UniqueFd announces{ends[1]};
    ChildSpec spec;
    spec.program = *program;
    spec.arguments = {"--serve-for", std::to_string(::getpid()), "--announce", std::to_string(inherited_fd)};
    if (entry.memory_bytes != 0) {
        spec.arguments.emplace_back("--memory");
        spec.arguments.push_back(std::to_string(entry.memory_bytes));
    }
    spec.input = ChildSpec::Input::none;
    spec.inherit_fd = announces.get();
    replace_bad_log_level(spec.environment);
    Result<Child> child = Child::start(spec);
    if (!child) return child.error();
    announces.reset();
    anchor_ = std::make_unique<Child>(std::move(*child));
    const std::string line = read_line(announced.get(), coordinator_start_timeout);
    if (line.starts_with('/')) {
        folder_ = line;
        return {};
    }
    // "KIND TEXT", or nothing if it could not even say that.
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::optional<ErrorKind> kind = error_kind_of(std::string_view(line).substr(0, space));
    if (kind)
        return Error{*kind, fmt::format("the coordinator {} did not start: {}", *program,
                                        line.substr(std::min(space + 1, line.size())))};
    const std::optional<ExitStatus> status = anchor_->reap_within(coordinator_exit_timeout);
    const std::string end = !status            ? fmt::format("it has not announced a session within {} s",
                                                             coordinator_start_timeout / std::chrono::seconds{1})
                            : status->by_signal ? fmt::format("signal {} ended it", status->code_or_signal)
                                                : fmt::format("it ended with exit code {}", status->code_or_signal);
    return Error{ErrorKind::refused,
                 fmt::format("the coordinator {} did not start: {}. What it has said on its way is on "
                             "this program's stderr",
                             *program, end)};
}

Result<void> Session::join_session(const Entry& entry) {
    static std::atomic<int> count = 0;  // of the inboxes of this process
    const std::string inbox = fmt::format("ipc://{}/o{}-{}.sock", folder_, ::getpid(), ++count);
    if (entry.inbox == Inbox::open)
        if (Result<void> bound = parts_->transport.bind(inbox); !bound) return bound;
    Result<std::unique_ptr<RoleWatch>> role = RoleWatch::open(
        folder_, RoleWatch::Anchor::is_watched, Deadline::in(parts_->clock, limits::coordinator_timeout));
    if (!role) return role.error();
    parts_->role = std::move(*role);
    be_ruled_by(*parts_->role);
    if (Result<void> opened = loop_->control().open(*parts_->role); !opened) return opened;
    const coordinator::Join join{AnyRef{}, entry.name, static_cast<std::uint64_t>(::getpid()),
                                 entry.inbox == Inbox::open ? inbox : "", entry.protocol, is_own(), new_token()};
    pass_crash_point(CrashPoint::join_bound);
    const Result<coordinator::Welcome> welcome = call(*loop_, join, limits::coordinator_timeout);
    if (!welcome) return welcome.error();
    pass_crash_point(CrashPoint::join_welcomed);
    loop_->be(welcome->you.id, welcome->name);
    loop_->control().be_member(join.pid);
    loop_->control().be_ready();
    loop_->be_in(SessionTag::of(welcome->session));
    id_ = welcome->session;
    Result<Vitals> vitals = Vitals::open(id_);
    if (!vitals) return vitals.error();
    parts_->vitals.emplace(std::move(*vitals));
    Result<OwnVitals> own = OwnVitals::open(*parts_->vitals, welcome->you.id);
    if (!own) return own.error();
    std::atomic<std::uint64_t>& spun = own->spun();  // stays where it is as the row goes to the loop
    loop_->attach(*parts_->vitals, std::move(*own));
    Result<LedgerRegion> region = LedgerRegion::open(id_);
    if (!region) return region.error();
    holdings_ =
        std::make_shared<Holdings>(std::move(*region), id_, welcome->you.id, parts_->clock, Store::usual_idle());
    loop_->attach(*holdings_);
    open_lanes(parts_->transport, parts_->log, {id_, folder_, welcome->you.id, &spun}, holdings_);
    return {};
}

bool Session::has_ended(Deadline deadline) const { return parts_->role->has_session_ended(deadline); }

// ---- messages that came ----------------------------------------------------------------------------

bool Session::has_mail() const noexcept { return !mail_->is_empty(); }

Result<std::vector<Session::Message>> Session::collect(std::string_view wanted, const Enough& until) {
    if (Result<void> open = require_open(); !open) return open.error();
    return mail_->collect(wanted, until);
}

void Session::before_mail(std::function<void()> look) { mail_->before_each(std::move(look)); }

Result<void> Session::wait_for(const std::function<bool()>& done, Within within) {
    if (Result<void> open = require_open(); !open) return open;
    const Deadline deadline = within.deadline(loop_->clock());
    switch (loop_->serve(&mail_->served(), done, deadline)) {
        case Loop::Waited::done: return {};
        case Loop::Waited::deadline:
            return Error{ErrorKind::timed_out, "what was waited for had not come by the deadline"};
        case Loop::Waited::gone: return loop_->coordinator_lost();
        case Loop::Waited::stopping: break;
    }
    return Error{ErrorKind::stopping, fmt::format("{} is stopping", loop_->name())};
}

Deadline Session::would_wait_for(bool with_mail, std::vector<int>& watched) {
    return loop_->would_wait_for(with_mail ? &mail_->served() : nullptr, watched);
}

bool Session::look() {
    const Loop::Waited waited = loop_->serve(nullptr, [] { return false; }, Deadline{loop_->clock().now()});
    // Listeners for exits are called where commands may be handled; this returns before one is.
    static_cast<void>(loop_->serve(&mail_->served(), [] { return true; }, Deadline{loop_->clock().now()}));
    return waited == Loop::Waited::deadline;
}

// ---- the end ---------------------------------------------------------------------------------------

Result<std::vector<Ended>> Session::close(Within within) {
    if (!loop_->thread().is_this()) return loop_->thread().refusal();
    if (is_closed()) return std::vector<Ended>{};
    set_closed();
    loop_->begin_leaving();
    loop_->outbox().flush();
    std::vector<DeadLetter> unread;
    const auto give_up_mail = [&] { std::ranges::move(mail_->give_up(), std::back_inserter(unread)); };
    give_up_mail();
    if (holdings_) holdings_->release_all();
    if (!is_own()) {
        // A session that was joined goes on; what was started from here does not.
        const Deadline end = within.deadline(loop_->clock());
        Result<std::vector<Ended>> ended = std::vector<Ended>{};
        if (std::vector<AnyRef> own = take_spawned(); !own.empty())
            ended = ask_coordinator(coordinator::StopActors{std::move(own), end.left(loop_->clock()), false}, end);
        give_up_mail();  // more is collected while a wait has to drain
        std::ranges::move(wait_until_taken(*loop_, before_goodbye(end, loop_->clock())), std::back_inserter(unread));
        pass_crash_point(CrashPoint::leave_begun);
        Result<std::monostate> left = ask_coordinator(coordinator::Leave{unread}, end);
        if (!left)  // nobody else will say it
            for (const DeadLetter& letter : unread)
                loop_->log().warn("letters.dead", "to={} from={} count={} command={}", loop_->name(), letter.from,
                                  letter.count, letter.command);
        pass_crash_point(CrashPoint::leave_answered);
        if (!ended) return ended;
        if (!left && left.error().kind != ErrorKind::gone) return left.error();  // gone: it has ended before us
        return ended;
    }
    Result<std::vector<Ended>> closed = end_session(within);
    if (!closed && closed.error().kind == ErrorKind::timed_out) {
        kill_all();
        closed.error().text += "; it was killed, and its actors with it";
        return closed.error();
    }
    give_up_mail();
    static_cast<void>(tell(*loop_, coordinator::Leave{std::move(unread)}));
    const std::optional<ExitStatus> end = anchor_->reap_within(coordinator_exit_timeout);
    if (!end) kill_all();
    if (!closed) return closed.error();
    if (end == ExitStatus{false, exit_unbalanced})
        return Error{ErrorKind::failed,
                     "the session's ledger does not balance: segments were lost, doubled or left; its "
                     "coordinator has said which"};
    has_failed_ = end == ExitStatus{false, exit_session_failed};
    if (has_failed_)
        return Error{ErrorKind::failed,
                     "an actor failed more often than it may be restarted, and nobody was left to restart it; its "
                     "coordinator has said which"};
    return closed;
}

// For a session that could not be entered, too: whatever has been made for it goes again.
void Session::end_own_session() noexcept {
    if (!is_own() || anchor_->reap()) return;
    static_cast<void>(anchor_->send_signal(SIGTERM));
    if (!anchor_->reap_within(coordinator_exit_timeout)) kill_all();
}

void Session::kill_all() noexcept {
    if (!is_own()) return;
    set_closed();
    // Its actors end with it, by the kernel; what lies around is swept.
    static_cast<void>(anchor_->send_signal(SIGKILL));
    static_cast<void>(anchor_->reap_within(coordinator_exit_timeout));
    static_cast<void>(sweep_dead_sessions());
}

}  // namespace baton::detail
