// baton spawn: an actor in a session that somebody keeps open. It stays when this program has left.
#include <fmt/format.h>

#include <filesystem>

#include <baton/text.hpp>
#include "tools/baton/json_object.hpp"
#include "tools/baton/subcommands.hpp"
#include "tools/baton/table.hpp"

namespace baton::tool {

using namespace dynamic;

Result<Outcome> spawn(Visit& visit, const NewActor& actor, const Wishes& wishes) {
    SpawnOptions options{actor.program, actor.name, actor.arguments, actor.timeout};
    // The coordinator works in another folder than the shell.
    if (std::error_code error; actor.program.find('/') != std::string::npos)
        if (const auto path = std::filesystem::absolute(actor.program, error); !error) options.program = path.string();
    options.actor = actor.actor;
    if (actor.spin_microseconds) options.spin = std::chrono::microseconds{*actor.spin_microseconds};
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
