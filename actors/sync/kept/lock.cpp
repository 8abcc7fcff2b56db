#include "actors/sync/kept/lock.hpp"

#include <algorithm>

namespace baton::sync::kept {

ActorId Lock::owner() const noexcept {
    const std::uint64_t word = word_.load();
    return lock_word::is_abandoned(word) ? ActorId{} : lock_word::owner_of(word);
}

bool Lock::has_in_line(ActorId who) const noexcept { return std::ranges::find(line_, who) != line_.end(); }

void Lock::acquire(ActorId who, Wakes& wakes) {
    std::uint64_t seen = word_.load();
    for (;;) {
        const ActorId owner = lock_word::owner_of(seen);
        const bool is_abandoned = lock_word::is_abandoned(seen) || (seen != lock_word::free && !is_known_(owner));
        if (seen == lock_word::free || is_abandoned) {
            // Nobody is in line: the line is served before a word becomes free.
            if (!word_.compare_exchange_strong(seen, lock_word::of(who))) continue;
            if (!is_abandoned) return wakes.grant(who);
            return wakes.grant(who, {.dead_owner = dead_owner_.empty() ? "an unknown owner" : std::exchange(dead_owner_, {})});
        }
        if (owner == who) return wakes.refuse(who, fmt::format("{} is held already by who wants it", to_text()));
        if (word_.compare_exchange_strong(seen, seen | lock_word::waited)) break;
    }
    line_.push_back(who);
}

Result<void> Lock::release(ActorId who, Wakes& wakes) {
    if (!is_held_by(who)) return Error{ErrorKind::refused, fmt::format("{} is not held by who releases it", to_text())};
    pass_on({}, wakes);
    return {};
}

void Lock::pass_on(const std::string& dead_owner, Wakes& wakes) {
    if (line_.empty()) {
        dead_owner_ = dead_owner;
        const std::uint64_t was = lock_word::of(lock_word::owner_of(word_.load()));
        word_.store(dead_owner.empty() ? lock_word::free : was | lock_word::abandoned);
        return;
    }
    const ActorId next = line_.front();
    line_.pop_front();
    word_.store(lock_word::of(next) | (line_.empty() ? 0 : lock_word::waited));
    wakes.grant(next, {.dead_owner = dead_owner});
}

void Lock::withdraw(const Party& who, Given given, Wakes& wakes) {
    std::erase(line_, who.id);
    if (given == Given::grant && is_held_by(who.id)) pass_on({}, wakes);
}

void Lock::bury(const Party& dead, const std::string&, Wakes& wakes) {
    std::erase(line_, dead.id);
    if (is_held_by(dead.id)) pass_on(dead.name, wakes);
}

WaitsFor Lock::waits_for(ActorId) const {
    return {WaitsFor::Needs::all, {owner()}, fmt::format("waits for {} held by", to_text())};
}

void Lock::look(Wakes& wakes) {
    if (line_.empty()) return;
    const std::uint64_t word = word_.load();
    if (word == lock_word::free) return pass_on({}, wakes);
    if (lock_word::is_abandoned(word) || !is_known_(lock_word::owner_of(word))) return pass_on("an unknown owner", wakes);
    word_.fetch_or(lock_word::waited);  // somebody may have wiped it out
}

}  // namespace baton::sync::kept
