#pragma once
// Lock, as it is kept: one word in shared memory, and the line of those who wait for it. words.hpp says who may change
// the word how.
//
// Whoever is next in line becomes the owner in the word before being told, so a lock is never free while somebody waits
// in line, and a death at any point leaves either an owner who is found dead or one who is alive.

#include <deque>
#include <functional>

#include "actors/sync/kept/primitive.hpp"
#include "actors/sync/words.hpp"

namespace baton::sync::kept {

class Lock : public Primitive {
public:
    static constexpr std::string_view kind_name = "lock";
    // `is_known`: whether that client is alive and would be buried here. Any other owner is a word gone wrong.
    Lock(std::string name, Word word, std::function<bool(ActorId)> is_known, std::string_view kind = kind_name)
        : Primitive(kind, std::move(name)), word_(word), is_known_(std::move(is_known)) {}

    void acquire(ActorId who, Wakes& wakes);
    [[nodiscard]] Result<void> release(ActorId who, Wakes& wakes);
    [[nodiscard]] bool is_held_by(ActorId who) const noexcept { return owner() == who; }
    [[nodiscard]] bool has_in_line(ActorId who) const noexcept;

    void withdraw(const Party& who, Given given, Wakes& wakes) override;
    void bury(const Party& dead, const std::string& how, Wakes& wakes) override;
    [[nodiscard]] WaitsFor waits_for(ActorId waiter) const override;
    void look(Wakes& wakes) override;
    [[nodiscard]] std::uint64_t count() const override { return owner().is_somebody() ? 1 : 0; }

private:
    [[nodiscard]] ActorId owner() const noexcept;
    // Its owner holds it no more: to the next in line, or free, or abandoned where the owner has died.
    void pass_on(const std::string& dead_owner, Wakes& wakes);

    Word word_;
    std::function<bool(ActorId)> is_known_;
    std::deque<ActorId> line_;
    std::string dead_owner_;  // of a word that is abandoned
};

}  // namespace baton::sync::kept
