// baton restart-coordinator: the next coordinator of a living session, of the program that is on the disk now.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <optional>

#include <baton/unique_fd.hpp>
#include "tools/baton/json_object.hpp"
#include "tools/baton/subcommands.hpp"
#include "tools/baton/table.hpp"

namespace baton::tool {

using namespace dynamic;
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t answer_bytes_max = 4096;

// What the anchor is going to start: what stands now at the path that its own program had.
Result<std::string> program_of(const SessionInfo& place) {
    std::error_code unknown;
    std::string path = std::filesystem::read_symlink(fmt::format("/proc/{}/exe", place.pid), unknown).string();
    if (unknown) return Error{ErrorKind::gone, fmt::format("session {} has just ended", place.id)};
    constexpr std::string_view of_the_kernel = " (deleted)";  // another file has taken its place
    if (path.ends_with(of_the_kernel)) path.resize(path.size() - of_the_kernel.size());
    return path;
}

// All that comes until its other end is closed; nothing if that takes longer, or if a signal comes.
std::optional<std::string> read_all(int descriptor, Clock::time_point deadline) {
    std::string text(answer_bytes_max, '\0');
    std::size_t bytes = 0;
    while (bytes < text.size()) {
        pollfd polled{descriptor, POLLIN, 0};
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        if (::poll(&polled, 1, static_cast<int>(std::max<std::int64_t>(left, 0))) <= 0) return std::nullopt;
        const ssize_t size = ::read(descriptor, text.data() + bytes, text.size() - bytes);
        if (size <= 0) break;
        bytes += static_cast<std::size_t>(size);
    }
    text.resize(bytes);
    return text;
}

// That program says itself whether it could take over. If it can't, the session would end.
Result<void> check_it_can_take_over(const std::string& program, const SessionInfo& place, Duration timeout) {
    const auto cannot = [&](std::string_view why) {
        return Error{ErrorKind::refused,
                     fmt::format("the coordinator of session {} stays: {} cannot take over from it: {}", place.id,
                                 program, why)};
    };
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return cannot(std::strerror(errno));
    const UniqueFd reads{ends[0]};
    UniqueFd writes{ends[1]};
    posix_spawn_file_actions_t actions;
    if (::posix_spawn_file_actions_init(&actions) != 0) return cannot(std::strerror(ENOMEM));
    ::posix_spawn_file_actions_adddup2(&actions, writes.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, writes.get(), STDERR_FILENO);
    std::array<std::string, 3> words{program, "--can-take-over", place.path};
    std::array<char*, 4> arguments{words[0].data(), words[1].data(), words[2].data(), nullptr};
    pid_t pid = 0;
    const int code = ::posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments.data(), ::environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (code != 0) return cannot(std::strerror(code));
    writes.reset();
    std::optional<std::string> answer = read_all(reads.get(), Clock::now() + timeout);
    if (!answer) ::kill(pid, SIGKILL);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!answer)
        return Error{ErrorKind::timed_out, fmt::format("the coordinator of session {} stays: {} has not said in time "
                                                       "whether it can take over from it",
                                                       place.id, program)};
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    while (answer->ends_with('\n')) answer->pop_back();
    return cannot(answer->empty() ? "it has ended without a word" : *answer);
}

}  // namespace

Result<Outcome> restart_coordinator(Visit& visit, Duration timeout, const Wishes& wishes) {
    const Result<std::string> program = program_of(visit.place());
    if (!program) return program.error();
    if (Result<void> can = check_it_can_take_over(*program, visit.place(), timeout); !can) return can.error();
    const pid_t before = visit.session().coordinator_pid();
    const Result<pid_t> after = visit.session().restart_coordinator(timeout);
    if (!after) return explained("the coordinator may not have been replaced", after.error(), "`baton ps` shows it");
    if (wishes.wants_json)
        return Outcome{json_line(object({{"session", {visit.place().id}},
                                         {"pid_before", {static_cast<std::int64_t>(before)}},
                                         {"pid", {static_cast<std::int64_t>(*after)}}}))};
    return Outcome{fmt::format("the coordinator of session {} is process {} now; process {} has ended\n",
                               visit.place().id, *after, before)};
}

}  // namespace baton::tool
