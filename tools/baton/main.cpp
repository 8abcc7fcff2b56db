// baton: the command line. Joins a session, looks or does one thing, and leaves.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <functional>
#include <sstream>

#include "runtime/base/say.hpp"
#include "runtime/base/text.hpp"
#include "runtime/process/birth.hpp"
#include "runtime/process/output.hpp"
#include "runtime/session/environment.hpp"
#include "runtime/base/version.hpp"
#include "tools/baton/subcommands.hpp"
#include "tools/baton/table.hpp"

namespace {

using namespace baton;
using namespace baton::detail;
using namespace baton::tool;

constexpr double deadline_seconds_max = 1e6;

constexpr const char* examples_and_codes =
    "Examples:\n"
    "  {:<34}  # opens a session and keeps it open\n"
    "  baton ps                            # who is in it\n"
    "  baton describe Ada                  # what one may say to her\n"
    "  baton ask Ada Greet name=Grace      # say it, and wait for the reply\n"
    "  baton stop Ada                      # ask her to end\n"
    "  baton stop --everything             # close the session\n"
    "\n"
    "Exit codes:\n"
    "    0  done\n"
    "    1  done, but an actor had to be ended by a signal; or an audit has found something; or a sweep had to leave\n"
    "       something\n"
    "   64  usage: the command line makes no sense\n"
    "   65  refused: understood, and no (a wrong field, say); corrupt\n"
    "   69  gone: no such session or actor, or it has ended\n"
    "   70  failed: the actor raised an error\n"
    "   74  not all of the output could be written\n"
    "   75  overloaded, timed_out: try again later\n"
    "   76  unsupported: the actor does not know this command\n"
    "  130  interrupted by Ctrl-C\n"
    "  141  the reader of the output has gone, as in `baton ps | head -n 1`\n";

std::string complaint(std::string_view kind, const Error& error) {
    return fmt::format("{} {}\n", painted("baton:", Paint::bold, colours_for(stderr)), in_one_line(kind, error));
}

// Everything that was read from the command line, and what is to be done with it.
struct CommandLine {
    Wishes wishes;
    PsOptions ps;
    std::string described;
    SegmentsOptions segments;
    Words words;
    double ask_seconds = std::chrono::duration<double>(limits::ask_deadline).count();
    StopOptions stop;
    double stop_seconds = std::chrono::duration<double>(limits::stop_deadline).count();
    bool stops_all = false;
    bool stops_everything = false;
    KillOptions kill;
    Interruption interruption;
    std::function<Result<Outcome>()> alone;         // needs no session
    std::function<Result<Outcome>(Visit&)> inside;  // of one
};

Duration duration_of(double seconds) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

void add_session(CLI::App& app, CommandLine& line) {
    app.add_option("--session", line.wishes.session,
                   "which one: its id or folder (else $BATON_SESSION, else the only one)")
        ->type_name("ID");
}

enum class Place { session, none };

CLI::App* add(CLI::App& app, CommandLine& line, const char* name, const char* about, const char* footer,
              Place place = Place::session) {
    CLI::App* sub = app.add_subcommand(name, about);
    sub->footer(footer);
    sub->add_flag("--json", line.wishes.wants_json, "print JSON, for programs");
    if (place == Place::session) add_session(*sub, line);
    return sub;
}

void add_deadline(CLI::App& sub, double& seconds, const char* about) {
    const CLI::Validator range{[](const std::string& text) {
                                   double number = 0;
                                   const bool is_fine = CLI::detail::lexical_cast(text, number) && number > 0 &&
                                                        number <= deadline_seconds_max;
                                   return is_fine ? std::string{}
                                                  : fmt::format("'{}' is no number of seconds above 0 and up to {}", text,
                                                                deadline_seconds_max);
                               },
                               ""};
    sub.add_option("--deadline", seconds, about)->check(range)->capture_default_str()->type_name("SECONDS");
}

void add_looking(CLI::App& app, CommandLine& line) {
    CLI::App* ps = add(app, line, "ps", "show the actors of a session, or of all sessions",
                       "Examples:\n"
                       "  baton ps\n"
                       "  baton ps --all          # how those that have exited ended\n"
                       "  baton ps --json\n"
                       "\n"
                       "STATE    starting, ready, busy (a command is in hand), frozen (by a signal), stopping, exited\n"
                       "INBOX    commands that were sent and not yet taken\n"
                       "HANDLED  commands done so far\n");
    ps->add_flag("--all,-a", line.ps.with_exited, "also those that have exited, with reason, dead letters and what they held");
    ps->callback([&line] { line.alone = [&line] { return tool::ps(line.ps, line.wishes, line.interruption); }; });

    CLI::App* describe = add(app, line, "describe", "show the commands that an actor accepts",
                             "Examples:\n"
                             "  baton describe Ada\n"
                             "  baton describe class/alice   # an actor that another one started\n"
                             "  baton describe coordinator\n");
    describe->add_option("NAME", line.described, "of the actor, as in `baton ps`")->required()->type_name("");
    describe->callback(
        [&line] { line.inside = [&line](Visit& visit) { return describe_actor(visit, line.described, line.wishes); }; });

    CLI::App* segments = add(app, line, "segments", "show the segments of a session, and whose they are",
                             "Examples:\n"
                             "  baton segments\n"
                             "  baton segments --limit 20\n"
                             "  baton segments --json\n"
                             "\n"
                             "STATE   owned; offered (on its way to its heir), lent (others may read it), retired (nobody's, its\n"
                             "        memory waits for its next use or for the last lease)\n"
                             "LEASES  leases and slices that are out\n"
                             "AGE     since it came into this state\n");
    segments->add_option("--limit", line.segments.rows_max, "how many to show at most")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{limits::segments_listed_max}))
        ->capture_default_str()
        ->type_name("N");
    segments->callback(
        [&line] { line.inside = [&line](Visit& visit) { return tool::segments(visit, line.segments, line.wishes); }; });

    CLI::App* audit = add(app, line, "audit", "check that the ledger of a session keeps its promises",
                          "Example:\n"
                          "  baton audit             # \"all invariants hold\", or each that does not; exit code 0 or 1\n"
                          "\n"
                          "The invariants are those of docs/ownership.md. What is on its way while the audit looks may seem\n"
                          "broken: it is exact only while nothing moves.\n");
    audit->callback([&line] { line.inside = [&line](Visit& visit) { return tool::audit(visit, line.wishes); }; });

    CLI::App* sessions = add(app, line, "sessions", "list your sessions, live and dead", "Example:\n  baton sessions\n",
                             Place::none);
    sessions->callback([&line] { line.alone = [&line] { return tool::sessions(line.wishes); }; });
}

void add_talking(CLI::App& app, CommandLine& line) {
    constexpr const char* values =
        "\n"
        "VALUE is read by the field's type: text and the names of enums as they are, an actor by its name, all\n"
        "else as JSON (4, 0.5, true, [1,2], null). A wrong one is refused before anything is sent.\n";
    const auto add_words = [&line](CLI::App& sub) {
        sub.add_option("NAME", line.words.name, "of the actor, as in `baton ps`")->required()->type_name("");
        sub.add_option("COMMAND", line.words.command, "one of `baton describe NAME`")->required()->type_name("");
        sub.add_option("FIELDS", line.words.fields, "of the command, each as FIELD=VALUE")->type_name("");
    };
    CLI::App* ask = add(app, line, "ask", "say a command to an actor and print its reply", "");
    ask->footer(std::string("Examples:\n"
                            "  baton ask Ada Greet name=Grace\n"
                            "  baton ask Ada Greet name='Grace Hopper' --deadline 30\n"
                            "  baton ask coordinator Find name=Ada --json\n") + values);
    add_words(*ask);
    add_deadline(*ask, line.ask_seconds, "how long to wait for the reply");
    ask->callback([&line] {
        line.words.deadline = duration_of(line.ask_seconds);
        line.inside = [&line](Visit& visit) { return tool::ask(visit, line.words, line.wishes); };
    });

    CLI::App* send = add(app, line, "send", "say a command to an actor without waiting for a reply", "");
    send->footer(std::string("Example:\n  baton send Ada Greet name=Grace\n") + values);
    add_words(*send);
    send->callback(
        [&line] { line.inside = [&line](Visit& visit) { return tool::send(visit, line.words, line.wishes); }; });
}

void add_ending(CLI::App& app, CommandLine& line) {
    CLI::App* stop = add(app, line, "stop", "ask actors to end; after the deadline they are killed",
                         "Examples:\n"
                         "  baton stop Ada Bob             # these two\n"
                         "  baton stop Ada --drain         # when she has handled what waits in her inbox\n"
                         "  baton stop --all               # every actor; the session stays open\n"
                         "  baton stop --everything        # every actor, then the coordinator\n"
                         "\n"
                         "Within the deadline: a stop notice, then SIGTERM, then SIGKILL. Exit code 1 if a signal was\n"
                         "needed.\n");
    stop->add_option("NAME", line.stop.names, "of the actors, as in `baton ps`")->type_name("");
    stop->add_flag("--all", line.stops_all, "every actor");
    stop->add_flag("--everything", line.stops_everything, "every actor, then the coordinator: the session ends");
    stop->add_flag("--drain", line.stop.drains, "they first handle what waits in their inboxes");
    add_deadline(*stop, line.stop_seconds, "how long the whole stop may take");
    stop->callback([&line] {
        const int ways = (line.stop.names.empty() ? 0 : 1) + (line.stops_all ? 1 : 0) + (line.stops_everything ? 1 : 0);
        if (ways != 1)
            throw CLI::ValidationError("say whom to stop: names of actors, or --all for every actor, or --everything "
                                       "for the session");
        line.stop.whom = line.stops_everything ? StopOptions::Whom::everything
                         : line.stops_all      ? StopOptions::Whom::all_actors
                                               : StopOptions::Whom::named;
        line.stop.deadline = duration_of(line.stop_seconds);
        line.inside = [&line](Visit& visit) { return tool::stop(visit, line.stop, line.wishes); };
    });

    CLI::App* kill = add(app, line, "kill", "send actors a signal, and show how they ended",
                         "Examples:\n"
                         "  baton kill Ada                 # SIGKILL: at once, without a goodbye\n"
                         "  baton kill Ada --signal TERM\n"
                         "  baton kill Ada --signal STOP   # freezes her; --signal CONT wakes her again\n");
    kill->add_option("NAME", line.kill.names, "of the actors, as in `baton ps`")->required()->type_name("");
    kill->add_option("--signal", line.kill.signal, "its name or number")->capture_default_str()->type_name("N");
    kill->callback(
        [&line] { line.inside = [&line](Visit& visit) { return tool::kill(visit, line.kill, line.wishes); }; });

    CLI::App* sweep = add(app, line, "sweep", "remove what dead sessions have left",
                          "Example:\n"
                          "  baton sweep\n"
                          "\n"
                          "Kills actors whose coordinator has died, and removes their shared memory and sockets. Never touches\n"
                          "a live session. Every coordinator does the same when it starts. What it can't remove it names; the\n"
                          "rest is done all the same, and the exit code is 1.\n",
                          Place::none);
    sweep->callback([&line] { line.alone = [&line] { return tool::sweep(line.wishes); }; });
}

Result<Outcome> run(CommandLine& line) {
    if (line.alone) return line.alone();
    Result<SessionInfo> place = find_place(line.wishes);
    if (!place) return place.error();
    Result<std::unique_ptr<Visit>> visit = Visit::enter(std::move(*place), line.interruption);
    if (!visit) return visit.error();
    Result<Outcome> outcome = line.inside(**visit);
    if (line.interruption.has_come) {
        static_cast<void>((*visit)->session().close());
        // Not to be held up by what an actor that does not read has not taken yet.
        const Error why = outcome ? Error{ErrorKind::stopping, "by Ctrl-C"} : outcome.error();
        say(complaint("interrupted", why));
        std::_Exit(exit_code::interrupted);
    }
    return outcome;
}

int report(const Result<Outcome>& outcome) {
    if (!outcome) {
        say(complaint(name_of(outcome.error().kind), outcome.error()));
        return exit_code_of(outcome.error().kind);
    }
    print_output(outcome->text);
    for (const Error& trouble : outcome->troubles) say(complaint(name_of(trouble.kind), trouble));
    if (outcome->troubles.empty()) return outcome->code;
    return outcome->code_with_troubles.value_or(exit_code_of(outcome->troubles.front().kind));
}

// "there is no command 'pss'; ..." where the first word is none.
std::string unknown_command(const CLI::App& app, int argc, char** argv) {
    const auto is_value = [](std::string_view before) { return before == "--session"; };
    for (int index = 1; index < argc; ++index) {
        const std::string_view word = argv[index];
        if (word.starts_with('-') || is_value(argv[index - 1])) continue;
        std::string names;
        for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
            if (sub->get_name() == word) return {};
            names += (names.empty() ? "" : ", ") + sub->get_name();
        }
        return fmt::format("there is no command '{}'; there are {}", readable(word, 80), names);
    }
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    take_over_birth(Birth::program);
    CLI::App app{"Looks at Baton sessions and talks to their actors.\n", "baton"};
    app.set_version_flag("--version", std::string("baton ") + version_text);
    app.footer(fmt::format(fmt::runtime(examples_and_codes), coordinator_command() + " &"));
    app.require_subcommand(1);
    app.failure_message([](const CLI::App*, const CLI::Error&) { return std::string{}; });
    CommandLine line;
    add_session(app, line);
    add_looking(app, line);
    add_talking(app, line);
    add_ending(app, line);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& asked) {  // for help or the version
        std::ostringstream out;
        const int code = app.exit(asked, out);
        print_output(out.str());
        return code_with_output("baton", code);
    } catch (const CLI::ParseError& error) {
        if (argc == 1) {
            say(app.help());
            return exit_code::usage;
        }
        std::string name = "baton";
        for (const CLI::App* sub : app.get_subcommands()) name += " " + sub->get_name();
        const std::string unknown = app.get_subcommands().empty() ? unknown_command(app, argc, argv) : std::string();
        const std::string text = fmt::format("{}; see `{} --help`", unknown.empty() ? error.what() : unknown, name);
        say(complaint("usage", {ErrorKind::refused, text}));
        return exit_code::usage;
    }
    return code_with_output("baton", report(run(line)));
}
