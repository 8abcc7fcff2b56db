#pragma once
// CommandLine: everything that was read from the command line, and what is to be done with it. Main's thread.

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include <baton/command_line.hpp>
#include <baton/text.hpp>
#include "tools/baton/subcommands.hpp"

namespace baton::tool {

// Everything that was read from the command line, and what is to be done with it.
struct CommandLine {
    Wishes wishes;
    ServeOptions serve;
    RunOptions run;
    NewActor spawn;
    double spawn_seconds = std::chrono::duration<double>(limits::spawn_timeout).count();
    PsOptions ps;
    std::string described;
    SegmentsOptions segments;
    Words words;
    double ask_seconds = std::chrono::duration<double>(limits::ask_timeout).count();
    StopOptions stop;
    double stop_seconds = std::chrono::duration<double>(limits::stop_timeout).count();
    double restart_seconds = std::chrono::duration<double>(limits::coordinator_timeout).count();
    bool stops_all = false;
    bool stops_everything = false;
    KillOptions kill;
    LinkOptions link;
    std::string helped;
    Lines refusal = Lines::one;                     // whether the text of one keeps its lines
    std::function<Result<Outcome>()> alone;         // needs no session
    std::function<Result<Outcome>(Visit&)> inside;  // of one
};

// Describes the program: its subcommands, their options and their help, which is also the manual. Parsing fills `line`,
// which outlives the app.
void describe_program(CLI::App& app, CommandLine& line);

// "there is no command 'pss'; there are serve, run, ..."
[[nodiscard]] std::string no_such_command(const CLI::App& app, std::string_view typed);

}  // namespace baton::tool
