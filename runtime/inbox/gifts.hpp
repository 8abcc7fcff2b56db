#pragma once
// Gifts: what this actor has sent and nobody has accepted yet, with the message that carried each.
//
// A parcel is everything that one message carries: segments, leases and slices. There is no acknowledgement: it has
// been accepted when its first word in the ledger has changed again, and is then forgotten here. Until then it can come
// back, because the receiver died (the coordinator has made it ours again) or refused the message (we take it back).
// Then it becomes a Bounce. Knows no command types. One thread.

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <baton/ref.hpp>
#include "runtime/holdings/holdings.hpp"
#include "runtime/inbox/self.hpp"
#include <baton/result.hpp>
#include <baton/detail/codec.hpp>

namespace baton::detail {

// A message that carries something, which is on its way. Its body refers to the holdings by index.
struct Gift {
    // The kind of message that carries it, and its number there: the sequence of a send, the ask id of ask and reply.
    enum class By { send, request, ask, reply };
    struct Key {
        ActorId to;
        By by = By::send;
        std::uint64_t number = 0;
    };
    Key key;
    std::string tag;
    Buffer body;
    Parcel parcel;
};

// It has come back: what it carried is ours again.
struct Bounce : Gift {
    Error why;
};

class Gifts {
public:
    using By = Gift::By;
    using Key = Gift::Key;

    explicit Gifts(const Self& self) : self_(&self) {}

    // The transport has the message. From then on the sender's segments are empty, except for those of an ask, whose
    // sender waits and may get them back in place.
    void note(const Key& key, std::string_view tag, std::string_view body, const Parcel& parcel);
    // Forgets what `to` has accepted.
    void look(ActorId to);
    [[nodiscard]] bool any() const noexcept { return count_ > 0; }
    [[nodiscard]] bool any(ActorId to) const { return sent_.contains(to); }
    [[nodiscard]] std::vector<ActorId> receivers() const;

    // The message has been refused, or nobody waits for its outcome any more. Nothing if it had been accepted before.
    // The segments of an ask are where they were, and no Bounce is made.
    [[nodiscard]] std::optional<Bounce> take_back(const Key& key, const Error& why);
    // Takes back everything that went to `to`, except for asks, which end by themselves.
    [[nodiscard]] std::vector<Bounce> take_back_all(ActorId to, const Error& why);
    // Takes back what went as commands, or in replies: the connection that carried them has been dropped.
    [[nodiscard]] std::vector<Bounce> take_back_commands(ActorId to, const Error& why);
    [[nodiscard]] std::vector<Bounce> take_back_replies(ActorId to, const Error& why);

private:
    [[nodiscard]] std::optional<Bounce> end(Gift gift, const Error& why);
    template <class Which>
    [[nodiscard]] std::vector<Bounce> take_back_some(ActorId to, const Error& why, const Which& which);
    const Self* self_;
    std::unordered_map<ActorId, std::deque<Gift>> sent_;  // by receiver, the oldest first
    std::size_t count_ = 0;
    static constexpr std::size_t looks_max = 16;  // behind the oldest one
    std::size_t cursor_ = 0;
};

}  // namespace baton::detail
