#include "runtime/scenario.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <new>

#include "runtime/base/limit_behind.hpp"
#include "runtime/base/say.hpp"
#include "runtime/base/text.hpp"
#include "runtime/process/birth.hpp"
#include "runtime/process/output.hpp"
#include "runtime/process/signals.hpp"
#include "runtime/progress.hpp"

namespace baton {
namespace {

constexpr int exit_failed = 1;
constexpr int exit_unavailable = 69;  // EX_UNAVAILABLE of sysexits.h
constexpr int exit_interrupted = 130;

}  // namespace

Result<Ended> Scenario::stop(AnyRef actor, Duration deadline) {
    Result<std::vector<Ended>> ended = session_->stop({actor}, deadline);
    if (!ended) return ended.error();
    if (ended->empty()) return Error{ErrorKind::timed_out, "the actor has not ended before the deadline"};
    return std::move(ended->front());
}

Result<std::vector<Ended>> Scenario::stop_all(Duration deadline) { return session_->stop({}, deadline); }

Result<std::vector<Spawned>> Scenario::spawn_programs(const std::vector<Program>& programs, std::uint64_t fingerprint) {
    std::vector<Session::SpawnOptions> options;
    Duration deadline = Duration::zero();
    for (const Program& program : programs) {
        options.push_back({program.program, program.name, program.arguments, fingerprint, program.memory_bytes, program.folders});
        deadline = std::max(deadline, program.deadline);
    }
    Progress progress{"starting", options.size(), "actors"};
    return session_->spawn(options, deadline, [&progress](std::size_t ready) { progress.reach(ready); });
}

int run_scenario(int argc, char** argv, const std::function<void(Scenario&)>& body) {
    take_over_birth(Birth::program);
    const std::string program = std::filesystem::path(argv[0]).filename().string();
    Session::Entry entry;
    entry.name = readable(program, limits::name_bytes_max);
    std::ranges::replace_if(entry.name, [](unsigned char c) { return c <= ' ' || c == 0x7F; }, '_');
    std::vector<std::string> arguments;
    for (int index = 1; index < argc; ++index) {
        if (std::string_view(argv[index]) == "--session" && index + 1 < argc) {
            entry.session = argv[++index];
        } else {
            arguments.emplace_back(argv[index]);
        }
    }
    Result<StopSignals> signals = StopSignals::install(StopSignals::Second::exits_now);
    Result<std::unique_ptr<Session>> session = std::unique_ptr<Session>{};
    try {
        session = signals ? Session::enter(std::move(entry)) : Result<std::unique_ptr<Session>>{signals.error()};
    } catch (const std::bad_alloc&) {
        session = Error{ErrorKind::overloaded, "no memory is left" + limit_behind(ENOMEM)};
    }
    if (!session) {
        say(fmt::format("{}: {}\n", program, describe(session.error())));
        return exit_unavailable;
    }
    (*session)->loop().watch(signals->fd(), [&] {
        if (signals->take() != 0) (*session)->loop().stop(false);
    });

    int code = 0;
    try {
        Scenario scenario{**session, std::move(arguments)};
        body(scenario);
    } catch (const std::exception& exception) {
        // What a stop interrupted has been told why; there is nothing to add. Nor is there to what it could not print,
        // which is told below.
        if (signals->count() == 0 && std::ferror(stdout) == 0) {
            say(fmt::format("{}: {}\n", program, printable(exception.what(), Lines::many)));
            code = exit_failed;
        }
    }
    if (signals->count() > 0) {
        say(fmt::format("{}: interrupted, stopping\n", program));
        code = exit_interrupted;
    }
    if (const Result<std::vector<Ended>> closed = (*session)->close(); !closed && code == 0) {
        say(fmt::format("{}: {}\n", program, describe(closed.error())));
        code = exit_failed;
    }
    return code == 0 ? code_with_output(program, code) : code;
}

}  // namespace baton
