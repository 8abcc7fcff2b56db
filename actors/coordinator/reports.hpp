#pragma once
// Reports: describes a member: its row of the roster, how it ended, what it never took. Read from the members, the
// vitals and /proc; changes nothing and tells nobody. One thread.

#include <limits>

#include "actors/coordinator/lanes.hpp"
#include "actors/coordinator/members.hpp"
#include "actors/coordinator/restarts.hpp"
#include "runtime/process/child.hpp"
#include "runtime/vitals/vitals.hpp"

namespace baton::detail::coordinator {

// The place behind all living members, where the exits begin.
inline constexpr std::uint32_t behind_the_living = std::numeric_limits<std::uint32_t>::max();

// How long the commands that a dead actor has not taken are read for their names; the session waits meanwhile.
inline constexpr Duration naming_timeout = std::chrono::milliseconds{20};

class Reports {
public:
    Reports(const Members& members, const Restarts& restarts, const Vitals& vitals, const Lanes& lanes,
            const Clock& clock)
        : members_(&members), restarts_(&restarts), vitals_(&vitals), lanes_(&lanes), clock_(&clock) {}

    [[nodiscard]] RosterRow row_of(const Member& member) const;
    // Without its dead letters. `status` is what the kernel reported; nothing for an outsider, which is not our
    // child.
    [[nodiscard]] Exit exit_of(const Member& member, std::optional<ExitStatus> status) const;
    // The roster from `place` on, as much as one message should hold, and where the next page begins.
    [[nodiscard]] RosterPage page_of(bool with_exited, RosterPlace place) const;
    // As much of it as fits into one message; the oldest exits are left out first.
    [[nodiscard]] std::vector<RosterRow> rows(bool with_exited) const;
    // The name of a sender in dead letters, such as "3.1"; text that does not name a member of this session is returned
    // as it is.
    [[nodiscard]] std::string name_of_sender(std::string_view id) const;

    // What it reported as unread itself, and what was sent to it and never taken: all of it is counted, and named as
    // far as that takes no longer than naming_timeout.
    [[nodiscard]] std::vector<DeadLetter> dead_letters_of(const Member& member) const;

private:
    [[nodiscard]] std::string text_of_link(ActorId ended) const;
    [[nodiscard]] std::string name_of(ActorId id) const;
    // Of one between two lives.
    [[nodiscard]] RosterRow row_of(const Seat& seat) const;
    [[nodiscard]] RestartReport report_of(const Seat& seat) const;
    // The first one behind that number that has a process or is between two lives; nothing: there is none.
    [[nodiscard]] std::optional<RosterRow> row_behind(std::uint32_t number) const;
    const Members* members_;
    const Restarts* restarts_;
    const Vitals* vitals_;
    const Lanes* lanes_;
    const Clock* clock_;
};

}  // namespace baton::detail::coordinator
