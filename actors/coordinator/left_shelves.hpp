#pragma once
// LeftShelves: shelves whose home has died, and what is to be returned of them (decision 0026).
//
// A shelf stays as long as somebody holds one of its places. Until then the memory of its free places is returned;
// when all of them are free it is removed, and its block is like any other. One thread, the coordinator's.

#include <set>

#include "runtime/ledger/ledger.hpp"
#include "runtime/memory/store.hpp"

namespace baton::detail::coordinator {

class LeftShelves {
public:
    // Something has changed at this row: its block is to be looked at, if it is a shelf.
    void note(const Ledger& ledger, Slot slot);
    [[nodiscard]] bool has_any() const noexcept { return !noted_.empty(); }
    // Looks at one of those that were noted, in blocks whose home is the coordinator. At the end of the session those
    // who joined from outside may still look at what was theirs: then memory is only unlinked.
    void tidy_one(Ledger& ledger, Store& store, bool is_closing);

private:
    std::set<Slot> noted_;  // first rows
};

}  // namespace baton::detail::coordinator
