#pragma once
// Manual: a program's manual page, and its completion for bash, from the description that also makes its --help. Pure
// functions; the build writes what they return to files that are installed.

#include <CLI/CLI.hpp>
#include <string>

namespace baton::tool {

// In roff, for man(7): section 1. Names the program as the app is called.
[[nodiscard]] std::string man_page(const CLI::App& app, const std::string& version);

// A function for bash, and what binds it to the program. A positional NAME is completed by the actors of the session,
// COMMAND by the commands of that actor, --session by the ids of the sessions, everything else as a file.
[[nodiscard]] std::string bash_completion(const CLI::App& app);

}  // namespace baton::tool
