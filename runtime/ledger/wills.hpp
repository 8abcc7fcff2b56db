#pragma once
// Wills: the heirs of segments, if their owners have named any, by the segment's slot (model/takeover.md, H).
//
// A will is one word and two places. Its owner writes a list of heirs into the place that the word does not name, and
// then the word, so that at every moment one whole list stands, or none. What the coordinator notes of a segment that
// it has to give to heirs stands beside them. A view of the ledger. Thread-safe and crash-safe; one owner writes at a
// time, and the coordinator when that has died.

#include <optional>
#include <string>
#include <vector>

#include <baton/layout.hpp>
#include "runtime/ledger/layout.hpp"

namespace baton::detail {

struct Will {
    std::vector<std::uint64_t> heirs;  // ActorId packed, or next_life_heir; the first one first
    std::string label;
    Layout layout;  // of the segment's elements
};

// What the coordinator has noted before it became the owner.
struct WillNotes {
    bool was_written = false;  // its last owner died while it could write
    std::uint64_t listed = 0;  // heirs that have been passed over, or have refused
    ActorId by;                // the last owner

    bool operator==(const WillNotes&) const = default;
};

class Wills {
public:
    explicit Wills(const LedgerLayout& layout) : layout_(&layout) {}

    // ---- the owner
    // Before anything is written of that slot; `overloaded` if memory is short.
    [[nodiscard]] Result<void> prepare(Slot slot);
    // What fits: limits::heirs_max heirs, a label of limits::heir_label_bytes_max. Of a type that is too long the heirs
    // get bytes.
    void write(Slot slot, std::uint32_t place, const Will& will) noexcept;
    void store(Slot slot, WillWord word) noexcept;

    // ---- everybody
    // Of place 0 if nobody has named heirs in that page.
    [[nodiscard]] WillWord word_of(Slot slot) const noexcept;
    // Bounded, whatever stands there. Nothing without a place that can be right.
    [[nodiscard]] std::optional<Will> read(Slot slot, std::uint32_t place) const;

    // ---- the coordinator, of a slot that has a will
    void note(Slot slot, const WillNotes& notes) noexcept;
    void pass_over(Slot slot, std::uint64_t listed) noexcept;
    [[nodiscard]] WillNotes notes_of(Slot slot) const noexcept;

private:
    [[nodiscard]] bool is_in_use(Slot slot) const noexcept;

    const LedgerLayout* layout_;
};

}  // namespace baton::detail
