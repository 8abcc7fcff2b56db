// The coordinator program: one session, from start to end.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <limits>
#include <new>
#include <optional>

#include "actors/coordinator/coordinator_actor.hpp"
#include "runtime/base/limit_behind.hpp"
#include "runtime/base/log_level.hpp"
#include "runtime/base/say.hpp"
#include "runtime/base/text.hpp"
#include "runtime/process/birth.hpp"
#include "runtime/process/command_line.hpp"
#include "runtime/process/find_program.hpp"
#include "runtime/process/output.hpp"
#include "runtime/process/sweep.hpp"
#include "runtime/session/environment.hpp"
#include "runtime/transport/zmq_transport.hpp"
#include "runtime/base/version.hpp"

namespace {

using namespace baton;
using namespace baton::detail;

constexpr int exit_unavailable = 69;  // EX_UNAVAILABLE of sysexits.h

struct Options {
    std::vector<std::string> scenario;  // its file, then its arguments
    pid_t serve_for = 0;
    int announce_fd = -1;
    std::uint64_t memory_bytes = 0;
    double stop_seconds = std::chrono::duration<double>(limits::stop_timeout).count();
};

// "1048576", "512M", "4GiB": at least one byte, and no more than 64 bits count. Nothing for everything else.
std::optional<std::uint64_t> bytes_of(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number == 0) return std::nullopt;
    std::string unit{end, text.data() + text.size()};
    for (char& letter : unit) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    for (const std::string_view ending : {"IB", "B"})
        if (unit.ends_with(ending)) {
            unit.resize(unit.size() - ending.size());
            break;
        }
    constexpr std::string_view units = "KMGT";
    if (unit.size() > 1 || (!unit.empty() && units.find(unit[0]) == std::string_view::npos)) return std::nullopt;
    const std::size_t shift = unit.empty() ? 0 : 10 * (units.find(unit[0]) + 1);
    if (number > std::numeric_limits<std::uint64_t>::max() >> shift) return std::nullopt;
    return number << shift;
}

std::string is_memory(const std::string& text) {
    return bytes_of(text) ? std::string() : fmt::format("'{}' is no number of bytes from 1: 536870912, 512M, 4G", printable(text));
}

std::string is_stop_deadline(const std::string& text) {
    double seconds = 0;  // nan is none either
    const bool is_fine = CLI::detail::lexical_cast(text, seconds) && seconds >= 0.1 && seconds <= 3600;
    return is_fine ? std::string() : fmt::format("'{}' is no number of seconds from 0.1 to 3600", printable(text));
}

// Three quarters of what shared memory can take now, unless somebody says otherwise.
std::uint64_t budget_of(const Options& options) {
    if (options.memory_bytes != 0) return options.memory_bytes;
    return shared_memory_bytes_free() / 4 * 3;
}

// Says what became of all segments; false if one is lost, doubled or left.
bool is_balanced(coordinator::Estate& estate, Log& log) {
    const coordinator::Estate::Balance balance = estate.close();
    const Counts& counts = balance.counts;
    if (counts.created + counts.taken_in > 0) {
        std::string line = fmt::format("segments: {} created", counts.created);
        if (counts.taken_in > 0) line += fmt::format(" + {} taken in", counts.taken_in);
        line += fmt::format(" = {} released", counts.released);
        if (counts.handed_out > 0) line += fmt::format(" + {} handed out by name", counts.handed_out);
        if (balance.for_the_dead > 0) line += fmt::format(" ({} of them for actors that had ended)", balance.for_the_dead);
        if (counts.refused > 0) line += fmt::format("; {} handles refused", counts.refused);
        say(line + "\n");
    }
    for (const std::string& text : estate.take_mended().texts) log.warn("ledger.mended", "{}", text);
    if (balance.mended > 0)
        log.warn("ledger.mended", "{} rows of the ledger held what no actor can have written so, and were mended: something "
                 "in the session writes where it should not", balance.mended);
    for (const Finding& finding : balance.findings) log.error("ledger.unbalanced", "I{}: {}", finding.invariant, finding.text);
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
    spec.arguments.assign(options.scenario.begin() + 1, options.scenario.end());
    if (options.scenario.front().ends_with(".py")) {
        if (::access(options.scenario.front().c_str(), R_OK) != 0)
            return Error{ErrorKind::refused, fmt::format("cannot read the scenario {}: {}", options.scenario.front(),
                                                         std::strerror(errno))};
        spec.program = BATON_PYTHON_PROGRAM;
        spec.arguments.insert(spec.arguments.begin(), options.scenario.front());
        // The module of this build comes first; an installed one is found by Python itself.
        const char* path = std::getenv("PYTHONPATH");
        const std::string own = program_folders().back() + "/" BATON_PYTHON_FROM_BIN;
        spec.environment.emplace_back("PYTHONPATH", path == nullptr ? own : fmt::format("{}:{}", path, own));
    } else {
        Result<std::string> program = find_program(options.scenario.front(), program_folders());
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
        }
    } const remove_memory{folder->id()};
    Result<Vitals> vitals = Vitals::create(folder->id());
    if (!vitals) return vitals.error();
    SystemClock clock;
    Result<coordinator::Estate> estate = coordinator::Estate::create(folder->id(), budget_of(options), clock);
    if (!estate) return estate.error();
    ZmqTransport transport;
    Loop loop{transport, clock, log};
    loop.be(coordinator_id, "coordinator");
    loop.be_in(SessionTag::of(folder->id()));
    if (Result<void> bound = transport.bind(coordinator_address(folder->path())); !bound) return bound.error();

    coordinator::Coordinator::Setting setting;
    setting.serves_for = options.serve_for;
    setting.stop_deadline = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(options.stop_seconds));
    if (!options.scenario.empty()) {
        Result<Child> scenario = start_scenario(options, *folder);
        if (!scenario) return scenario.error();
        setting.scenario.emplace(std::move(*scenario));
    }
    Result<std::unique_ptr<coordinator::Coordinator>> coordinator =
        coordinator::Coordinator::create(loop, *folder, *vitals, *estate, *signals, std::move(setting));
    if (!coordinator) return coordinator.error();

    if (options.announce_fd >= 0) {
        const std::string line = folder->path() + "\n";
        [[maybe_unused]] const auto written = ::write(options.announce_fd, line.data(), line.size());
        ::close(std::exchange(options.announce_fd, -1));
    } else if (options.scenario.empty()) {
        say(fmt::format("session {0} is open (pid {1}); Ctrl-C stops it, `baton ps` shows it. Scenarios join it with "
                        "BATON_SESSION={0} in their environment\n", folder->id(), ::getpid()));
    }
    static_cast<void>(loop.serve(coordinator->get(), [&] { return (*coordinator)->is_closed(); }, Deadline::never()));
    (*coordinator)->end_strays();
    const int code = (*coordinator)->scenario_exit_code().value_or(0);
    return is_balanced(*estate, log) || code != 0 ? code : exit_unbalanced;
}

}  // namespace

int main(int argc, char** argv) {
    take_over_birth(Birth::program);
    const std::string name = std::filesystem::path(argv[0]).filename().string();
    CLI::App app{"Spawns and stops the actors of one session and keeps its roster.\n"
                 "With a scenario: runs it in a session of its own and ends with its exit code.\n"
                 "Without: serves until it is stopped. `baton` finds the session by itself where it is the only one;\n"
                 "scenarios join it where BATON_SESSION names it, else each starts a session of its own.\n", name};
    Options options;
    app.add_option("scenario", options.scenario, "a Python file or a program, and its arguments");
    app.add_option("--stop-deadline", options.stop_seconds, "seconds that stopping everything may take at most")
        ->check(CLI::Validator{is_stop_deadline, "0.1 to 3600"})->capture_default_str();
    std::string memory;
    app.add_option("--memory", memory, "bytes that all segments of the session may take, as 512M or 4G; "
                                                     "three quarters of what /dev/shm has free if not given")
        ->check(CLI::Validator{is_memory, "BYTES"});
    app.add_option("--serve-for", options.serve_for, "the session ends when this process ends")->group("");
    app.add_option("--announce", options.announce_fd, "descriptor to which the session's folder is written")->group("");
    app.set_version_flag("--version", std::string("baton ") + version_text);
    app.footer(fmt::format("Examples:\n"
                           "  {0} hello.py               # a scenario, in a session of its own\n"
                           "  {0} &                      # a session for others; says its id\n"
                           "  BATON_SESSION=ID python3 hello.py", name));
    app.prefix_command();
    app.positionals_at_end();
    if (const std::optional<int> code = read_command_line(app, argc, argv, name)) return *code;
    if (!memory.empty()) options.memory_bytes = bytes_of(memory).value_or(0);
    for (const std::string& rest : app.remaining()) options.scenario.push_back(rest);
    // Behind the scenario all is the scenario's; what stands in its place and looks like an option was meant as one.
    if (!options.scenario.empty() && options.scenario.front().starts_with('-'))
        return complain_of_usage(name, fmt::format("there is no option '{}'", options.scenario.front()));

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
