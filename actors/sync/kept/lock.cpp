#include "actors/sync/kept/lock.hpp"

#include <algorithm>

namespace baton::sync::kept {

ActorId Lock::owner() const noexcept {
    const std::uint64_t word = word_.load();
    return lock_word::is_abandoned(word) ? ActorId{} : lock_word::owner_of(word);
}

bool Lock::has_in_line(ActorId who) const noexcept { return std::ranges::find(line_, who) != line_.end(); }

void Lock::acquire(ActorId who, Wakes& wakes) {
    if (is_held_by(who))
        return wakes.refuse(who, fmt::format("{} is held already by the client that wants it", to_text()));
    if (line_.empty() && give_or_mark(who, wakes)) return;
    line_.push_back(who);
}

void Lock::urge(Wakes& wakes) {
    is_resting_ = false;
    if (line_.empty() || !give_or_mark(line_.front(), wakes)) return;
    line_.pop_front();
    rest();
}

bool Lock::give_or_mark(ActorId who, Wakes& wakes) {
    std::uint64_t seen = word_.load();
    for (;;) {
        const bool is_abandoned =
            lock_word::is_abandoned(seen) || (seen != lock_word::free && !outside_.is_known(lock_word::owner_of(seen)));
        if (seen == lock_word::free || is_abandoned) {
            if (!word_.compare_exchange_strong(seen, lock_word::of(who))) continue;
            const bool is_known_dead = lock_word::is_abandoned(seen) && !dead_owner_.empty();
            wakes.grant(who, {.dead_owner = !is_abandoned ? "" : is_known_dead ? dead_owner_ : "an unknown owner"});
            return true;
        }
        if (is_resting_ || word_.compare_exchange_strong(seen, seen | lock_word::waited)) return false;
    }
}

bool Lock::close() noexcept {
    std::uint64_t seen = word_.load();
    do {
        const bool is_free = seen == lock_word::free || lock_word::is_abandoned(seen) ||
                             !outside_.is_known(lock_word::owner_of(seen));
        if (!is_free) return false;
    } while (!word_.compare_exchange_strong(seen, lock_word::removed));
    return true;
}

void Lock::rest() {
    is_resting_ = true;
    outside_.rests(*this);
}

Result<void> Lock::release(ActorId who, Wakes& wakes) {
    if (!is_held_by(who))
        return Error{ErrorKind::refused, fmt::format("{} is not held by the client that releases it", to_text())};
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
    word_.store(lock_word::of(line_.front()));
    wakes.grant(line_.front(), {.dead_owner = dead_owner});
    line_.pop_front();
    rest();
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
    return {{owner()}, fmt::format("waits for {} held by", to_text())};
}

}  // namespace baton::sync::kept
