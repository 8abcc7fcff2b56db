#pragma once
// Waiting: what the parts of a loop may do while they wait. It is all that they know of the loop. One thread.

#include <functional>

#include <baton/time.hpp>
#include <baton/ref.hpp>

namespace baton::detail {

enum class Waited { done, deadline, stopping, gone };  // gone: the session has ended, without its coordinator

// What a wait may serve, decided by who waits: with a handler commands are handled, too; without one they wait.
enum class Serving { control_only, commands };

class Waiting {
public:
    // Serves the control lane and answers, but no handler, until `done` holds, the deadline passes, this actor is told
    // to stop or the coordinator has died.
    [[nodiscard]] virtual Waited wait_until(const std::function<bool()>& done, Deadline deadline) = 0;
    // The same in steps, for a part that has conditions of its own: serves what has come, also over that link; and then
    // waits until there is something to serve, the link can be written or the deadline has passed.
    virtual void serve_links(Link also) = 0;
    virtual void wait(Deadline deadline, Link writable) = 0;

protected:
    ~Waiting() = default;
};

}  // namespace baton::detail
