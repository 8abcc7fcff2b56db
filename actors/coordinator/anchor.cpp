#include "actors/coordinator/anchor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <utility>

#include "runtime/base/check.hpp"
#include "runtime/process/system_error.hpp"

namespace baton::detail::coordinator {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto in_one_order = std::memory_order_seq_cst;
// Above the numbers that the coordinator finds open, so that none is overwritten before it has been copied there.
constexpr int descriptors_from = 10;

// Not open if `fd` is not, or if there is no number left; errno says why.
UniqueFd moved_up(UniqueFd fd) {
    if (!fd.is_open()) return fd;
    UniqueFd up{::fcntl(fd.get(), F_DUPFD_CLOEXEC, descriptors_from)};
    if (!up.is_open() && errno == EINVAL) errno = EMFILE;  // fewer are allowed than that
    return up;
}

std::int64_t milliseconds_now() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

// The variable that "NAME=VALUE" sets is the one that `other` sets.
bool is_same_variable(const char* one, const char* other) {
    const char* const end = std::strchr(one, '=');
    return end != nullptr && std::strncmp(one, other, static_cast<std::size_t>(end - one) + 1) == 0;
}

}  // namespace

// How children are started: without a signal blocked, ignored or handled (but a SIGHUP that is ignored here), without
// any descriptor of ours but the three that it is given. Made once; a start with it allocates nothing on the heap.
class Anchor::Launch {
public:
    enum class Of { coordinator, actor, scenario };
    Launch(Of what, const Anchor& anchor) {
        must(::posix_spawnattr_init(&attributes_));
        must(::posix_spawn_file_actions_init(&actions_));
        sigset_t signals;
        sigfillset(&signals);
        sigdelset(&signals, SIGHUP);
        must(::posix_spawnattr_setsigdefault(&attributes_, &signals));
        sigemptyset(&signals);
        must(::posix_spawnattr_setsigmask(&attributes_, &signals));
        short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
        if (what != Of::scenario) {
            flags = static_cast<short>(flags | POSIX_SPAWN_SETPGROUP);
            must(::posix_spawnattr_setpgroup(&attributes_, 0));
            must(::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0));
        }
        must(::posix_spawnattr_setflags(&attributes_, flags));
        int first_closed = STDERR_FILENO + 1;
        if (what == Of::coordinator) {
            must(::posix_spawn_file_actions_adddup2(&actions_, anchor.fds_.table.get(), anchor_table_fd));
            must(::posix_spawn_file_actions_adddup2(&actions_, anchor.fds_.its_end.get(), anchor_requests_fd));
            must(::posix_spawn_file_actions_adddup2(&actions_, anchor.fds_.news.get(), anchor_news_fd));
            first_closed = anchor_news_fd + 1;
        }
        must(::posix_spawn_file_actions_addclosefrom_np(&actions_, first_closed));
    }
    Launch(const Launch&) = delete;
    Launch& operator=(const Launch&) = delete;
    ~Launch() {
        ::posix_spawn_file_actions_destroy(&actions_);
        ::posix_spawnattr_destroy(&attributes_);
    }
    // 0, or an errno.
    [[nodiscard]] int start(const char* program, char** arguments, char** environment, pid_t& pid) const {
        return ::posix_spawn(&pid, program, &actions_, &attributes_, arguments, environment);
    }
    static const Launch& of(Of what, const Anchor& anchor) {
        static const Launch coordinator{Of::coordinator, anchor};
        static const Launch actor{Of::actor, anchor};
        static const Launch scenario{Of::scenario, anchor};
        return what == Of::coordinator ? coordinator : what == Of::actor ? actor : scenario;
    }

private:
    static void must(int code) { check(code == 0, "a start can be described"); }
    posix_spawnattr_t attributes_{};
    posix_spawn_file_actions_t actions_{};
};

Anchor::Anchor(Plan plan, StopSignals& stops)
    : plan_(std::move(plan)), stops_(&stops), is_group_(AnchorTable::rows_count) {}

Result<Anchor> Anchor::create(Plan plan, StopSignals& stops) {
    Anchor anchor{std::move(plan), stops};
    if (Result<void> opened = anchor.open(); !opened) return opened.error();
    return anchor;
}

Result<void> Anchor::open() {
    constexpr const char* tried = "cannot hold a session";
    if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return system_error(errno, tried);
    sigset_t exits;
    sigemptyset(&exits);
    sigaddset(&exits, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &exits, nullptr);
    if (!(fds_.exits = UniqueFd{::signalfd(-1, &exits, SFD_CLOEXEC | SFD_NONBLOCK)}).is_open() ||
        !(fds_.news = moved_up(UniqueFd{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)})).is_open() ||
        !(fds_.table = moved_up(UniqueFd{::memfd_create("baton-anchor", MFD_CLOEXEC)})).is_open() ||
        !(fds_.its_end = moved_up(UniqueFd{::open("/dev/null", O_RDONLY | O_CLOEXEC)})).is_open())
        return system_error(errno, tried);
    if (::ftruncate(fds_.table.get(), sizeof(AnchorTable)) != 0) return system_error(errno, tried);
    // All of it now: a page that cannot be had later would end this process.
    if (const int code = ::posix_fallocate(fds_.table.get(), 0, sizeof(AnchorTable)); code != 0)
        return system_error(code, tried);
    void* const memory =
        ::mmap(nullptr, sizeof(AnchorTable), PROT_READ | PROT_WRITE, MAP_SHARED, fds_.table.get(), 0);
    if (memory == MAP_FAILED) return system_error(errno, tried);
    table_ = static_cast<AnchorTable*>(memory);
    table_->version.store(AnchorTable::version_word, relaxed);
    table_->anchor.store(::getpid(), relaxed);
    std::error_code unknown;
    program_ = std::filesystem::read_symlink("/proc/self/exe", unknown).string();
    std::size_t variables = 0;
    for (char** variable = ::environ; variable != nullptr && *variable != nullptr; ++variable) ++variables;
    if (variables > anchor_strings_max || plan_.arguments.size() > anchor_strings_max)
        return Error{ErrorKind::refused,
                     fmt::format("{}: there are {} variables in the environment and {} arguments; there may be {} of "
                                 "each",
                                 tried, variables, plan_.arguments.size(), anchor_strings_max)};
    for (const auto what : {Launch::Of::coordinator, Launch::Of::actor, Launch::Of::scenario})
        static_cast<void>(Launch::of(what, *this));
    return {};
}

// ---- the coordinator -------------------------------------------------------------------------------

// 0, or an errno. After a death the next one is the very program that this one is, whatever stands in its place on the
// disk; if another coordinator is asked for, it is the program that is there now.
int Anchor::start_coordinator(bool is_replaced) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return errno;
    fds_.requests = UniqueFd{ends[0]};
    const UniqueFd other{ends[1]};
    // Ours must not wait. Its end may: each has an open file of its own.
    ::fcntl(fds_.requests.get(), F_SETFL, O_NONBLOCK);
    if (::dup3(other.get(), fds_.its_end.get(), O_CLOEXEC) < 0) return errno;
    room_.request_bytes = 0;

    std::size_t count = 0;
    for (std::string& argument : plan_.arguments) room_.arguments[count++] = argument.data();
    room_.arguments[count] = nullptr;
    count = 0;
    for (char** variable = ::environ; *variable != nullptr; ++variable) {
        bool is_replaced_here = false;
        for (const std::string& added : plan_.environment)
            is_replaced_here = is_replaced_here || is_same_variable(added.c_str(), *variable);
        if (!is_replaced_here) room_.environment[count++] = *variable;
    }
    for (std::string& added : plan_.environment) room_.environment[count++] = added.data();
    room_.environment[count] = nullptr;
    const char* const program = is_replaced ? program_.c_str() : "/proc/self/exe";
    table_->coordinators.fetch_add(1, relaxed);
    const int code = Launch::of(Launch::Of::coordinator, *this)
                         .start(program, room_.arguments.get(), room_.environment.get(), coordinator_);
    // Ours of its end goes at once, so that the socket ends with it.
    const UniqueFd nowhere{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    ::dup3(nowhere.get(), fds_.its_end.get(), O_CLOEXEC);
    return code;
}

// It has ended, and been reaped.
std::optional<Anchor::End> Anchor::outlive(bool by_signal, int code) {
    if (fds_.requests.is_open()) take_requests();  // what it has asked for as a whole
    fds_.requests.reset();
    coordinator_ = 0;
    if (!by_signal && code != exit_replaced) return End{End::coordinator_left, code};
    if (by_signal && dies_too_often()) return End{End::coordinators_died, code};
    if (!by_signal && start_coordinator(true) == 0) return std::nullopt;
    // What is on the disk cannot be started, perhaps; this program can.
    if (const int why = start_coordinator(false); why != 0) return End{End::cannot_start, why};
    return std::nullopt;
}

bool Anchor::dies_too_often() {
    const std::int64_t now = milliseconds_now();
    deaths_.at[deaths_.count++ % deaths_max] = now;
    return deaths_.count >= deaths_max && now - deaths_.at[deaths_.count % deaths_max] <= deaths_period_ms;
}

// ---- what it asks for ------------------------------------------------------------------------------

void Anchor::take_requests() {
    for (;;) {
        const ssize_t size = ::recv(fds_.requests.get(), room_.request.get() + room_.request_bytes,
                                    anchor_request_bytes_max - room_.request_bytes, 0);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && errno == EAGAIN) return;
        if (size <= 0) return fds_.requests.reset();  // it has ended, as SIGCHLD is about to say
        room_.request_bytes += static_cast<std::size_t>(size);
        std::size_t done = 0;
        while (room_.request_bytes - done >= sizeof(AnchorRequest)) {
            AnchorRequest request;
            std::memcpy(&request, room_.request.get() + done, sizeof request);
            // It is the same program and writes no such thing. If it did, nothing behind it could be read.
            if (request.bytes < sizeof request || request.bytes > anchor_request_bytes_max)
                return fds_.requests.reset();
            if (room_.request_bytes - done < request.bytes) break;
            carry_out(request, room_.request.get() + done + sizeof request);
            done += request.bytes;
        }
        std::memmove(room_.request.get(), room_.request.get() + done, room_.request_bytes - done);
        room_.request_bytes -= done;
    }
}

void Anchor::carry_out(const AnchorRequest& request, char* strings) {
    if (request.kind == AnchorRequest::ready) return announce(plan_.announcement);
    if (request.kind == AnchorRequest::failed) return announce({strings, request.bytes - sizeof request});
    if (request.kind == AnchorRequest::spawn && request.number < AnchorTable::rows_count) spawn(request, strings);
}

void Anchor::announce(std::string_view line) {
    if (plan_.announce_fd < 0) return;
    [[maybe_unused]] const auto written = ::write(plan_.announce_fd, line.data(), line.size());
    ::close(plan_.announce_fd);
    plan_.announce_fd = -1;
}

void Anchor::spawn(const AnchorRequest& request, char* strings) {
    AnchorRow& row = table_->rows[request.number];
    if (row.state.load(relaxed) == AnchorRow::running) return;
    row.state.store(AnchorRow::none, in_one_order);
    row.life.store(request.life, in_one_order);
    row.pid.store(0, in_one_order);

    char* const end = strings + request.bytes - sizeof request;
    const auto next = [&strings, end]() -> char* {
        char* const text = strings;
        char* const zero = static_cast<char*>(std::memchr(text, 0, static_cast<std::size_t>(end - text)));
        strings = zero == nullptr ? end : zero + 1;
        return zero == nullptr ? nullptr : text;
    };
    bool is_whole = request.arguments <= anchor_strings_max && request.variables <= anchor_strings_max;
    char* const program = next();
    std::size_t arguments = 0;
    room_.arguments[arguments++] = program;
    for (std::uint32_t index = 0; is_whole && index < request.arguments; ++index)
        is_whole = (room_.arguments[arguments++] = next()) != nullptr;
    room_.arguments[arguments] = nullptr;
    // First what is added, then what of ours it does not replace.
    std::size_t added = 0;
    for (std::uint32_t index = 0; is_whole && index < request.variables; ++index)
        is_whole = (room_.environment[added++] = next()) != nullptr;
    std::size_t variables = added;
    for (char** variable = ::environ; is_whole && *variable != nullptr; ++variable) {
        bool is_replaced = false;
        for (std::size_t index = 0; index < added; ++index)
            is_replaced = is_replaced || is_same_variable(room_.environment[index], *variable);
        if (!is_replaced) room_.environment[variables++] = *variable;
    }
    room_.environment[variables] = nullptr;

    const bool is_group = request.is_of_own_group != 0;
    const Launch& launch = Launch::of(is_group ? Launch::Of::actor : Launch::Of::scenario, *this);
    pid_t pid = 0;
    const int code = !is_whole || program == nullptr
                         ? EINVAL
                         : launch.start(program, room_.arguments.get(), room_.environment.get(), pid);
    is_group_[request.number] = is_group;
    row.pid.store(pid, in_one_order);
    row.code.store(code, in_one_order);
    row.by_signal.store(0, in_one_order);
    row.state.store(code == 0 ? AnchorRow::running : AnchorRow::failed, in_one_order);
    tell(request.number);
}

// ---- exits -----------------------------------------------------------------------------------------

AnchorRow* Anchor::row_of(pid_t pid, std::uint32_t& number) {
    for (number = 0; number < AnchorTable::rows_count; ++number) {
        AnchorRow& row = table_->rows[number];
        if (row.state.load(relaxed) == AnchorRow::running && row.pid.load(relaxed) == pid) return &row;
    }
    return nullptr;
}

std::optional<Anchor::End> Anchor::reap() {
    signalfd_siginfo taken{};
    while (::read(fds_.exits.get(), &taken, sizeof taken) > 0) {
    }
    for (;;) {
        siginfo_t info{};
        if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return std::nullopt;
        const pid_t pid = info.si_pid;
        const bool by_signal = info.si_code != CLD_EXITED;
        std::uint32_t number = 0;
        AnchorRow* const row = pid == coordinator_ ? nullptr : row_of(pid, number);
        if (row != nullptr) {
            row->code.store(info.si_status, in_one_order);
            row->by_signal.store(by_signal ? 1 : 0, in_one_order);
            row->state.store(AnchorRow::exited, in_one_order);
            if (is_group_[number]) ::kill(-pid, SIGKILL);
        }
        while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
        }
        table_->exits.fetch_add(1, std::memory_order_release);
        if (pid == coordinator_) {
            if (std::optional<End> end = outlive(by_signal, info.si_status); end) return end;
        } else if (row != nullptr) {
            tell(number);
        } else {
            ::eventfd_write(fds_.news.get(), 1);
        }
    }
}

void Anchor::tell(std::uint32_t number) {
    table_->news[number / 64].fetch_or(std::uint64_t{1} << number % 64, std::memory_order_seq_cst);
    ::eventfd_write(fds_.news.get(), 1);
}

// Those that it has started, when there will be no coordinator to stop them: by the ladder that a coordinator would
// take. What they have left is swept.
void Anchor::end_all() {
    if (signal_all(0) == 0) return;  // as usual, and nothing is written where others write
    const std::int64_t start = milliseconds_now();
    plan_.is_over->store(1, in_one_order);
    if (wait_for_all(start + plan_.stop_milliseconds / 4 * 3)) return;
    signal_all(SIGTERM);
    if (wait_for_all(start + plan_.stop_milliseconds / 10 * 9)) return;
    signal_all(SIGKILL);
    while (signal_all(0) > 0) {
        pollfd exits{fds_.exits.get(), POLLIN, 0};
        ::poll(&exits, 1, -1);
        static_cast<void>(reap());
    }
}

// How many there are; 0 is a signal that is only counted.
std::size_t Anchor::signal_all(int number) {
    std::size_t count = 0;
    for (const AnchorRow& row : table_->rows) {
        if (row.state.load(relaxed) != AnchorRow::running) continue;
        ::kill(row.pid.load(relaxed), number);
        ++count;
    }
    return count;
}

// True if all have ended by then. Another signal to this process ends the wait.
bool Anchor::wait_for_all(std::int64_t until) {
    const int signals = stops_->count();
    for (;;) {
        if (signal_all(0) == 0) return true;
        const std::int64_t left = until - milliseconds_now();
        if (left <= 0 || stops_->count() != signals) return false;
        std::array<pollfd, 2> polled{{{stops_->fd(), POLLIN, 0}, {fds_.exits.get(), POLLIN, 0}}};
        ::poll(polled.data(), polled.size(), static_cast<int>(std::min<std::int64_t>(left, 1000)));
        if (polled[0].revents != 0) static_cast<void>(stops_->take());
        static_cast<void>(reap());
    }
}

// ---- all of it -------------------------------------------------------------------------------------

Anchor::End Anchor::hold() {
    if (const int code = start_coordinator(false); code != 0) return {End::cannot_start, code};
    for (;;) {
        // A negative descriptor is not looked at.
        std::array<pollfd, 3> polled{{{stops_->fd(), POLLIN, 0},
                                      {fds_.exits.get(), POLLIN, 0},
                                      {fds_.requests.is_open() ? fds_.requests.get() : -1, POLLIN, 0}}};
        if (::poll(polled.data(), polled.size(), -1) < 0) continue;
        if (polled[0].revents != 0) {
            static_cast<void>(stops_->take());
            table_->stop_signals.store(static_cast<std::uint64_t>(stops_->count()), std::memory_order_release);
            ::eventfd_write(fds_.news.get(), 1);
        }
        if (polled[2].revents != 0) take_requests();
        if (polled[1].revents == 0) continue;
        if (const std::optional<End> end = reap(); end) {
            end_all();
            return *end;
        }
    }
}

}  // namespace baton::detail::coordinator
