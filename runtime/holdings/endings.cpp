#include "runtime/holdings/endings.hpp"

#include <utility>

#include "runtime/base/crash_point.hpp"

namespace baton::detail {

void Endings::release(Holding& holding) noexcept {
    if (!holding.is_in_use()) return;                                   // ended with all others, by release_all()
    if (holding.is_in_transit()) return book_.invalidate(holding);      // its sender takes care of it
    if (holding.is<Owned>() || holding.is<LentOut>()) retire(holding);
    if (const auto* borrowed = holding.as<Borrowed>()) return_lease(holding, *borrowed);
    book_.drop(holding);
}

void Endings::retire(Holding& holding) noexcept {
    unpublish(holding);  // before the word moves: nobody new comes
    ledger().counters.intend(holder_.number(), Count::released, holding.slot);
    pass_crash_point(CrashPoint::retire_intended);
    const std::optional<Epoch> epoch = ledger().segments.retire(holding.slot, holding.epoch, holder_.number());
    pass_crash_point(CrashPoint::retire_made);
    if (epoch) {
        ledger().counters.count(holder_.number(), Count::released);
        pass_crash_point(CrashPoint::retire_counted);
        holder_.note(Transition::retire, holding.slot, *epoch, 0);
    } else {
        ledger().counters.forget_intent(holder_.number());  // the session has ended without us
    }
    book_.unmap(holding);
    if (epoch) home_.take_back(holding.slot);
}

void Endings::return_lease(Holding& holding, const Borrowed& borrowed) noexcept {
    book_.unmap(holding);
    const std::optional<Epoch> epoch =
        ledger().leases.drop(borrowed.lease, borrowed.lease_epoch, borrowed.lender, holder_.number());
    if (!epoch) return;
    pass_crash_point(CrashPoint::drop_made);
    holder_.note(Transition::drop, borrowed.lease, *epoch, borrowed.lender);
}

void Endings::release_all() noexcept {
    book_.keep_exported();
    for (Holding& holding : book_.rows())
        if (!holding.is_in_transit()) release(holding);
}

void Endings::unpublish(Holding& holding) noexcept {
    auto* const lent = holding.as<LentOut>();
    if (lent == nullptr || !lent->name) return;
    const LentOut::Name was = *std::exchange(lent->name, std::nullopt);
    if (!ledger().names.unpublish(was.row, was.word)) return;  // the session has ended without us
    pass_crash_point(CrashPoint::unpublish_made);
    holder_.note(Transition::unpublish, holding.slot, was.word.epoch, 0);
}

}  // namespace baton::detail
