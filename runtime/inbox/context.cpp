#include "runtime/context.hpp"

#include "runtime/session/environment.hpp"

namespace baton {

Result<coordinator::Spawned> Context::spawn_program(const Program& program, std::uint64_t fingerprint) {
    const coordinator::Spawn spawn{program.program, program.name, program.arguments, program_folders(), fingerprint,
                                   program.deadline};
    // The coordinator keeps the deadline; ours is only for a coordinator that has died.
    return call(*loop_, spawn, program.deadline + limits::coordinator_deadline);
}

Result<coordinator::Spawned> Context::find_actor(std::string_view name, std::uint64_t fingerprint) {
    Result<coordinator::Spawned> found =
        call(*loop_, coordinator::Find{std::string(name)}, limits::coordinator_deadline);
    if (found && fingerprint != 0 && fingerprint_of(found->protocol) != fingerprint)
        return Error{ErrorKind::refused, fmt::format("{} speaks another protocol ({}) than the one expected", name,
                                                     found->protocol.name)};
    return found;
}

}  // namespace baton
