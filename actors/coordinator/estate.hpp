#pragma once
// Estate: the coordinator's side of docs/ownership.md: which actors live, what the dead leave, and the balance at the
// end.
//
// It settles the rows of an actor whose death the kernel has confirmed, is the home of blocks whose home has died, and
// returns their memory piece by piece, so that nobody waits for a large estate. It sends nothing: it says which actors
// are to be told. One thread, the coordinator's.

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <baton/time.hpp>
#include "actors/coordinator/left_segments.hpp"
#include "actors/coordinator/left_shelves.hpp"
#include "runtime/holdings/region.hpp"
#include "runtime/ledger/audit.hpp"
#include "runtime/memory/store.hpp"
#include "runtime/wire/notices.hpp"

namespace baton::detail::coordinator {

class Estate {
public:
    [[nodiscard]] static Result<Estate> create(std::string_view session_id, std::uint64_t budget_bytes,
                                               const Clock& clock);
    // Uses a ledger that has just been formatted, wherever it is.
    [[nodiscard]] static Result<Estate> over(LedgerRegion region, std::string_view session_id, const Clock& clock);
    // For a coordinator that takes over: the ledger as it is. `lives` have not ended, as far as recorded; the settling
    // of `settling` was begun, and settle() is to be called for them before anything else. `highest` is the highest
    // number that was ever given out.
    struct Kept {
        std::vector<ActorId> lives;
        std::vector<ActorId> settling;
        ActorNumber highest = 0;
        std::uint64_t released_for_the_dead = 0;
        std::uint64_t mended = 0;
    };
    [[nodiscard]] static Result<Estate> resume(std::string_view session_id, const Clock& clock, const Kept& kept);
    // Does this with a ledger that is there, wherever it is.
    [[nodiscard]] static Estate resume(LedgerRegion region, std::string_view session_id, const Clock& clock,
                                       const Kept& kept);
    // Removes what is left of it from the machine. After close().
    static void remove(std::string_view session_id) noexcept { LedgerRegion::remove(session_id); }

    // ---- lives
    [[nodiscard]] Result<void> give_life(ActorId actor, std::uint64_t budget_bytes);
    // Rows still name an actor of this number: it may not be given out again yet.
    [[nodiscard]] bool is_settling(std::uint32_t number) const noexcept { return settling_.contains(number); }

    struct Settled {
        MemoryAtExit held;                // as take_life() says it, if that was not called before
        std::vector<ActorId> concerned;   // own again what they had offered to the dead one, or have a lease in again
        std::vector<ActorId> to_drain;    // the dead one had offered or granted to them: they answer Drained
    };
    // Nobody can offer to it any more, and what it was about to count is counted: before anything of it is settled.
    // Says what it held, and what was on its way from and to it.
    [[nodiscard]] MemoryAtExit take_life(ActorId dead);
    // Settles every row that names the dead actor, except for what waits for Drained (T5, T9, T11, L5, and T6 if nobody
    // is left).
    [[nodiscard]] Settled settle(ActorId dead) { return settle(dead, {}); }
    // `receivers` may have something to read of it, too: those of these numbers that live are to be drained.
    [[nodiscard]] Settled settle(ActorId dead, const std::vector<ActorNumber>& receivers);
    // `heir` has taken everything that the dead actor sent to it (T6, L6). False if nobody has waited for that.
    bool drained(ActorId heir, ActorId dead);
    [[nodiscard]] bool awaits(ActorId heir, ActorId dead) const;
    // The dead ones for which it has not said so yet.
    [[nodiscard]] std::vector<ActorId> awaited_of(ActorId heir) const;

    // ---- what is left to heirs: as LeftSegments has it
    void carry_out_wills(const std::function<HeirStanding(ActorId, std::uint64_t)>& find,
                         const std::function<void(const LeftSegments::Offer&)>& tell,
                         const std::function<void(const LeftSegments::Unclaimed&)>& report);
    // Some are left that wait for leases or for an heir: nobody says when to carry_out_wills() again.
    [[nodiscard]] bool has_open_wills() const noexcept { return left_segments_.has_open(); }
    // False if that is not on its way to the heir.
    bool decline(ActorId heir, Slot slot, Epoch epoch) { return left_segments_.decline(ledger(), heir, slot, epoch); }
    // A coordinator that takes over, once all deaths are settled: what the last one had offered, and what it had not.
    void take_back_offers();

    // ---- what could not be so
    // Rows that held what no transition writes, or named no actor. Any process of the session can write there, so such
    // a row is repaired where it is found, and nobody waits for it. Since the last call; the first of them are
    // described.
    struct Mended {
        std::uint64_t rows = 0;
        std::vector<std::string> texts;
    };
    [[nodiscard]] Mended take_mended() { return std::exchange(mended_, {}); }

    // ---- the home of blocks without one
    // Returns memory for some milliseconds; true if there is more to do at once.
    bool collect();
    // When to collect() next; never when no block is ours.
    [[nodiscard]] Deadline next_collection() const noexcept { return next_collection_; }

    // ---- looking
    // Memory whose home it is: its segments, no matter which actor holds them, and what it keeps for later.
    [[nodiscard]] bool holds_memory(ActorId actor) const noexcept { return ledger().budget.bytes_of(actor.number) > 0; }
    // `called`: the names of heirs.
    using Called = std::function<std::string(ActorId)>;
    [[nodiscard]] SegmentList list(std::uint64_t rows_max, const Called& called) const;
    [[nodiscard]] std::vector<Finding> audit() const;
    [[nodiscard]] std::string last_transitions(ActorId actor, std::size_t most) const;

    // For a coordinator that takes over.
    [[nodiscard]] std::uint64_t released_for_the_dead() const noexcept { return released_for_the_dead_; }
    [[nodiscard]] std::uint64_t mended() const noexcept { return mended_rows_; }

    // ---- the end
    // Settles all that are left and takes all memory back.
    struct Balance {
        Counts counts;
        std::uint64_t for_the_dead = 0;  // of those released: by the coordinator
        std::uint64_t mended = 0;        // rows that may or may not have been counted as created
        std::vector<Finding> findings;   // rows that are left, and what does not add up
    };
    [[nodiscard]] Balance close();

private:
    Estate(LedgerRegion region, std::string session_id, const Clock& clock);
    [[nodiscard]] Ledger& ledger() noexcept { return region_.ledger(); }
    [[nodiscard]] const Ledger& ledger() const noexcept { return region_.ledger(); }
    // The living actors, which are known from here and not from the ledger.
    [[nodiscard]] ActorId living(ActorNumber number) const noexcept;
    [[nodiscard]] bool is_known(ActorNumber number) const noexcept;
    // What the dead one had offered or granted to another: nobody can add to it any more.
    struct InTransit {
        std::vector<Slot> segments;
        std::vector<Slot> leases;
    };
    [[nodiscard]] bool is_begun(ActorId dead) const noexcept;
    template <class OfSegment, class OfLease>
    void for_each_row_of(ActorNumber dead, const OfSegment& of_segment, const OfLease& of_lease) const;
    void settle_names(ActorNumber dead);
    void settle_segment(Slot slot, ActorNumber dead, Settled& settled);
    [[nodiscard]] bool settle_word(Slot slot, SegmentWord word, ActorNumber dead, Settled& settled);
    void settle_lease(Slot lease, ActorNumber dead, Settled& settled);
    void settle_transfers(const InTransit& sent, ActorNumber dead, ActorNumber heir);
    [[nodiscard]] bool release_for(Slot slot, SegmentWord word);
    [[nodiscard]] bool end_for(Slot slot, SegmentWord word);
    void release_left();
    [[nodiscard]] Count ending_of(Slot slot) const;
    void count_ended(Count how);
    void take_up(const Kept& kept);
    void adopt(ActorNumber dead);
    void mark_blocks_of(ActorNumber dead);
    void finish_if_drained(ActorNumber dead);
    [[nodiscard]] bool is_possible(SegmentWord word) const noexcept;
    [[nodiscard]] SegmentWord possible(SegmentWord word) const noexcept;
    void mend(Slot slot, SegmentWord word);
    void note_mended(std::string text);
    void end_all_rows();
    void look_for_left();
    [[nodiscard]] bool collect_one();
    void end_object(Slot slot);
    struct Left {
        Slot slot = 0;
        SegmentWord word;
    };
    void give_back(const Left& left);
    void describe_heirs(SegmentInfo& row, SegmentWord word, const Called& called) const;
    [[nodiscard]] std::uint64_t bytes_of(Slot slot) const noexcept;
    [[nodiscard]] Duration age_of(Slot slot) const noexcept;

    LedgerRegion region_;
    std::unique_ptr<Store> store_;
    const Clock* clock_;
    struct Settling {
        ActorId dead;
        std::map<ActorId, InTransit> heirs;  // those that have not answered Drained yet
        bool is_begun = false;  // its life is taken; its rows are to be settled, perhaps again
    };
    std::map<ActorNumber, Settling> settling_;
    std::vector<ActorId> lives_;         // by number
    ActorNumber highest_ = coordinator_id.number;    // that was ever given out
    std::uint64_t released_for_the_dead_ = 0;
    std::uint64_t mended_rows_ = 0;
    Mended mended_;
    std::vector<Left> left_;             // of our blocks: to be released, and leased to nobody
    LeftShelves shelves_;
    LeftSegments left_segments_;
    bool has_looked_ = false;            // for what is left, since all of it was returned
    bool may_be_more_ = false;           // rows of our blocks that still have an owner
    Duration look_took_{};
    Deadline next_collection_;
    bool is_closing_ = false;
};

}  // namespace baton::detail::coordinator
