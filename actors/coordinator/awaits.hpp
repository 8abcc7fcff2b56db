#pragma once
// Awaits: which askers wait for which exits. Bounded: an asker that gives up does not say so, so when one connection
// has too many awaits for one actor, the oldest ends as `overloaded`. One thread.

#include <deque>
#include <unordered_map>

#include <baton/answer.hpp>
#include <baton/exit.hpp>

namespace baton::detail::coordinator {

class Awaits {
public:
    // `actor` is alive. `overloaded` when limits::awaits_max wait in the session.
    void add(ActorId actor, Answer<Ended> answer);
    // Answers those that waited for this actor.
    void answer(const Ended& ended);
    // Nobody reads the answers of an asker that has exited.
    void forget(ActorId asker);

private:
    std::unordered_map<ActorId, std::deque<Answer<Ended>>> waiting_;  // by the actor that is awaited
    std::size_t count_ = 0;
};

}  // namespace baton::detail::coordinator
