// The coordinator program: one session, from start to end.
//
// The process that is started is the anchor of the session; it starts the coordinator, which is this program as well.
#include <fmt/core.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <new>
#include <optional>

#include <baton/command_line.hpp>
#include <baton/version.hpp>
#include "actors/coordinator/anchor.hpp"
#include "actors/coordinator/anchor_link.hpp"
#include "actors/coordinator/coordinator_actor.hpp"
#include "actors/coordinator/options.hpp"
#include "actors/coordinator/upkeep.hpp"
#include "runtime/base/limit_behind.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/base/log_level.hpp"
#include "runtime/base/say.hpp"
#include "runtime/base/text.hpp"
#include "runtime/process/find_program.hpp"
#include "runtime/process/process_facts.hpp"
#include "runtime/process/system_error.hpp"
#include "runtime/session/environment.hpp"
#include "runtime/transport/descriptors.hpp"
#include "runtime/transport/zmq_transport.hpp"

namespace {

using namespace baton;
using namespace baton::detail;

constexpr int exit_gave_up = 70;  // EX_SOFTWARE of sysexits.h

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

// For the program that started this one, which makes it an Error of its own: "KIND TEXT", one line.
std::string line_of(const Error& error) {
    std::string line = fmt::format("{} {}\n", name_of(error.kind), error.text);
    std::replace(line.begin(), line.end() - 1, '\n', ';');
    return line;
}

// A scenario is a Python file or a program.
Result<ChildSpec> scenario_of(const Options& options, const SessionFolder& folder) {
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
    return spec;
}

// ---- one coordinator of a session ------------------------------------------------------------------

struct Regions {
    Vitals vitals;
    coordinator::Lanes lanes;
    coordinator::Records records;
};
Result<Regions> open_regions(const std::string& id) {
    Result<RosterRegion> roster = RosterRegion::open(id, RosterRegion::Use::writes);
    if (!roster) return roster.error();
    Result<Vitals> vitals = Vitals::open(id, Vitals::Use::coordinates);
    if (!vitals) return vitals.error();
    Result<coordinator::Lanes> lanes = coordinator::Lanes::open(id);
    if (!lanes) return lanes.error();
    return Regions{std::move(*vitals), std::move(*lanes), coordinator::Records{std::move(*roster), id}};
}

// 0 if a coordinator of this program could take over from the present one: it must read what that one has written, and
// hear the anchor.
Result<int> can_take_over(const std::string& path) {
    const SessionFolder folder = SessionFolder::visit(path);
    const Result<RosterRegion> roster = RosterRegion::open(folder.id(), RosterRegion::Use::reads);
    if (!roster) return roster.error();
    const std::uint64_t anchor = roster->header().anchor_version.load(std::memory_order_relaxed);
    if (anchor != coordinator::AnchorTable::version_word) return coordinator::other_anchor(anchor);
    if (const Result<LedgerRegion> ledger = LedgerRegion::open(folder.id()); !ledger) return ledger.error();
    if (const Result<Vitals> vitals = Vitals::open(folder.id(), Vitals::Use::reads); !vitals) return vitals.error();
    if (const Result<coordinator::Lanes> lanes = coordinator::Lanes::open(folder.id()); !lanes) return lanes.error();
    return 0;
}

Result<int> coordinate(const Options& options, Log& log, coordinator::AnchorLink& anchor) {
    if (Result<void> bound = die_with_parent(anchor.anchor()); !bound) return bound.error();
    const std::uint64_t generation = anchor.generation();
    be_crash_generation(generation);
    Result<StopSignals> signals = StopSignals::install(StopSignals::Second::is_counted);
    if (!signals) return signals.error();
    // It is not in the foreground of a terminal any more, and `stty tostop` would stop it as it says something there.
    std::signal(SIGTTOU, SIG_IGN);
    SessionFolder folder = SessionFolder::visit(options.anchored);
    coordinator::Upkeep upkeep{folder, anchor.anchor(), generation};
    if (Result<void> begun = upkeep.begin(); !begun) return begun.error();
    Result<Regions> regions = open_regions(folder.id());
    if (!regions) return regions.error();
    coordinator::Records& records = regions->records;
    const std::uint64_t before = records.header().generation.load(std::memory_order_relaxed);
    SystemClock clock;
    const std::vector<RosterEntry> entries = records.read_members();
    Result<coordinator::Estate> estate =
        coordinator::Estate::resume(folder.id(), clock, coordinator::lives_before(entries, records.header()));
    if (!estate) return estate.error();
    // ZeroMQ's context needs one, and throws if there is none.
    if (Result<void> room = require_descriptors(1, "cannot open a session"); !room) return room.error();
    ZmqTransport transport;
    Loop loop{transport, clock, log};
    loop.be(coordinator_id, "coordinator");
    loop.be_in(SessionTag::of(folder.id()));

    coordinator::Coordinator::Setting setting;
    setting.serves_for = options.serve_for;
    setting.stop_deadline =
        std::chrono::duration_cast<Duration>(std::chrono::duration<double>(options.session.stop_seconds));
    if (!options.script.empty()) {
        Result<ChildSpec> scenario = scenario_of(options, folder);
        if (!scenario) return scenario.error();
        setting.scenario = std::move(*scenario);
    }
    Result<std::unique_ptr<coordinator::Coordinator>> coordinator = coordinator::Coordinator::create(
        loop, {&folder, &regions->vitals, &*estate, &regions->lanes, &records, &anchor, &*signals, &upkeep},
        std::move(setting));
    if (!coordinator) return coordinator.error();
    const std::string address = coordinator_address(folder.path(), generation);
    if (Result<void> bound = transport.bind(address); !bound) return bound.error();
    if (Result<void> taken = (*coordinator)->take_over(entries, records.journal().read()); !taken) return taken.error();
    const auto facts = facts_of(::getpid());
    if (Result<void> named = upkeep.name_inbox(before); !named) return named.error();
    if (generation > 1) log.warn("coordinator.replaced", "the one before was ended; this is number {}", generation);
    records.take_role(generation, static_cast<std::uint64_t>(::getpid()), facts ? facts->start_ticks : 0);
    pass_crash_point(CrashPoint::role_taken);
    anchor.say_ready();
    if (generation == 1 && options.announce_fd < 0 && options.script.empty())
        say(fmt::format("session {0} is open (pid {1}). In another shell:\n"
                        "  export BATON_SESSION={0}  # scripts and programs started there join this session\n"
                        "  baton spawn PROGRAM            # starts an actor in it\n"
                        "  baton ps                       # shows who is in it\n"
                        "  baton stop --everything        # closes it, as Ctrl-C does here\n",
                        folder.id(), anchor.anchor()));
    coordinator::Coordinator& it = **coordinator;
    static_cast<void>(loop.serve(&it, [&] { return it.is_closed() || it.is_replaced(); }, Deadline::never()));
    // As it is: what is recorded is enough, and nobody is told of an end.
    if (it.is_replaced()) ::_exit(coordinator::exit_replaced);
    it.end_strays();
    const int code = it.scenario_exit_code().value_or(0);
    const bool is_all_there = is_balanced(*estate, log);
    if (code != 0) return code;
    if (!is_all_there) return exit_unbalanced;
    if (records.header().has_failed.load(std::memory_order_relaxed) == 0) return 0;
    say(fmt::format("session {} has failed: an actor failed more often than it may be restarted, as its log says\n",
                    folder.id()));
    return exit_session_failed;
}

// ---- the anchor of a session -----------------------------------------------------------------------

// Their names can be put back as long as these live.
Result<std::vector<SharedObject>> open_objects(const std::string& id) {
    std::vector<SharedObject> objects;
    for (const std::string& name : coordinator::Upkeep::objects_of(id)) {
        Result<SharedObject> object = SharedObject::open(name);
        if (!object) return object.error();
        objects.push_back(std::move(*object));
    }
    return objects;
}

// Everything that a session needs is there before its first coordinator, and is removed after the last one.
Result<int> hold_session(const Options& options, const std::vector<std::string>& arguments, Log& log) {
    // To the very end: a signal must not end this process while it removes what it has made.
    Result<StopSignals> stops = StopSignals::install(StopSignals::Second::is_counted);
    if (!stops) return stops.error();
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
            coordinator::Records::remove(id);
            RosterRegion::remove(id);
        }
    } const remove_memory{folder->id()};
    const std::uint64_t budget = budget_of(options);
    if (Result<Vitals> made = Vitals::create(folder->id()); !made) return made.error();
    {
        SystemClock clock;
        Result<coordinator::Estate> made = coordinator::Estate::create(folder->id(), budget, clock);
        if (!made) return made.error();
    }
    if (Result<coordinator::Lanes> made = coordinator::Lanes::create(folder->id(), lane_bytes_of(budget)); !made)
        return made.error();
    const auto facts = facts_of(::getpid());
    const RosterRegion::Anchor here{static_cast<std::uint64_t>(::getpid()), facts ? facts->start_ticks : 0,
                                    coordinator::AnchorTable::version_word};
    if (Result<void> made = RosterRegion::create(folder->id(), here); !made) return made.error();
    const Result<RosterRegion> roster = RosterRegion::open(folder->id(), RosterRegion::Use::writes);
    if (!roster) return roster.error();

    const Result<std::vector<SharedObject>> kept_open = open_objects(folder->id());
    if (!kept_open) return kept_open.error();

    coordinator::Anchor::Plan plan;
    plan.is_over = &roster->header().is_over;
    plan.stop_milliseconds = static_cast<std::int64_t>(options.session.stop_seconds * 1000);
    plan.arguments = {arguments.front(), "--anchored", folder->path()};
    plan.arguments.insert(plan.arguments.end(), arguments.begin() + 1, arguments.end());
    // By these a sweep knows a coordinator that outlives its anchor for a moment.
    plan.environment = {fmt::format("{}={}", session_variable, folder->path()),
                        fmt::format("{}={}", actor_variable, to_string(coordinator_id))};
    // A bad level has been told by now, and everything inherits the environment of this process.
    std::vector<std::pair<std::string, std::string>> log_level;
    replace_bad_log_level(log_level);
    for (const auto& [variable, value] : log_level) ::setenv(variable.c_str(), value.c_str(), 1);
    if (options.announce_fd >= 0) {
        plan.announcement = folder->path() + "\n";
        plan.announce_fd = options.announce_fd;
    }
    Result<coordinator::Anchor> anchor = coordinator::Anchor::create(std::move(plan), *stops);
    if (!anchor) return anchor.error();
    using End = coordinator::Anchor::End;
    const End end = anchor->hold();
    if (end.kind == End::coordinator_left) return end.code;
    if (end.kind == End::cannot_start) return start_error(end.code, anchor->program());
    say(fmt::format("the coordinator of session {} was killed {} times within {} s, at last by signal {}: the session "
                    "has been ended, and its actors with it\n",
                    folder->id(), coordinator::Anchor::deaths_max, coordinator::Anchor::deaths_period_ms / 1000,
                    end.code));
    return exit_gave_up;
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
        if (!options.can_take_over.empty()) {
            code = can_take_over(options.can_take_over);
        } else if (!options.anchored.empty()) {
            ::prctl(PR_SET_NAME, name.c_str());
            Result<coordinator::AnchorLink> anchor = coordinator::AnchorLink::open();
            code = anchor ? coordinate(options, log, *anchor) : anchor.error();
            const bool is_first = anchor && anchor->generation() == 1;
            if (is_first && !code && options.announce_fd >= 0) {
                anchor->say_failed(line_of(code.error()));
                return exit_unavailable;
            }
            if (anchor && !is_first && !code) {
                say(fmt::format("{}: session {} is ended, for its next coordinator cannot take over: {}\n", name,
                                SessionFolder::visit(options.anchored).id(), to_text(code.error())));
                return exit_unavailable;
            }
        } else {
            code = hold_session(options, {argv, argv + argc}, log);
        }
    } catch (const std::bad_alloc&) {
        code = Error{ErrorKind::overloaded, "no memory is left" + limit_behind(ENOMEM)};
    }
    if (code) return *code;
    if (options.announce_fd >= 0 && options.anchored.empty()) {
        const std::string line = line_of(code.error());
        [[maybe_unused]] const auto written = ::write(options.announce_fd, line.data(), line.size());
    } else {
        say(fmt::format("{}: {}\n", name, to_text(code.error())));
    }
    return exit_unavailable;
}
