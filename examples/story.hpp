#pragma once
// What the examples share whose actors and scenario are one program, as in a script with multiprocessing.
//
// main() calls story::tell<Actor, Protocol>(argc, argv, play): started by hand it plays the scenario, started with
// the argument "actor", as story::role says, it is the actor.

#include <fmt/format.h>
#include <unistd.h>

#include <string_view>

#include <baton/actor.hpp>
#include <baton/scenario.hpp>

namespace story {

// One whole line to stdout, in one write: lines of several processes stand below each other, never within.
template <class... Values>
void say(const std::string& who, fmt::format_string<Values...> words, Values&&... values) {
    const std::string line = fmt::format("[{}]: {}\n", who, fmt::format(words, std::forward<Values>(values)...));
    static_cast<void>(!::write(STDOUT_FILENO, line.data(), line.size()));
}

// This program as an actor of that name.
inline baton::SpawnOptions role(const std::string& program, const std::string& name) {
    return {program, name, {"actor"}};
}
inline std::vector<baton::SpawnOptions> roles(const std::string& program, const std::vector<std::string>& names) {
    std::vector<baton::SpawnOptions> all;
    for (const std::string& name : names) all.push_back(role(program, name));
    return all;
}

template <class Actor, class Protocol>
int tell(int argc, char** argv, const std::function<void(baton::Scenario&)>& play) {
    if (argc > 1 && std::string_view{argv[1]} == "actor") return baton::run_actor<Actor, Protocol>(argc, argv);
    return baton::run_scenario(argc, argv, play);
}

}  // namespace story
