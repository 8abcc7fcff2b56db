// baton restart-coordinator: the next coordinator of a living session, of the program that is on the disk now.
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <baton/unique_fd.hpp>
#include "tools/baton/json_object.hpp"
#include "tools/baton/subcommands.hpp"
#include "tools/baton/table.hpp"

namespace baton::tool {

using namespace dynamic;
namespace {

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

// That program says itself whether it could take over. If it can't, the session would end.
Result<void> check_it_can_take_over(const std::string& program, const SessionInfo& place) {
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
    std::string answer(answer_bytes_max, '\0');
    std::size_t bytes = 0;
    for (ssize_t size = 0; bytes < answer.size(); bytes += static_cast<std::size_t>(size))
        if ((size = ::read(reads.get(), answer.data() + bytes, answer.size() - bytes)) <= 0) break;
    answer.resize(bytes);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    while (answer.ends_with('\n')) answer.pop_back();
    return cannot(answer.empty() ? "it has ended without a word" : answer);
}

}  // namespace

Result<Outcome> restart_coordinator(Visit& visit, Duration timeout, const Wishes& wishes) {
    const Result<std::string> program = program_of(visit.place());
    if (!program) return program.error();
    if (Result<void> can = check_it_can_take_over(*program, visit.place()); !can) return can.error();
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
