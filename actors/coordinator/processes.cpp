#include "actors/coordinator/processes.hpp"

#include "runtime/process/process_facts.hpp"

namespace baton::detail::coordinator {

bool ProcessHandle::has_ended() const { return has_exited_by(end_.get(), Deadline{Instant::min()}); }

}  // namespace baton::detail::coordinator
