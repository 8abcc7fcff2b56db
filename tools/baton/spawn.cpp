// baton spawn: an actor in a session that somebody keeps open. It stays when this program has left.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include <baton/text.hpp>
#include "tools/baton/json_object.hpp"
#include "tools/baton/subcommands.hpp"
#include "tools/baton/table.hpp"

namespace baton::tool {

using namespace dynamic;

namespace {

Duration duration_of(double seconds) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

// As the command line spells them; their order is that of the enumerators.
template <class Enum, std::size_t Size>
Enum enum_of(const std::string& name, const std::array<std::string_view, Size>& names) {
    return static_cast<Enum>(std::ranges::find(names, name) - names.begin());
}

std::optional<Restart> restart_of(const RestartWords& words) {
    if (words.policy.empty()) return std::nullopt;
    return Restart{enum_of<Restart::Policy>(words.policy, restart_policies),
                   words.restarts_max,
                   duration_of(words.period_seconds),
                   duration_of(words.back_off_first_seconds),
                   duration_of(std::max(words.back_off_first_seconds, words.back_off_most_seconds)),
                   words.group,
                   enum_of<Restart::Strategy>(words.strategy, restart_strategies)};
}

}  // namespace

Result<Outcome> spawn(Visit& visit, const NewActor& actor, const Wishes& wishes) {
    SpawnOptions options{actor.program, actor.name, actor.arguments, actor.timeout};
    // The coordinator works in another folder than the shell.
    if (std::error_code error; actor.program.find('/') != std::string::npos)
        if (const auto path = std::filesystem::absolute(actor.program, error); !error) options.program = path.string();
    options.actor = actor.actor;
    if (actor.spin_microseconds) options.spin = std::chrono::microseconds{*actor.spin_microseconds};
    options.restart = restart_of(actor.restart);
    if (actor.restart.hung_after_seconds) options.hung_after = duration_of(*actor.restart.hung_after_seconds);
    if (actor.restart.kill_hung) options.kill_hung = true;
    if (!actor.memory.empty()) options.memory_bytes = program::bytes_of(actor.memory).value_or(0);
    const Result<Actor> spawned = visit.session().spawn_detached(std::move(options));
    if (!spawned) return explained("cannot spawn " + printable(actor.program), spawned.error());
    if (wishes.wants_json)
        return Outcome{json_line(object({{"name", {spawned->name}},
                                         {"actor", Value{spawned->ref}},
                                         {"pid", {static_cast<std::int64_t>(spawned->pid)}},
                                         {"protocol", {spawned->protocol->name}}}))};
    return Outcome{
        fmt::format("{0} is ready (pid {1}); `baton describe {2}` shows its commands, `baton stop {2}` ends it\n",
                    painted(spawned->name, Paint::bold, colours_for(stdout)), spawned->pid, spawned->name)};
}

}  // namespace baton::tool
