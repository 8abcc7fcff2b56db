#pragma once
// Completion: the completion of a program for bash, from the description that also makes its --help. A pure function;
// the build writes what it returns to a file that is installed.

#include <string>

#include <baton/command_line.hpp>

namespace baton::tool {

// A function for bash, and what binds it to the program. A positional NAME is completed by the actors of the session,
// COMMAND by the commands of that actor, --session by the ids of the sessions, everything else as a file.
[[nodiscard]] std::string bash_completion(const CLI::App& app);

}  // namespace baton::tool
