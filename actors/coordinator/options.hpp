#pragma once
// Options: what the coordinator's program can be told on its command line. `baton serve` and `baton run` take the
// options of a session (<baton/command_line.hpp>) too, and hand them on.

#include <fmt/format.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include <baton/command_line.hpp>

namespace baton::detail::coordinator {

struct Options {
    program::SessionOptions session;
    std::vector<std::string> script;  // its file, then its arguments
    pid_t serve_for = 0;
    int announce_fd = -1;
    std::string anchored;             // the session's folder: this is a coordinator of it, started by its anchor
    std::string can_take_over;        // a session's folder: whether a coordinator of this program could be its next
};

inline void describe_program(CLI::App& app, const std::string& name, Options& options) {
    app.name(name);
    app.set_help_flag("-h,--help", "print this help and exit");
    app.description(
        "Runs the coordinator of one Baton session: it starts and stops the actors and keeps the list of them.\n"
        "With a script it runs that in a session of its own and ends with the script's exit code; without one it\n"
        "keeps the session open until it is stopped. `baton run` and `baton serve` start this program.\n");
    program::add_script(app, options.script);
    program::add_session_options(app, options.session);
    app.add_option("--serve-for", options.serve_for, "the session ends when this process ends")->group("");
    app.add_option("--announce", options.announce_fd, "descriptor to which the session's folder is written")->group("");
    app.add_option("--anchored", options.anchored, "this is the coordinator of that session")->group("");
    app.add_option("--can-take-over", options.can_take_over, "say whether this program can coordinate that session")
        ->group("");
    app.footer(fmt::format(
        "Examples:\n"
        "  {0} vote.py   # runs a script in a session of its own\n"
        "  {0}           # keeps a session open, and says how to join it\n"
        "\n"
        "vote.py is made by docs/first_actor.md, which is installed in share/doc/baton.\n"
        "\n"
        "Exit codes: the script's, or 128 and the number of the signal that ended it; 3 if the session's\n"
        "memory did not balance at its end; 4 if an actor failed more often than it may be restarted; 64 for a\n"
        "usage error; 69 if no session could be started, or a next coordinator could not take over; 70 if its\n"
        "coordinator was killed again and again.\n",
        name));
}

}  // namespace baton::detail::coordinator
