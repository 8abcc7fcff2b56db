#pragma once
// Audit: recomputes the invariants of a ledger from its rows and names each that is broken.
//
// For tests, `baton audit` and the end of a session. It reads every row, so use it at a quiet moment: while actors
// work, a row may change between two looks, and an entry may be a false alarm. Pure function.

#include <string>
#include <vector>

#include "runtime/ledger/ledger.hpp"

namespace baton::detail {

struct Finding {
    int invariant = 0;   // 3 for I3
    std::string text;
};

// `settling`: numbers of dead actors whose last transfers are not settled yet (docs/ownership.md, Drained). An audit of
// the rows in use takes less time: it does not look for homes of blocks beyond them.
enum class Audited { all_blocks, rows_in_use };
[[nodiscard]] std::vector<Finding> audit(const Ledger& ledger, const std::vector<ActorNumber>& settling = {},
                                         Audited what = Audited::all_blocks);
// After the last actor has ended, no row may be left (I7).
[[nodiscard]] std::vector<Finding> audit_end(const Ledger& ledger);

}  // namespace baton::detail
