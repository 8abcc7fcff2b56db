#pragma once
// Sentinel: the death of an actor as a descriptor, for the event loop of an actor or of a library in it. A scenario has
// it as a verb (<baton/scenario.hpp>).

#include <baton/context.hpp>
#include <baton/unique_fd.hpp>

namespace baton {

// Becomes readable when the process of that actor has ended, and stays so: for poll(), select(), epoll and other event
// loops. It is that process's even if its pid is used again, and needs no coordinator from here on. Of an actor that
// has ended already it is readable at once. How it ended can be asked for then (join, exit_of).
// Errors: `gone` if there never was such an actor, or if it has been forgotten; `refused` if its process is not known,
// or cannot be seen from here. The thread of the actor.
[[nodiscard]] Result<UniqueFd> sentinel(Context& context, AnyRef actor);

}  // namespace baton
