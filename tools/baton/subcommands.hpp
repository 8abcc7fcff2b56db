#pragma once
// The subcommands, one function each. Options are read in main.cpp; what they mean for people stands in its
// help. None of them prints: see outcome.hpp.

#include <string>
#include <vector>

#include <baton/command_line.hpp>
#include "tools/baton/outcome.hpp"
#include "tools/baton/visit.hpp"

namespace baton::tool {

// serve.cpp: come back only if they have failed; else this process is the session's coordinator.
struct ServeOptions {
    program::SessionOptions session;
};
[[nodiscard]] Result<Outcome> serve(const ServeOptions& options);
struct RunOptions {
    program::SessionOptions session;
    std::vector<std::string> script;  // its file, then its arguments
};
[[nodiscard]] Result<Outcome> run_script(const RunOptions& options);

// spawn.cpp
inline constexpr std::array<std::string_view, 3> restart_policies{"never", "on_failure", "always"};
inline constexpr std::array<std::string_view, 3> restart_strategies{"one_for_one", "one_for_all", "rest_for_one"};
// As typed.
struct RestartWords {
    std::string policy;  // empty: none
    std::uint32_t restarts_max = Restart{}.restarts_max;
    double period_seconds = std::chrono::duration<double>(Restart{}.period).count();
    double back_off_first_seconds = std::chrono::duration<double>(Restart{}.back_off_first).count();
    double back_off_most_seconds = std::chrono::duration<double>(Restart{}.back_off_most).count();
    std::string group;
    std::string strategy = "one_for_one";
    std::optional<double> hung_after_seconds;
    bool kill_hung = false;
};
struct NewActor {
    std::string program;
    std::string name;
    std::vector<std::string> arguments;
    std::string actor;   // of a program that contains several
    std::string memory;  // as typed
    std::optional<std::uint64_t> spin_microseconds;
    RestartWords restart;
    Duration timeout = limits::spawn_timeout;
};
[[nodiscard]] Result<Outcome> spawn(Visit& visit, const NewActor& actor, const Wishes& wishes);

// ps.cpp: the roster of the session named, or of every live one.
struct PsOptions {
    bool with_exited = false;
};
[[nodiscard]] Result<Outcome> ps(const PsOptions& options, const Wishes& wishes);

// segments.cpp
struct SegmentsOptions {
    std::uint64_t rows_max = 1000;
};
[[nodiscard]] Result<Outcome> segments(Visit& visit, const SegmentsOptions& options, const Wishes& wishes);
[[nodiscard]] Result<Outcome> audit(Visit& visit, const Wishes& wishes);

// sessions.cpp
[[nodiscard]] Result<Outcome> sessions(const Wishes& wishes);
[[nodiscard]] Result<Outcome> sweep(const Wishes& wishes);

// describe.cpp
[[nodiscard]] Result<Outcome> describe_actor(Visit& visit, const std::string& name, const Wishes& wishes);

// ask.cpp
struct Words {
    std::string name;
    std::string command;
    std::vector<std::string> fields;  // as typed: field=value
    Duration timeout = limits::ask_timeout;
};
[[nodiscard]] Result<Outcome> send(Visit& visit, const Words& words, const Wishes& wishes);
[[nodiscard]] Result<Outcome> ask(Visit& visit, const Words& words, const Wishes& wishes);

// stop.cpp
struct StopOptions {
    std::vector<std::string> names;
    enum class Whom { named, all_actors, everything } whom = Whom::named;
    Duration timeout = limits::stop_timeout;
    bool drains = false;
};
[[nodiscard]] Result<Outcome> stop(Visit& visit, const StopOptions& options, const Wishes& wishes);
struct KillOptions {
    std::vector<std::string> names;
    std::string signal = "KILL";  // a name or a number
};
[[nodiscard]] Result<Outcome> kill(Visit& visit, const KillOptions& options, const Wishes& wishes);

// link.cpp
struct LinkOptions {
    std::string one;
    std::string other;
    enum class What { link, unlink } what = What::link;
};
[[nodiscard]] Result<Outcome> link(Visit& visit, const LinkOptions& options, const Wishes& wishes);

// restart.cpp
[[nodiscard]] Result<Outcome> restart_coordinator(Visit& visit, Duration timeout, const Wishes& wishes);

}  // namespace baton::tool
