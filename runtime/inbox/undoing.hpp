#pragma once
// Undoing: guards that take back what Loop has done if a send or an ask fails, by a refusal or by an exception that a
// watcher throws out of its wait. Each is armed when it is made, and disarmed when the next step has succeeded.

#include "runtime/inbox/loop.hpp"

namespace baton::detail {

// An ask whose answer nobody is going to wait for.
struct Loop::Unasked {
    enum class Then { forgotten, abandoned };  // it was never sent; it was
    Loop& loop;
    AskId ask;
    Then then;
    bool is_wanted = false;
    ~Unasked() {
        if (is_wanted) return;
        if (then == Then::abandoned) loop.abandon(ask);
        else loop.asks_.forget(ask);
    }
};

// The last record that was counted as sent to a peer.
struct Loop::Unsent {
    Loop& loop;
    ActorId to;
    std::size_t record_bytes;
    bool is_waiting = false;  // it stands last in what waits to leave
    bool is_sent = false;
    ~Unsent() {
        Peer* peer = is_sent ? nullptr : loop.peers_.find(to);
        if (peer == nullptr) return;
        loop.peers_.uncount(*peer, record_bytes);
        if (!is_waiting) return;
        loop.peers_.take_back(*peer, record_bytes);
        if (peer->waiting_commands == 0) --loop.unsent_peers_;
    }
};

// A parcel that has departed: it is returned to the caller.
struct Loop::Ungiven {
    Holdings& holdings;
    const Parcel& parcel;
    bool is_given = false;
    ~Ungiven() {
        if (is_given) return;
        Transfers::Departed back{parcel.holdings, false};
        static_cast<void>(holdings.transfers().take_back(back));
    }
};

}  // namespace baton::detail
