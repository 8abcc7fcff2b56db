#pragma once
// SpawnOptions: what to start, in C++, in Python and on the wire. A plain value.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <baton/limits.hpp>
#include <baton/time.hpp>

namespace baton {

// How an actor is restarted: under its name, by the same program with the same arguments. An actor that has to be
// restarted more than `restarts_max` times within `period` is given up, which is a failure of its spawner.
struct Restart {
    // This decides if an actor that has ended is started again. It is not if it, or one that it ends with, was asked to
    // stop.
    enum class Policy : std::uint8_t {
        never,
        on_failure,  // it did not end in good order: a signal, a failed promise, an exit code, failed children
        always,      // however it has ended
    };
    // Which others of its group are ended and started again with an actor that is restarted.
    enum class Strategy : std::uint8_t {
        one_for_one,   // none
        one_for_all,   // all of them
        rest_for_one,  // those that were spawned after it
    };

    Policy policy = Policy::on_failure;
    std::uint32_t restarts_max = 5;  // at most limits::restarts_max
    Duration period = std::chrono::seconds{10};
    // Before the first restart. It is doubled for each one that follows within `period`, up to the other.
    Duration back_off_first = std::chrono::milliseconds{100};
    Duration back_off_most = std::chrono::seconds{5};
    // Actors of one spawner that name the same group, with the same strategy. Empty: it belongs to none.
    std::string group = {};
    Strategy strategy = Strategy::one_for_one;
};

// The roster and the logs show the name; if it is empty, the actor is named after the program. An actor's children are
// named below it: "class/alice".
struct SpawnOptions {
    std::string program;  // looked up beside this program, beside the coordinator, in PATH
    std::string name = {};
    std::vector<std::string> arguments = {};  // the actor reads them from its Context
    Duration timeout = limits::spawn_timeout;
    std::uint64_t memory_bytes = 0;           // how much its segments may take; 0: as much as the session has
    std::vector<std::string> folders = {};    // where to look for the program first
    std::string actor = {};                   // which one, of a program that contains several (run_actor)
    // How long it looks for messages before it sleeps, at most; 0: never. Nothing: as BATON_SPIN says, or 20 us.
    std::optional<Duration> spin = {};
    std::optional<Restart> restart = {};      // nothing: it is never restarted
    // An actor that handles one command for longer than this is hung: a line in the log and the roster say so.
    std::optional<Duration> hung_after = {};
    std::optional<bool> kill_hung = {};       // true: it is killed then, which is a failure
};

}  // namespace baton
