#pragma once
// Lock, as it is kept: one word in shared memory, and the line of clients that wait for it. <baton/sync/words.hpp> says
// who may change the word, and how.
//
// The next in line becomes the owner in the word before it is told, so a death at any point leaves an owner that is
// either alive or found dead.
//
// A lock that was passed on rests for a moment: its owner may release it to any client that looks at the word, past the
// line. Passing it on means waking a process, which takes longer than most locks are held; if every release did that, a
// lock that several clients want all the time would be a thousand times slower as soon as there is a line. The actor
// says when it has rested enough (urge), so the line moves on at that pace at least.

#include <deque>
#include <functional>

#include "actors/sync/kept/primitive.hpp"
#include <baton/sync/words.hpp>

namespace baton::sync::kept {

class Lock : public Primitive {
public:
    static constexpr std::string_view kind_name = "lock";
    struct Outside {
        std::function<bool(ActorId)> is_known;  // alive, and would be buried here; any other owner is a word gone wrong
        std::function<void(Lock&)> rests;       // from now on; urge it in a moment
    };
    Lock(std::string name, Word word, Outside outside, std::string_view kind = kind_name)
        : Primitive(kind, std::move(name)), word_(word), outside_(std::move(outside)) {}

    void acquire(ActorId who, Wakes& wakes);
    [[nodiscard]] Result<void> release(ActorId who, Wakes& wakes);
    // It has rested: to the next in line if it is free, and else its owner has to pass it on.
    void urge(Wakes& wakes);
    [[nodiscard]] bool is_held_by(ActorId who) const noexcept { return owner() == who; }
    // Nobody if it is free or its owner has died.
    [[nodiscard]] ActorId owner() const noexcept;
    // Nobody can acquire it from now on. False if a living client holds it.
    [[nodiscard]] bool close() noexcept;
    [[nodiscard]] bool has_in_line(ActorId who) const noexcept;
    void leave_line(ActorId who) { std::erase(line_, who); }

    void withdraw(const Party& who, Given given, Wakes& wakes) override;
    void bury(const Party& dead, const std::string& how, Wakes& wakes) override;
    [[nodiscard]] WaitsFor waits_for(ActorId waiter) const override;
    void look(Wakes& wakes) override { urge(wakes); }
    [[nodiscard]] std::uint64_t count() const override { return owner().is_somebody() ? 1 : 0; }

private:
    // Its owner does not hold it any more: to the next in line, or free, or abandoned if the owner has died.
    void pass_on(const std::string& dead_owner, Wakes& wakes);
    // Given, if it is to be had. If not it is marked, so that its owner has to pass it on; not while it rests.
    [[nodiscard]] bool give_or_mark(ActorId who, Wakes& wakes);
    void rest();

    Word word_;
    Outside outside_;
    std::deque<ActorId> line_;
    bool is_resting_ = false;
    std::string dead_owner_;  // of a word that is abandoned
};

}  // namespace baton::sync::kept
