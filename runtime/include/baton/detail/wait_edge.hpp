#pragma once
// WaitEdge: one wait of an actor that cannot end before others go on; and which of those waits can never end.
//
// Most of them stand in the vitals, where Vitals::find_deadlock() reads them. An actor adds the waits for what it keeps
// itself, such as a lock. find_circle() is a pure function of the waits, so it is tested with four lines. Thread rule:
// plain values.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <baton/ref.hpp>

namespace baton::detail {

struct WaitEdge {
    enum class For {
        answer,       // of `whom`
        room,         // in the full inbox of `whom`
        kept_answer,  // of `keeper`, which has said that it can't give it before `whom` has gone on
        primitive,    // kept by the actor that looks; `text` says what it is
    };
    ActorId who;
    std::vector<ActorId> whom;    // each of them has to go on first; empty if it is not known which
    For what = For::answer;
    std::uint64_t turn = 0;       // the same number means the same wait: its ask, if it waits for an answer
    ActorId keeper = {};
    std::uint64_t seen = 0;       // what the keeper had taken by then
    std::string text = {};        // "waits for lock 'left' held by"; then comes a name

    [[nodiscard]] bool operator==(const WaitEdge&) const = default;
};

// The waits of one circle: each waits for the next, the last for the first. Empty if all can go on. An actor that does
// not wait can go on, and so can, step by step, every actor that waits only for such actors.
[[nodiscard]] std::vector<WaitEdge> find_circle(const std::vector<WaitEdge>& waits);

// "alice waits for an answer of bob, bob waits for lock 'left' held by alice"
[[nodiscard]] std::string text_of_circle(const std::vector<WaitEdge>& circle,
                                         const std::function<std::string(ActorId)>& name_of);

}  // namespace baton::detail
