#pragma once
// LeftSegments: what dead owners have left to heirs, from the coordinator becoming its owner (T11) to an heir being
// offered it (T2), or to its end if nobody wants it (model/takeover.md, H3 to H7; decision 0030).
//
// All that has to be known stands in the ledger, so that the next coordinator goes on. It sends nothing: Hands do what
// concerns members. One thread, the coordinator's.

#include <functional>
#include <set>
#include <string>

#include "runtime/ledger/ledger.hpp"

namespace baton::detail::coordinator {

// How an heir stands that somebody has named.
struct HeirStanding {
    enum class Kind {
        over,     // it does not live, and will not
        to_come,  // it will live, or it cannot be told yet
        here,
    };
    Kind kind = Kind::over;
    ActorId life;
};

class LeftSegments {
public:
    struct Offer {
        Slot slot = 0;
        Epoch epoch = 0;
        ActorId heir;
        Layout layout;
        std::string label;
        WillNotes notes;
    };
    struct Unclaimed {
        Slot slot = 0;
        Epoch epoch = 0;
        ActorId owner;
        std::string label;
        std::uint64_t bytes = 0;
    };
    struct Hands {
        std::function<HeirStanding(ActorId owner, std::uint64_t heir)> find;
        std::function<void(const Offer&)> tell;
        std::function<void(const Unclaimed&)> report;
        std::function<void(Slot, SegmentWord)> release;  // T9
    };

    // True if heirs have been named that receive the segment which its owner leaves at that word.
    [[nodiscard]] static bool is_left(const Ledger& ledger, Slot slot, SegmentWord word) noexcept;
    // T11 of such a segment. False if the word has changed in the meantime.
    [[nodiscard]] bool take_over(Ledger& ledger, Slot slot, SegmentWord word, ActorId owner);
    // True if the coordinator owns that segment by T11, and no other process can have written it so.
    [[nodiscard]] static bool is_ours(const Ledger& ledger, Slot slot) noexcept;
    // It came back from an heir that has died (T5), or an earlier coordinator owned it: T4, if that had offered it.
    void note(Slot slot) { open_.insert(slot); }
    void take_back(Ledger& ledger, Slot slot);
    // False if that is not offered to the heir.
    bool decline(Ledger& ledger, ActorId heir, Slot slot, Epoch epoch);

    // Offers each that is in no transfer and not leased to the first of its heirs that lives, or ends it.
    void carry_out(Ledger& ledger, const Hands& hands);
    // Some wait for leases, or for an heir that is to come.
    [[nodiscard]] bool has_open() const noexcept { return !open_.empty(); }

private:
    enum class Next { done, waits };
    [[nodiscard]] Next carry_out_one(Ledger& ledger, Slot slot, const Hands& hands);
    void offer(Ledger& ledger, SegmentWord word, Offer to_make, const Hands& hands);

    std::set<Slot> open_;  // the coordinator's own, and not offered, as far as is known
};

}  // namespace baton::detail::coordinator
