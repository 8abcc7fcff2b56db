#pragma once
// Judge: knows what the players of a simulated world have sent, asked and given, and what became of it. It sees what a
// process does even if that is killed the next instant, because it is not part of the world.
//
// It says what is broken: a message that was lost, doubled or overtaken, an ask with two outcomes or none, a segment
// with two holders or with other content. One thread.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <baton/exit.hpp>
#include <baton/ref.hpp>
#include <baton/result.hpp>
#include "tests/simulation/seeded/story.hpp"

namespace seeded {

using namespace baton;

class Judge {
public:
    explicit Judge(Story& story) : story_(&story) {}
    enum class Kind { note, question, gift, loan };
    // False if that life has ended by itself or by a kill.
    std::function<bool(ActorId)> is_alive = [](ActorId) { return true; };

    // What is sent to it, or by it, may be lost with a process that is killed.
    void looks_at_no_lanes(ActorId who) { without_lanes_.insert(who); }
    // What it refuses from here on it names when it says goodbye; if it is killed before that, nobody names it.
    void begins_to_leave(ActorId who) { leaving_.insert(who); }

    // ---- messages: numbered by the judge, in the order in which each sender sends
    [[nodiscard]] std::uint64_t sends(Kind kind, ActorId from, ActorId to);
    void sent(std::uint64_t letter, bool was_accepted);
    void handled(std::uint64_t letter, ActorId by);
    void returned(std::uint64_t letter, ActorId to);
    // ---- asks: the outcome of a question that was accepted
    void answered(std::uint64_t letter, bool is_reply, std::uint64_t value, ErrorKind why);
    [[nodiscard]] static std::uint64_t answer_to(std::uint64_t letter) { return 2 * letter + 1; }

    // ---- segments, by a number that stands in them
    [[nodiscard]] std::uint64_t creates(ActorId who);
    void departs(std::uint64_t stamp, ActorId from, ActorId to);
    void holds(std::uint64_t stamp, ActorId who);
    void releases(std::uint64_t stamp, ActorId who);

    // ---- spawns, by the name that is asked for
    void asks_for(const std::string& name) { spawns_[name].asked = true; }
    void starts(const std::string& name);
    void told_of_spawn(const std::string& name, bool is_ready, ErrorKind why);

    // ---- the end: nobody sends any more, and all has been taken
    void look_at_rest(const std::map<ActorId, Exit>& exits, const std::function<std::string(ActorId)>& name_of);

    [[nodiscard]] const std::vector<std::string>& broken() const noexcept { return broken_; }
    void breaks(std::string what);
    [[nodiscard]] std::size_t letters() const noexcept { return letters_.size(); }

private:
    struct Letter {
        Kind kind;
        ActorId from;
        ActorId to;
        std::optional<bool> was_accepted;  // nothing: its sender has ended before it knew
        bool was_handled = false;
        bool was_returned = false;
        int outcomes = 0;
        bool was_given_up = false;
    };
    struct Held {
        ActorId holder;  // nobody: it is on its way, or has ended
        ActorId from;
        ActorId to;
        bool has_ended = false;
    };
    struct Spawned {
        bool asked = false;
        int started = 0;
        int told = 0;
    };
    [[nodiscard]] std::string describe(std::uint64_t letter) const;
    Story* story_;
    std::vector<Letter> letters_;
    std::map<std::pair<ActorId, ActorId>, std::vector<std::uint64_t>> pairs_;
    std::map<std::pair<ActorId, ActorId>, std::size_t> looked_at_;  // of a pair's letters: handled up to here
    std::vector<Held> segments_;
    std::map<std::string, Spawned> spawns_;
    std::set<ActorId> without_lanes_;
    std::set<ActorId> leaving_;
    std::vector<std::string> broken_;
};

}  // namespace seeded
