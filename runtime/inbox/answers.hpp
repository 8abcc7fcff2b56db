#pragma once
// Answers: what an actor sends to the other ends of accepted links: answers to asks, refusals, and the coordinator's
// notices.
//
// What a link does not take now goes out later, in order. Beyond limits::answer_bytes_waiting_max posting waits for an
// asker that goes on reading, and drops one that takes nothing for 0.1 s. Knows links and encoded bodies; the loop and
// its handler decide which asks are answered, and how. One thread.

#include <deque>
#include <string>
#include <unordered_map>

#include "runtime/inbox/command.hpp"
#include "runtime/inbox/gifts.hpp"
#include "runtime/inbox/intake.hpp"
#include "runtime/inbox/self.hpp"

namespace baton::detail {

class Answers {
public:
    Answers(Self& self, Intake& intake, Gifts& gifts) : self_(&self), intake_(&intake), gifts_(&gifts) {}
    // `stopping` once this actor is ending: its handler has no time left.
    [[nodiscard]] Error why_dropped(std::string_view tag) const;

    enum class Posted { yes, nobody_there, too_large };
    // Says what became of it; too large is what no frame holds, whose manifest and tag count too.
    Posted post(Link link, const Envelope& envelope, std::string_view body);
    // What links that were full can take now.
    void post_waiting();
    [[nodiscard]] bool any_waiting() const noexcept { return !waiting_.empty(); }
    // When to look again whether they can: soon after one could, later and later while none does.
    [[nodiscard]] Duration pause() const noexcept { return pause_; }
    // An answer is owed over the link, and is not any more.
    void hold(Link link) { self_->transport().hold(link); }
    void release(Link link) { self_->transport().release(link); }

    // One outcome of one ask; an asker that is gone needs none.
    void answer(Link link, MessageKind kind, ActorId asker, std::uint64_t ask_id, std::string_view tag,
                std::string_view body);
    // A reply by position, over a lane.
    void answer_by_position(Link link, ActorId asker, std::uint64_t ask_id, std::string_view tag,
                            const positional::Body& reply);
    // A reply that carries segments. Refused as Holdings::depart() does; then nothing has been answered.
    [[nodiscard]] Result<void> reply_with(Link link, ActorId asker, std::uint64_t ask_id, std::string_view tag,
                                          std::string_view body, const Parcel& parcel);
    // A slot's copy of the name of its command, for as long as it is to be answered. The memory is used again.
    [[nodiscard]] std::string name_for_slot(std::string_view tag) { return std::move(spare_tag_.assign(tag)); }
    void give_back(std::string&& tag) noexcept { spare_tag_ = std::move(tag); }
    // It can't be given before `whom` goes on.
    void keep(Link link, std::uint64_t ask_id, ActorId whom) noexcept { intake_->keep_answer(link, ask_id, whom); }
    // To a command that is meant for another actor (`refused`) or for another life of this one (`gone`).
    void refuse_misaddressed(const Command& command, AnswerSlot slot);
    // To an ask that its asker has given up before it began.
    void refuse_withdrawn(const Command& command, AnswerSlot slot);
    // The command that is answered now is in nobody's hand any more (Self::end_in_hand).
    void end_in_hand() noexcept { self_->end_in_hand(); }
    // Tells a sender that nobody waits for: the error has ask id 0, and the sequence of what it refuses.
    void refuse(const Command& command, const Error& why);

private:
    static constexpr Duration pause_min = std::chrono::milliseconds{1};
    static constexpr Duration pause_max = std::chrono::milliseconds{32};
    // record_ goes out when it can.
    [[nodiscard]] Posted post_later(Link link, ActorId to);
    void count_answer(Posted posted, Link link, ActorId asker, std::uint64_t ask_id, std::string_view tag);
    struct Waiting {
        std::deque<Buffer> frames;
        std::size_t bytes = 0;  // with what keeping each frame takes
    };
    [[nodiscard]] static std::size_t cost_of(const Buffer& frame) noexcept { return frame.size() + 2 * sizeof(Buffer); }

    Self* self_;
    Intake* intake_;
    Gifts* gifts_;
    std::unordered_map<Link, Waiting> waiting_;  // of links that read too slowly
    Duration pause_ = pause_min;
    // Reused, so that the steady state allocates nothing.
    Buffer record_;
    std::string spare_tag_;
};

}  // namespace baton::detail
