#pragma once
// Journal: exits, and what is found out about the dead afterwards, in the roster's ring of records. Appended before it
// is told; read once, by the next coordinator. A view of the roster, which outlives it. One thread.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/coordinator/left_segments.hpp"
#include "actors/coordinator/members.hpp"
#include "runtime/roster/roster.hpp"

namespace baton::detail::coordinator {

class Journal {
public:
    Journal(RosterRegion& roster, SessionTag session) noexcept : roster_(&roster), session_(session) {}

    // What it said in Leave, and how it ended. Afterwards the exit is never told otherwise.
    // False if memory is short: then a coordinator that takes over does not know of it.
    [[nodiscard]] bool write_left(ActorId id, const std::vector<DeadLetter>& letters);
    [[nodiscard]] bool write_exit(const Past& past);
    // What was lost with a sender that has ended. Of the last one it may be in doubt whether that is accounted for.
    struct Lost {
        ActorId dead;
        ActorId receiver;
        std::string name;  // of the receiver
        std::uint64_t count = 0;
    };
    [[nodiscard]] bool write_lost(const Lost& lost);
    // That nobody inherits it. False as above.
    [[nodiscard]] bool write_unclaimed(const LeftSegments::Unclaimed& unclaimed);

    struct Kept {
        std::vector<Past> past;
        std::vector<std::pair<ActorId, std::vector<DeadLetter>>> left;
        std::optional<Lost> in_doubt;
        std::vector<LeftSegments::Unclaimed> unclaimed;
    };
    [[nodiscard]] Kept read() const;

private:
    RosterRegion* roster_;
    SessionTag session_;
};

}  // namespace baton::detail::coordinator
