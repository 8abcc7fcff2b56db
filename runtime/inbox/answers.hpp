#pragma once
// Answers: what one actor says to those at the other end of accepted links: answers to asks, refusals, and
// the coordinator's notices.
//
// Posting never waits: what a link does not take now goes out later, in order, and a connection that reads
// nothing for long is dropped (limits::answer_bytes_waiting_max). Knows links and encoded bodies; who may be
// answered, and what, is the loop's and its handler's. One thread.

#include <deque>
#include <unordered_map>

#include "runtime/base/log.hpp"
#include "runtime/inbox/command.hpp"
#include "runtime/inbox/gifts.hpp"
#include "runtime/inbox/intake.hpp"

namespace baton {

class Answers {
public:
    Answers(Transport& transport, Log& log, Intake& intake, Gifts& gifts)
        : transport_(&transport), log_(&log), intake_(&intake), gifts_(&gifts) {}
    void be(ActorId me) { me_ = me; }

    enum class Posted { yes, nobody_there, too_large };
    // Says what became of it; too large is what no frame holds, whose manifest and tag count too.
    Posted post(Link link, const Envelope& envelope, std::string_view body);
    // What links that were full can take now.
    void post_waiting();
    [[nodiscard]] bool any_waiting() const noexcept { return !waiting_.empty(); }

    // One outcome of one ask; an asker that is gone needs none.
    void answer(Link link, MessageKind kind, ActorId asker, std::uint64_t ask_id, std::string_view tag,
                std::string_view body);
    // A reply that carries segments. Refused as Holdings::depart() does; then nothing has been answered.
    [[nodiscard]] Result<void> reply_with(Link link, ActorId asker, std::uint64_t ask_id, std::string_view tag,
                                          std::string_view body, const Parcel& parcel);
    // To a command that is meant for another actor (`refused`) or for another life of this one (`gone`).
    void refuse_misaddressed(const Command& command, AnswerSlot slot);
    // Tells a sender that nobody waits for: the error has ask id 0, and the sequence of what it refuses.
    void refuse(const Command& command, const Error& why);

private:
    struct Waiting {
        std::deque<Buffer> frames;
        std::size_t bytes = 0;
    };

    Transport* transport_;
    Log* log_;
    Intake* intake_;
    Gifts* gifts_;
    ActorId me_;
    std::unordered_map<Link, Waiting> waiting_;  // of links that read too slowly
    Buffer record_;                              // reused, so that the steady state allocates nothing
};

}  // namespace baton
