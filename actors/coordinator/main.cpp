// The coordinator program: one session, from start to end.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <new>
#include <optional>

#include <baton/command_line.hpp>
#include <baton/version.hpp>
#include "actors/coordinator/coordinator_actor.hpp"
#include "actors/coordinator/options.hpp"
#include "runtime/base/limit_behind.hpp"
#include "runtime/base/log_level.hpp"
#include "runtime/base/say.hpp"
#include "runtime/base/text.hpp"
#include "runtime/process/find_program.hpp"
#include "runtime/session/environment.hpp"
#include "runtime/transport/descriptors.hpp"
#include "runtime/transport/zmq_transport.hpp"

namespace {

using namespace baton;
using namespace baton::detail;

constexpr int exit_unavailable = 69;  // EX_UNAVAILABLE of sysexits.h

using coordinator::Options;

// Three quarters of what shared memory can take now, unless somebody says otherwise.
std::uint64_t budget_of(const Options& options) {
    return program::bytes_of(options.session.memory).value_or(shared_memory_bytes_free() / 4 * 3);
}

// Beside the segments: what is on its way through lanes. A user's budget is for his data alone.
std::uint64_t lane_bytes_of(std::uint64_t budget) {
    return std::clamp(budget / 4, std::uint64_t{64} << 20, std::uint64_t{4} << 30);
}

// Says what became of all segments; false if one is lost, doubled or left.
bool is_balanced(coordinator::Estate& estate, Log& log) {
    const coordinator::Estate::Balance balance = estate.close();
    const Counts& counts = balance.counts;
    if (counts.created + counts.taken_in > 0) {
        std::string line = fmt::format("segments: {} created", counts.created);
        if (counts.taken_in > 0) line += fmt::format(" + {} imported", counts.taken_in);
        line += fmt::format(" = {} released", counts.released);
        if (counts.handed_out > 0) line += fmt::format(" + {} exported", counts.handed_out);
        if (balance.for_the_dead > 0)
            line += fmt::format(" ({} of them for actors that had ended)", balance.for_the_dead);
        if (counts.refused > 0) line += fmt::format("; {} handles refused", counts.refused);
        say(line + "\n");
    }
    for (const std::string& text : estate.take_mended().texts) log.warn("ledger.mended", "{}", text);
    if (balance.mended > 0)
        log.warn("ledger.mended",
                 "{} rows of the ledger held what no actor can have written so, and were mended: something "
                 "in the session writes where it should not",
                 balance.mended);
    for (const Finding& finding : balance.findings)
        log.error("ledger.unbalanced", "I{}: {}", finding.invariant, finding.text);
    return balance.findings.empty();
}

// To the program that started this one, which makes it an Error of its own: "KIND TEXT", one line.
void announce_failure(int descriptor, const Error& error) {
    std::string line = fmt::format("{} {}\n", name_of(error.kind), error.text);
    std::replace(line.begin(), line.end() - 1, '\n', ';');
    [[maybe_unused]] const auto written = ::write(descriptor, line.data(), line.size());
}

// A scenario is a Python file or a program.
Result<Child> start_scenario(const Options& options, const SessionFolder& folder) {
    ChildSpec spec;
    spec.group = ChildSpec::Group::parents;  // so that the terminal's Ctrl-C reaches it
    spec.environment = {{session_variable, folder.path()}};
    replace_bad_log_level(spec.environment);
    spec.arguments.assign(options.script.begin() + 1, options.script.end());
    if (options.script.front().ends_with(".py")) {
        if (::access(options.script.front().c_str(), R_OK) != 0)
            return Error{ErrorKind::refused, fmt::format("cannot read the script {}: {}", options.script.front(),
                                                         std::strerror(errno))};
        spec.program = BATON_PYTHON_PROGRAM;
        spec.arguments.insert(spec.arguments.begin(), options.script.front());
        // The module of this build comes first; an installed one is found by Python itself.
        const char* path = std::getenv("PYTHONPATH");
        const std::string own = program_folders().back() + "/" BATON_PYTHON_FROM_BIN;
        spec.environment.emplace_back("PYTHONPATH", path == nullptr ? own : fmt::format("{}:{}", path, own));
    } else {
        Result<std::string> program = find_program(options.script.front(), program_folders());
        if (!program) return program.error();
        spec.program = std::move(*program);
    }
    return Child::start(spec);
}

Result<int> run(Options& options, Log& log) {
    Result<StopSignals> signals = StopSignals::install(StopSignals::Second::is_counted);
    if (!signals) return signals.error();
    if (Result<Swept> swept = sweep_dead_sessions(); swept && swept->sessions > 0)
        log.info("session.swept", "sessions={} processes={} files={}", swept->sessions, swept->processes_killed.size(),
                 swept->removed.size());
    Result<SessionFolder> folder = SessionFolder::create();
    if (!folder) return folder.error();
    // Before they are made: what could be made only in part is removed, too.
    struct RemoveMemory {
        std::string id;
        ~RemoveMemory() {
            coordinator::Estate::remove(id);
            Vitals::remove(id);
            coordinator::Lanes::remove(id);
        }
    } const remove_memory{folder->id()};
    Result<Vitals> vitals = Vitals::create(folder->id());
    if (!vitals) return vitals.error();
    SystemClock clock;
    const std::uint64_t budget = budget_of(options);
    Result<coordinator::Estate> estate = coordinator::Estate::create(folder->id(), budget, clock);
    if (!estate) return estate.error();
    Result<coordinator::Lanes> lanes = coordinator::Lanes::create(folder->id(), lane_bytes_of(budget));
    if (!lanes) return lanes.error();
    // ZeroMQ's context needs one, and throws if there is none.
    if (Result<void> room = require_descriptors(1, "cannot open a session"); !room) return room.error();
    ZmqTransport transport;
    Loop loop{transport, clock, log};
    loop.be(coordinator_id, "coordinator");
    loop.be_in(SessionTag::of(folder->id()));
    if (Result<void> bound = transport.bind(coordinator_address(folder->path())); !bound) return bound.error();

    coordinator::Coordinator::Setting setting;
    setting.serves_for = options.serve_for;
    setting.stop_deadline =
        std::chrono::duration_cast<Duration>(std::chrono::duration<double>(options.session.stop_seconds));
    if (!options.script.empty()) {
        Result<Child> scenario = start_scenario(options, *folder);
        if (!scenario) return scenario.error();
        setting.scenario.emplace(std::move(*scenario));
    }
    Result<std::unique_ptr<coordinator::Coordinator>> coordinator =
        coordinator::Coordinator::create(loop, *folder, *vitals, *estate, *lanes, *signals, std::move(setting));
    if (!coordinator) return coordinator.error();

    if (options.announce_fd >= 0) {
        const std::string line = folder->path() + "\n";
        [[maybe_unused]] const auto written = ::write(options.announce_fd, line.data(), line.size());
        ::close(std::exchange(options.announce_fd, -1));
    } else if (options.script.empty()) {
        say(fmt::format("session {0} is open (pid {1}). In another shell:\n"
                        "  export BATON_SESSION={0}  # scripts and programs started there join this session\n"
                        "  baton spawn PROGRAM            # starts an actor in it\n"
                        "  baton ps                       # shows who is in it\n"
                        "  baton stop --everything        # closes it, as Ctrl-C does here\n",
                        folder->id(), ::getpid()));
    }
    static_cast<void>(loop.serve(coordinator->get(), [&] { return (*coordinator)->is_closed(); }, Deadline::never()));
    (*coordinator)->end_strays();
    const int code = (*coordinator)->scenario_exit_code().value_or(0);
    return is_balanced(*estate, log) || code != 0 ? code : exit_unbalanced;
}

}  // namespace

int main(int argc, char** argv) {
    program::begin();
    const std::string name = std::filesystem::path(argv[0]).filename().string();
    Options options;
    CLI::App app;
    coordinator::describe_program(app, name, options);
    app.set_version_flag("--version", std::string("baton ") + version_text, "print the version and exit");
    if (const std::optional<int> code = program::read_command_line(app, argc, argv, name)) return *code;

    Log log{"coordinator"};
    Result<int> code = Error{};
    try {
        code = run(options, log);
    } catch (const std::bad_alloc&) {
        code = Error{ErrorKind::overloaded, "no memory is left" + limit_behind(ENOMEM)};
    }
    if (code) return *code;
    if (options.announce_fd >= 0) {
        announce_failure(options.announce_fd, code.error());
    } else {
        say(fmt::format("{}: {}\n", name, to_text(code.error())));
    }
    return exit_unavailable;
}
