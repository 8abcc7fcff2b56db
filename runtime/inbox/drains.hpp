#pragma once
// Drains: the dead peers that may still have brought something, until all of it has been taken.
//
// The coordinator asks (notice Drain) when a dead peer had offered or granted something to this actor; it may
// settle that only after this actor has answered `Drained`. That is so when (1) nothing of the dead process can
// still reach the inbox, as the transport says, and (2) since then the inbox has been found empty, or so much
// has been taken that nothing older can be in it. docs/ownership.md says why. One thread.

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/transport/transport.hpp"

namespace baton {

class Drains {
public:
    void begin(ActorId dead, pid_t pid) { waiting_.push_back({dead, pid}); }
    [[nodiscard]] bool any() const noexcept { return !waiting_.empty(); }

    // Before the inbox is looked at: asks the transport. `taken`: frames taken so far.
    void look(Transport& transport, std::uint64_t taken) {
        for (Drain& drain : waiting_) {
            if (drain.is_silent || transport.may_deliver(drain.pid)) continue;
            drain.is_silent = true;
            // The transport takes from its connections in turn, so this many are taken when the last of the dead is,
            // however busy the others keep the inbox.
            drain.enough = taken + std::uint64_t{limits::actors_max} * limits::inbox_frames_per_peer_max;
        }
    }
    // The transport has looked at the outside.
    void looked_outside() noexcept {
        for (Drain& drain : waiting_) drain.has_looked = drain.is_silent;
    }
    // After the inbox was looked at. Those that are done, once.
    [[nodiscard]] std::vector<ActorId> done(bool was_empty, std::uint64_t taken) {
        std::vector<ActorId> dead;
        std::erase_if(waiting_, [&](const Drain& drain) {
            const bool is_done = drain.has_looked && (was_empty || taken > drain.enough);
            if (is_done) dead.push_back(drain.dead);
            return is_done;
        });
        return dead;
    }

private:
    struct Drain {
        ActorId dead;
        pid_t pid;
        bool is_silent = false;   // nothing of it can still reach the inbox
        bool has_looked = false;  // ... and the transport has looked since
        std::uint64_t enough = 0;
    };
    std::vector<Drain> waiting_;
};

}  // namespace baton
