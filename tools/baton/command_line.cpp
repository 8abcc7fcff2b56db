#include "tools/baton/command_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include <baton/version.hpp>

namespace baton::tool {
namespace {

constexpr double timeout_seconds_max = 1e6;

// None of the programs of the examples is installed.
constexpr std::string_view where_programs_are_from =
    "vote.py, ./build/vote and ./build/tally are made by docs/first_actor.md, which is installed in\n"
    "share/doc/baton: type the examples in the folder where you have followed it.\n";
constexpr std::string_view where_actors_are_from =
    "Ada and Bob are actors of ./build/tally, as `baton spawn --help` starts them.\n";

constexpr std::string_view examples =
    "Examples:\n"
    "  baton run vote.py                       # runs a script in a session of its own\n"
    "  baton serve                             # keeps a session open; in another shell:\n"
    "  baton spawn ./build/tally --name Ada    # starts an actor in it\n"
    "  baton ps                                # who is in it, and what they are doing\n"
    "  baton describe Ada                      # the commands that Ada accepts\n"
    "  baton ask Ada Count choice=tea          # sends one, and prints the reply\n"
    "  baton stop Ada                          # asks Ada to end\n"
    "  baton stop --everything                 # closes the session\n";

constexpr std::string_view exit_codes =
    "Exit codes:\n"
    "    0  success\n"
    "    1  success, but an actor had to be ended by a signal, an audit found something, or a sweep had to\n"
    "       leave something behind\n"
    "   64  usage error\n"
    "   65  refused: the request was understood and rejected (a wrong field, for example); or corrupt data\n"
    "   69  gone: no such session or actor, or it has ended\n"
    "   70  failed: the actor raised an error\n"
    "   74  part of the output could not be written\n"
    "   75  overloaded, timed out or a deadlock: try again later\n"
    "   76  unsupported: the actor does not know this command\n"
    "  130  interrupted by Ctrl-C\n"
    "  141  the reader of the output has gone, as in `baton ps | head -n 1`\n"
    "`baton run` ends with the exit code of the script.\n";

Duration duration_of(double seconds) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

void add_session(CLI::App& app, CommandLine& line) {
    app.add_option("--session", line.wishes.session,
                   "the session's id or folder (default: $BATON_SESSION, or the only session that is running)")
        ->type_name("ID");
}

enum class Place { session, none };
enum class Prints { json, text };  // whether a subcommand can print JSON

CLI::App* add(CLI::App& app, CommandLine& line, const char* name, const char* about, const std::string& footer,
              Place place = Place::session, Prints prints = Prints::json) {
    CLI::App* sub = app.add_subcommand(name, about);
    sub->footer(footer);
    if (prints == Prints::json) sub->add_flag("--json", line.wishes.wants_json, "print JSON, for programs");
    if (place == Place::session) add_session(*sub, line);
    return sub;
}

// The words of baton::Restart.
void add_restart(CLI::App& spawn, RestartWords& words) {
    const CLI::Validator seconds{[](const std::string& text) {
                                     double number = 0;
                                     const bool is_fine = CLI::detail::lexical_cast(text, number) && number >= 0 &&
                                                          number <= timeout_seconds_max;
                                     return is_fine ? std::string{}
                                                    : fmt::format("'{}' is not a number of seconds up to {}", text,
                                                                  timeout_seconds_max);
                                 },
                                 ""};
    const auto add_seconds = [&](const char* name, auto& value, const char* about) {
        return spawn.add_option(name, value, about)->check(seconds)->type_name("SECONDS");
    };
    CLI::Option* const restart =
        spawn.add_option("--restart", words.policy, "whether it is started again: never, on_failure or always")
            ->check(CLI::IsMember({"never", "on_failure", "always"}))
            ->type_name("POLICY");
    spawn.add_option("--restarts-max", words.restarts_max, "how often within the period; one more and it is given up")
        ->check(CLI::Range(std::uint32_t{0}, limits::restarts_max))
        ->capture_default_str()
        ->type_name("COUNT")
        ->needs(restart);
    add_seconds("--restart-period", words.period_seconds, "the period")->capture_default_str()->needs(restart);
    add_seconds("--back-off-first", words.back_off_first_seconds,
                "how long before the first restart; doubled for each that follows within the period")
        ->capture_default_str()
        ->needs(restart);
    add_seconds("--back-off-most", words.back_off_most_seconds, "how long at most")
        ->capture_default_str()
        ->needs(restart);
    CLI::Option* const group =
        spawn.add_option("--group", words.group, "of actors that were left there by `baton spawn`")
            ->type_name("NAME")
            ->needs(restart);
    spawn
        .add_option("--strategy", words.strategy,
                    "which others of the group are ended and restarted with it: one_for_one, one_for_all or "
                    "rest_for_one")
        ->check(CLI::IsMember({"one_for_one", "one_for_all", "rest_for_one"}))
        ->capture_default_str()
        ->type_name("STRATEGY")
        ->needs(group);
    CLI::Option* const hung = add_seconds("--hung-after", words.hung_after_seconds,
                                          "it is hung if it handles one command for longer than this");
    spawn.add_flag("--kill-hung", words.kill_hung, "kill it then")->needs(hung);
}

void add_timeout(CLI::App& sub, double& seconds, const char* about) {
    const CLI::Validator range{[](const std::string& text) {
                                   double number = 0;
                                   const bool is_fine = CLI::detail::lexical_cast(text, number) && number > 0 &&
                                                        number <= timeout_seconds_max;
                                   return is_fine ? std::string{}
                                                  : fmt::format("'{}' is not a number of seconds above 0 and up to {}",
                                                                text, timeout_seconds_max);
                               },
                               ""};
    sub.add_option("--timeout", seconds, about)->check(range)->capture_default_str()->type_name("SECONDS");
}

void add_starting(CLI::App& app, CommandLine& line) {
    CLI::App* serve =
        add(app, line, "serve", "start a session and keep it open",
            "Examples:\n"
            "  baton serve\n"
            "  baton serve --memory 4G &\n"
            "\n"
            "Prints the session's id and what to type next. The other subcommands find the session by themselves\n"
            "if it is the only one. Scripts and programs join it if BATON_SESSION holds its id; without that each\n"
            "starts a session of its own. Ctrl-C, SIGTERM and `baton stop --everything` close it.\n",
            Place::none, Prints::text);
    program::add_session_options(*serve, line.serve.session);
    serve->callback([&line] { line.alone = [&line] { return tool::serve(line.serve); }; });

    CLI::App* run =
        add(app, line, "run", "start a session and run a script in it",
            "Examples:\n"
            "  baton run vote.py\n"
            "  baton run --memory 256M ./build/vote\n"
            "\n" +
                std::string(where_programs_are_from) +
                "\n"
            "SCRIPT is a Python file, or a C++ program that calls baton::run_scenario: a path, or a name that is\n"
            "looked up in $BATON_PROGRAMS, beside this program and in $PATH. Everything after it belongs to the\n"
            "script. The session ends with the script, and the exit code is the script's: 128 and the signal's\n"
            "number if a signal ended it, 3 if the session's memory did not balance at its end, 4 if an actor\n"
            "failed more often than it may be restarted, 69 if no session could be started.\n",
            Place::none, Prints::text);
    program::add_session_options(*run, line.run.session);
    program::add_script(*run, line.run.script)->required();
    run->callback([&line] { line.alone = [&line] { return tool::run_script(line.run); }; });

    CLI::App* spawn =
        add(app, line, "spawn", "start an actor in a session that is open, and leave it there",
            "Examples:\n"
            "  baton spawn baton-sync                                  # the keeper of locks, which comes with Baton\n"
            "  baton spawn ./build/tally --name Ada\n"
            "  baton spawn ./build/tally --name Bob -- --verbose May   # with arguments of its own\n"
            "  baton spawn ./build/tally --restart on_failure          # and again, if it is killed or fails\n"
            "\n" +
                std::string(where_programs_are_from) +
                "\n"
            "PROGRAM is a path, or a name that is looked up in $BATON_PROGRAMS, beside this program and in $PATH.\n"
            "Arguments of the program that begin with '-' come after '--'. The actor runs until `baton stop` ends it\n"
            "or the session closes. Its working directory is that of `baton serve`, and what it prints appears\n"
            "there.\n");
    spawn->add_option("PROGRAM", line.spawn.program, "the actor's program")->required()->type_name("");
    spawn->add_option("ARGS", line.spawn.arguments, "arguments of the program")->type_name("");
    spawn->add_option("--name", line.spawn.name, "what the actor is called (default: after its program)")
        ->type_name("NAME");
    spawn->add_option("--actor", line.spawn.actor, "which one, of a program that contains several")->type_name("NAME");
    spawn
        ->add_option("--memory", line.spawn.memory,
                     "how much shared memory its segments may take, such as 512M (default: as much as "
                     "the session has)")
        ->check(program::is_memory())
        ->type_name("BYTES");
    spawn
        ->add_option("--spin", line.spawn.spin_microseconds,
                     "how long it looks for messages before it sleeps, at most (default: as BATON_SPIN says)")
        ->check(CLI::Range(0, 1000))
        ->type_name("MICROSECONDS");
    add_restart(*spawn, line.spawn.restart);
    add_timeout(*spawn, line.spawn_seconds, "how long the actor may take to become ready");
    spawn->callback([&line] {
        line.spawn.timeout = duration_of(line.spawn_seconds);
        line.refusal = Lines::many;  // the coordinator's own, such as the list of folders that it has looked in
        line.inside = [&line](Visit& visit) { return tool::spawn(visit, line.spawn, line.wishes); };
    });
}

void add_looking(CLI::App& app, CommandLine& line) {
    CLI::App* ps =
        add(app, line, "ps", "show the actors of a session, or of all sessions",
            "Examples:\n"
            "  baton ps\n"
            "  baton ps --all          # how those that have exited ended\n"
            "  baton ps --json\n"
            "\n"
            "STATE      starting, ready, busy (a command is in hand), frozen (by a signal), stopping, exited\n"
            "SINCE      how long it has been handling the command in hand; without one, how long it has run\n"
            "INBOX      commands sent to it and not yet taken\n"
            "HANDLED    commands handled so far\n"
            "CPU        processor time that its process has used\n"
            "HELD       bytes in the segments that it owns\n"
            "LANES      memory that it has taken for lanes, through which its messages go\n"
            "RESIDENT   memory of its process, shared pages included\n"
            "IN HAND    the command that it is handling\n"
            "WAITS FOR  the actor whose answer it is waiting for, or room in whose inbox\n"
            "\n"
            "With --all, of those that have exited:\n"
            "EXIT            how it ended\n"
            "DEAD LETTERS    commands sent to it and never handled\n"
            "MEMORY AT EXIT  what it held of the session's memory when it ended\n");
    ps->add_flag("--all,-a", line.ps.with_exited,
                 "include actors that have exited: how, with how many unread commands, and holding what");
    ps->callback([&line] { line.alone = [&line] { return tool::ps(line.ps, line.wishes); }; });

    CLI::App* describe = add(app, line, "describe", "show the commands that an actor accepts",
                             "Examples:\n"
                             "  baton describe Ada\n"
                             "  baton describe coordinator\n"
                             "\n" +
                                 std::string(where_actors_are_from) +
                                 "An actor that another one has started has the name of that one before its own:\n"
                                 "class/alice.\n");
    describe->add_option("NAME", line.described, "the actor's name, as in `baton ps`")->required()->type_name("");
    describe->callback([&line] {
        line.inside = [&line](Visit& visit) { return describe_actor(visit, line.described, line.wishes); };
    });

}

void add_looking_at_memory(CLI::App& app, CommandLine& line) {
    CLI::App* segments =
        add(app, line, "segments", "show the segments of a session, and whose they are",
            "Examples:\n"
            "  baton segments\n"
            "  baton segments --limit 20\n"
            "  baton segments --json\n"
            "\n"
            "STATE   owned; offered (on its way to its heir); lent (others may read it); retired (it has no owner,\n"
            "        and its memory is used again once the last lease has ended)\n"
            "LEASES  leases and slices that have not ended yet\n"
            "AGE     how long it has been in this state\n"
            "LEFT TO heirs that its owner has named in case it dies, the first one first, and the label for them\n");
    segments->add_option("--limit", line.segments.rows_max, "how many to show at most")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{limits::segments_listed_max}))
        ->capture_default_str()
        ->type_name("N");
    segments->callback(
        [&line] { line.inside = [&line](Visit& visit) { return tool::segments(visit, line.segments, line.wishes); }; });

    CLI::App* audit =
        add(app, line, "audit", "check that the ledger of a session keeps its promises",
            "Example:\n"
            "  baton audit             # \"all invariants hold\", or each that does not; exit code 0 or 1\n"
            "\n"
            "The invariants are those of docs/ownership.md. The audit is exact only while no segment changes\n"
            "hands: one that is on its way may be reported although nothing is wrong.\n");
    audit->callback([&line] { line.inside = [&line](Visit& visit) { return tool::audit(visit, line.wishes); }; });

    CLI::App* sessions = add(app, line, "sessions", "list your sessions, live and dead", "Example:\n  baton sessions\n",
                             Place::none);
    sessions->callback([&line] { line.alone = [&line] { return tool::sessions(line.wishes); }; });
}

void add_talking(CLI::App& app, CommandLine& line) {
    constexpr const char* values =
        "\n"
        "VALUE is read by the field's type: text and the names of enums as they are, an actor by its name,\n"
        "everything else as JSON (4, 0.5, true, [1,2], null). A wrong one is refused before anything is sent.\n"
        "A field that is optional, or that `baton describe` shows with its default (depth: uint32 = 3), may be\n"
        "left out.\n";
    const auto add_words = [&line](CLI::App& sub) {
        sub.add_option("NAME", line.words.name, "the actor's name, as in `baton ps`")->required()->type_name("");
        sub.add_option("COMMAND", line.words.command, "one of those that `baton describe NAME` lists")
            ->required()
            ->type_name("");
        sub.add_option("FIELDS", line.words.fields, "the fields of the command, each as FIELD=VALUE")->type_name("");
    };
    CLI::App* ask = add(app, line, "ask", "send a command to an actor and print its reply", "");
    ask->footer(std::string("Examples:\n"
                            "  baton ask Ada Count choice=tea\n"
                            "  baton ask Ada Count choice='green tea' --timeout 30\n"
                            "  baton ask coordinator Find name=Ada --json\n"
                            "\n") +
                std::string(where_actors_are_from) + values);
    add_words(*ask);
    add_timeout(*ask, line.ask_seconds, "how long to wait for the reply");
    ask->callback([&line] {
        line.words.timeout = duration_of(line.ask_seconds);
        line.inside = [&line](Visit& visit) { return tool::ask(visit, line.words, line.wishes); };
    });

    CLI::App* send = add(app, line, "send", "send a command to an actor without waiting for a reply", "");
    send->footer(std::string("Example:\n  baton send Ada Vote choice=tea\n\n") + std::string(where_actors_are_from) +
                 values);
    add_words(*send);
    send->callback(
        [&line] { line.inside = [&line](Visit& visit) { return tool::send(visit, line.words, line.wishes); }; });
}

void add_linking(CLI::App& app, CommandLine& line) {
    const auto add_one = [&app, &line](const char* name, const char* what, const char* footer, LinkOptions::What how) {
        CLI::App* sub = add(app, line, name, what, std::string(footer) + "\n" + std::string(where_actors_are_from));
        sub->add_option("NAME", line.link.one, "an actor's name, as in `baton ps`")->required()->type_name("");
        sub->add_option("OTHER", line.link.other, "the name of another one")->required()->type_name("");
        sub->callback([&line, how] {
            line.link.what = how;
            line.inside = [&line](Visit& visit) { return tool::link(visit, line.link, line.wishes); };
        });
    };
    add_one("link", "let two actors end together",
            "Example:\n"
            "  baton link Ada Bob             # when one of them ends, the other is stopped\n"
            "\n"
            "However the one ends, the other is stopped as `baton stop` does it, and its exit names the one.\n",
            LinkOptions::What::link);
    add_one("unlink", "let two linked actors end by themselves again", "Example:\n  baton unlink Ada Bob\n",
            LinkOptions::What::unlink);
}

void add_ending(CLI::App& app, CommandLine& line) {
    CLI::App* stop =
        add(app, line, "stop", "ask actors to end, and kill those that do not",
            "Examples:\n"
            "  baton stop Ada Bob             # these two\n"
            "  baton stop Ada --drain         # once Ada has handled what is in the inbox\n"
            "  baton stop --all               # every actor; the session stays open\n"
            "  baton stop --everything        # every actor, then the coordinator\n"
            "\n" +
                std::string(where_actors_are_from) +
                "\n"
            "Each actor is asked to stop; if it still runs after three quarters of the timeout it gets SIGTERM,\n"
            "and SIGKILL after nine tenths. The exit code is 1 if a signal was needed.\n");
    stop->add_option("NAME", line.stop.names, "the actors' names, as in `baton ps`")->type_name("");
    stop->add_flag("--all", line.stops_all, "every actor");
    stop->add_flag("--everything", line.stops_everything, "every actor, then the coordinator: the session ends");
    stop->add_flag("--drain", line.stop.drains, "let them handle what is in their inboxes first");
    add_timeout(*stop, line.stop_seconds, "how long the whole stop may take");
    stop->callback([&line] {
        const int ways = (line.stop.names.empty() ? 0 : 1) + (line.stops_all ? 1 : 0) + (line.stops_everything ? 1 : 0);
        if (ways != 1)
            throw CLI::ValidationError("say whom to stop: names of actors, or --all for every actor, or --everything "
                                       "for the session");
        line.stop.whom = line.stops_everything ? StopOptions::Whom::everything
                         : line.stops_all      ? StopOptions::Whom::all_actors
                                               : StopOptions::Whom::named;
        line.stop.timeout = duration_of(line.stop_seconds);
        line.inside = [&line](Visit& visit) { return tool::stop(visit, line.stop, line.wishes); };
    });

    CLI::App* kill = add(app, line, "kill", "send actors a signal, and show how they ended",
                         "Examples:\n"
                         "  baton kill Ada                 # SIGKILL: ends Ada at once\n"
                         "  baton kill Ada --signal TERM\n"
                         "  baton kill Ada --signal STOP   # freezes Ada; --signal CONT wakes Ada again\n"
                         "\n" +
                             std::string(where_actors_are_from));
    kill->add_option("NAME", line.kill.names, "the actors' names, as in `baton ps`")->required()->type_name("");
    kill->add_option("--signal", line.kill.signal, "the signal's name or number")
        ->capture_default_str()
        ->type_name("SIGNAL");
    kill->callback(
        [&line] { line.inside = [&line](Visit& visit) { return tool::kill(visit, line.kill, line.wishes); }; });

    CLI::App* restart =
        add(app, line, "restart-coordinator", "replace the process that keeps a session, while its actors work on",
            "Example:\n"
            "  baton restart-coordinator\n"
            "\n"
            "The next coordinator is the program that is on the disk now, so an update need not end a session.\n"
            "Actors and scripts notice nothing; what they have asked the coordinator is answered by the next one.\n"
            "If the program is of a version that cannot take over, nothing is done, and it says why.\n");
    add_timeout(*restart, line.restart_seconds, "how long to wait for the next one");
    restart->callback([&line] {
        line.inside = [&line](Visit& visit) {
            return tool::restart_coordinator(visit, duration_of(line.restart_seconds), line.wishes);
        };
    });

    CLI::App* sweep =
        add(app, line, "sweep", "remove what dead sessions have left",
            "Example:\n"
            "  baton sweep\n"
            "\n"
            "Kills actors whose coordinator has died, and removes their shared memory and sockets. It never\n"
            "touches a live session. Every new session begins with a sweep. If something can't be removed, it is\n"
            "named, everything else is removed, and the exit code is 1.\n",
            Place::none);
    sweep->callback([&line] { line.alone = [&line] { return tool::sweep(line.wishes); }; });
}

// `baton help` and `baton help COMMAND`, for those who type it so.
void add_help(CLI::App& app, CommandLine& line) {
    CLI::App* help = add(app, line, "help", "print this help, or that of a command",
                         "Examples:\n"
                         "  baton help\n"
                         "  baton help spawn        # the same as `baton spawn --help`\n",
                         Place::none, Prints::text);
    help->add_option("SUBCOMMAND", line.helped, "one of those that `baton --help` lists")->type_name("");
    help->callback([&app, &line] {
        const std::vector<const CLI::App*> commands = program::shown_commands(app);
        const auto named = std::ranges::find(commands, line.helped, &CLI::App::get_name);
        if (!line.helped.empty() && named == commands.end())
            throw CLI::ValidationError(no_such_command(app, line.helped));
        const CLI::App* const about = line.helped.empty() ? &app : *named;
        const std::string name = line.helped.empty() ? app.get_name() : app.get_name() + " " + line.helped;
        line.alone = [&app, about, name]() -> Result<Outcome> {
            return Outcome{app.get_formatter()->make_help(about, name, CLI::AppFormatMode::Normal)};
        };
    });
}

}  // namespace

std::string no_such_command(const CLI::App& app, std::string_view typed) {
    std::string names;
    for (const CLI::App* sub : program::shown_commands(app)) names += (names.empty() ? "" : ", ") + sub->get_name();
    return fmt::format("there is no command '{}'; there are {}", readable(typed, 80), names);
}

void describe_program(CLI::App& app, CommandLine& line) {
    app.name("baton");
    app.description("Starts Baton sessions, shows what runs in them, and talks to their actors.\n");
    app.set_help_flag("-h,--help", "print this help and exit");
    app.set_version_flag("--version", std::string("baton ") + version_text, "print the version and exit");
    app.footer(fmt::format("{}\n{}\n{}", examples, where_programs_are_from, exit_codes));
    app.require_subcommand(1);
    app.failure_message([](const CLI::App*, const CLI::Error&) { return std::string{}; });
    add_session(app, line);
    add_starting(app, line);
    add_looking(app, line);
    add_looking_at_memory(app, line);
    add_talking(app, line);
    add_ending(app, line);
    add_linking(app, line);
    add_help(app, line);
}

}  // namespace baton::tool
