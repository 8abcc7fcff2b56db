#pragma once
// SpawnOptions: what to start, in C++, in Python and on the wire. A plain value.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <baton/limits.hpp>
#include <baton/time.hpp>

namespace baton {

// The roster and the logs show the name; if it is empty, the actor is named after the program. An actor's children are
// named below it: "class/alice".
struct SpawnOptions {
    std::string program;  // looked up beside this program, beside the coordinator, in PATH
    std::string name = {};
    std::vector<std::string> arguments = {};  // the actor reads them from its Context
    Duration timeout = limits::spawn_timeout;
    std::uint64_t memory_bytes = 0;           // how much its segments may take; 0: as much as the session has
    std::vector<std::string> folders = {};    // where to look for the program first
    std::string actor = {};                   // which one, of a program that contains several (run_actors)
    // How long it looks for messages before it sleeps, at most; 0: never. Nothing: as BATON_SPIN says, or 20 us.
    std::optional<Duration> spin = {};
};

}  // namespace baton
