#pragma once
// Replies: what comes back over the links that were opened here, each frame to those who wait for it: an outcome to its
// ask, a refusal to the gifts, and a notice to the control lane, which is the only link that may bring any.
//
// What an answer carries is accepted before the answer is handed on, and released if nobody asked for it. One thread.

#include <vector>

#include "runtime/inbox/asking.hpp"

namespace baton::detail {

class NoticeTaker {
public:
    virtual void take_notice(std::string_view tag, Value body) = 0;

protected:
    ~NoticeTaker() = default;
};

class Replies {
public:
    Replies(Self& self, Peers& peers, Asking& asking, Returns& returns)
        : self_(&self), peers_(&peers), asking_(&asking), returns_(&returns) {}

    // A slice of what has come over that link; true if there may be more. A link without a taker brings no notices.
    bool take(Link link, NoticeTaker* notices = nullptr);
    // Of an exited peer no more can come than it was asked.
    void take_all(Link link);
    // A slice from each peer that owes an answer, or may refuse a gift; but not from the coordinator.
    void collect();
    void add_links_of_those(std::vector<Link>& links) const;

private:
    // The most answers that are read from one link before the others, the control lane and the deadline get their turn.
    static constexpr std::size_t per_look_max = 256;
    void take_brief(Link link, std::string_view record);
    void take_reply(const Envelope& envelope, std::size_t body_start);
    void take_in_vain(Link link, const Envelope& envelope);
    void take_error(Link link, const Envelope& envelope, const Error& why);

    Self* self_;
    Peers* peers_;
    Asking* asking_;
    Returns* returns_;
    // Reused, so that the steady state allocates nothing.
    Unpacker unpacker_;
    Buffer frame_;
    std::vector<Link> links_;
};

}  // namespace baton::detail
