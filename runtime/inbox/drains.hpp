#pragma once
// Drains: the dead peers that may still have brought something, until all of it has been taken.
//
// The coordinator asks (notice Drain) when a dead peer had offered or granted something to this actor; it may settle
// that only after this actor has answered `Drained`. That is so when (1) nothing of the dead peer can still reach the
// inbox, as the transport says, and (2) after that the transport has looked for commands, and after that the inbox has
// been found empty, or enough has been taken that nothing older can be in it. This order holds even if user code waits
// in between. docs/ownership.md says why.
//
// The transport is asked again and again, less and less often: a connection that never ends (a process that has left
// and keeps it, a pid that was not true) costs next to nothing. One thread.

#include <sys/types.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include <baton/time.hpp>
#include <baton/ref.hpp>
#include <baton/limits.hpp>

namespace baton::detail {

class Drains {
public:
    void begin(ActorId dead, pid_t pid) {
        if (find(dead) == nullptr) waiting_.push_back({dead, pid});
    }
    [[nodiscard]] bool any() const noexcept { return !waiting_.empty(); }
    // True if something of it may still be outside.
    [[nodiscard]] bool may_bring(ActorId dead) const noexcept {
        const Drain* drain = find(dead);
        return drain != nullptr && !drain->is_silent;
    }

    // Before the inbox is looked at: asks `may_deliver(dead, pid)`, of the transport. `taken`: frames taken so far.
    template <class MayDeliver>
    void look(const Clock& clock, std::uint64_t taken, const MayDeliver& may_deliver) {
        for (Drain& drain : waiting_) {
            if (drain.is_silent || !drain.next_look.has_passed(clock)) continue;
            if (may_deliver(drain.dead, drain.pid)) {
                drain.put_off(clock);
                continue;
            }
            drain.is_silent = true;
            // The transport takes from its connections in turn, so this many are taken when the last of the dead is,
            // however busy the others keep the inbox.
            drain.enough = taken + std::uint64_t{limits::actors_max} * limits::inbox_frames_per_peer_max;
        }
    }
    // The transport has looked for what came to the inbox. A wait that is not interested in the inbox does not count,
    // however long it took: the inbox may have been found empty before, and filled since.
    void looked_for_commands() noexcept {
        for (Drain& drain : waiting_) drain.has_looked = drain.is_silent;
    }
    // After the inbox was looked at: those of which all has been taken, and of which `Drained` is due. They stay until
    // they are forgotten.
    [[nodiscard]] std::vector<ActorId> due(const Clock& clock, bool was_empty, std::uint64_t taken) {
        std::vector<ActorId> dead;
        for (Drain& drain : waiting_) {
            // Strictly more: then the last one that counts has been decided, too.
            if (drain.has_looked && (was_empty || taken > drain.enough)) drain.is_taken = true;
            if (drain.is_taken && drain.next_look.has_passed(clock)) dead.push_back(drain.dead);
        }
        return dead;
    }
    // `Drained` could not be said: again a little later.
    void put_off(const Clock& clock, ActorId dead) {
        for (Drain& drain : waiting_)
            if (drain.dead == dead) drain.put_off(clock);
    }
    void forget(ActorId dead) {
        std::erase_if(waiting_, [dead](const Drain& drain) { return drain.dead == dead; });
    }
    // When there is something to do for them again, for a wait that looks for commands or for one that does not.
    [[nodiscard]] Deadline next_look(bool looks_for_commands) const noexcept {
        Deadline next = Deadline::never();
        for (const Drain& drain : waiting_)
            if (looks_for_commands || !drain.is_silent) next = next.or_earlier(drain.next_look);
        return next;
    }

private:
    // Between two looks whether a dead peer still has a connection.
    static constexpr Duration interval_max = std::chrono::milliseconds{100};
    struct Drain {
        ActorId dead;
        pid_t pid;
        bool is_silent = false;   // nothing of it can still reach the inbox
        bool has_looked = false;  // ... and the transport has looked for commands since
        bool is_taken = false;    // ... and all that there was has been taken
        std::uint64_t enough = 0;
        Deadline next_look = Deadline{Instant{}};
        Duration interval = std::chrono::milliseconds{1};

        void put_off(const Clock& clock) {
            next_look = Deadline::in(clock, interval);
            interval = std::min<Duration>(interval + interval / 8, interval_max);
        }
    };
    [[nodiscard]] const Drain* find(ActorId dead) const noexcept {
        const auto found = std::ranges::find_if(waiting_, [dead](const Drain& drain) { return drain.dead == dead; });
        return found == waiting_.end() ? nullptr : &*found;
    }
    std::vector<Drain> waiting_;
};

}  // namespace baton::detail
