#pragma once
// Lanes, as the coordinator sees them: what leads from and to a member that has died, what a dead receiver has not
// read, and their removal. It maps no lane: it reads them as files, so that no process can take it down by cutting one
// short.
//
// A lane is removed when nobody will read it any more: when its receiver has died, and when the receiver has said that
// it has taken all that its dead opener sent. One thread.

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <baton/time.hpp>
#include "runtime/lanes/bells.hpp"

namespace baton::detail::coordinator {

class Lanes {
public:
    [[nodiscard]] static Result<Lanes> create(std::string_view session_id, std::uint64_t bytes_max);
    // For a coordinator of a session that has been made.
    [[nodiscard]] static Result<Lanes> open(std::string_view session_id);
    // All that is left of it. At the end of the session.
    static void remove(std::string_view session_id) noexcept;

    [[nodiscard]] Result<void> prepare(ActorId actor) { return bells_.prepare(actor); }

    // True if that life looks at lanes.
    [[nodiscard]] bool has_bell(ActorId actor) const noexcept { return bells_.page_of(actor) != nullptr; }
    // Members that may have something to read of one that has died; the living among them answer Drained.
    [[nodiscard]] std::vector<std::uint32_t> receivers_of(ActorId dead) const;
    // By the names of the commands, in the order in which the first of each was sent: what lies in the lane and was
    // never taken, as far as it can be read until then. The rest is known from the vitals, without names.
    struct Unread {
        std::string command;
        std::uint64_t count = 0;
    };
    [[nodiscard]] std::vector<Unread> unread(ActorId opener, ActorId receiver, const Clock& clock,
                                             Deadline until) const;

    // Nobody reads what leads to it any more. `senders`: those that may have opened a lane to it.
    void remove_to(ActorId dead, const std::vector<ActorId>& senders) noexcept;
    // `receiver` has read what `dead` had sent.
    void remove(ActorId dead, ActorId receiver) noexcept;

    // For an audit: lanes that nobody will read, and more memory in them than there may be. Exact only while nobody
    // opens a lane.
    [[nodiscard]] std::vector<std::string> audit(const std::set<ActorId>& living) const;

private:
    [[nodiscard]] static std::vector<std::string> names_of(std::string_view session_id);
    Lanes(std::string session_id, Bells bells) : session_id_(std::move(session_id)), bells_(std::move(bells)) {}
    std::string session_id_;
    Bells bells_;
};

}  // namespace baton::detail::coordinator
