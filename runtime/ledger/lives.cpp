#include "runtime/ledger/lives.hpp"

#include "runtime/base/check.hpp"

namespace baton::detail {

using namespace layout;

namespace {

constexpr std::uint64_t packed_life(ActorId id) noexcept { return std::uint64_t{id.number} << 32 | id.incarnation; }

}  // namespace

Result<void> Lives::give(ActorId actor, std::uint64_t budget_bytes) {
    check(words::is_number(actor.number), "an actor's number is a row of the ledger");
    ActorRow& row = layout_->actors()[actor.number];
    if (Result<void> committed = layout_->commit(&row, ActorRow::bytes); !committed) return committed;
    // What earlier lives have counted stays: the balance is that of the session.
    row.intent.store(0, relaxed);
    row.ring_next.store(0, relaxed);
    MarkRow& marks = layout_->marks()[actor.number];
    if (Result<void> committed = layout_->commit(&marks, MarkRow::bytes); !committed) return committed;
    // Before the life: who offers something to this life has learned of it, and marks after this.
    for (auto& word : marks.segments) word.store(0, relaxed);
    for (auto& word : marks.leases) word.store(0, relaxed);
    LedgerHeader& header = layout_->header();
    header.home_bytes[actor.number].store(0, relaxed);
    header.budget[actor.number].store(budget_bytes, relaxed);
    header.life[actor.number].store(packed_life(actor), sequential);
    return {};
}

void Lives::take(ActorId actor) noexcept {
    std::uint64_t expected = packed_life(actor);
    layout_->header().life[actor.number].compare_exchange_strong(expected, 0, sequential);
}

void Lives::clear(ActorNumber number) noexcept { layout_->header().life[number].store(0, sequential); }

bool Lives::is_alive(ActorId actor) const noexcept {
    return words::is_number(actor.number) &&
           layout_->header().life[actor.number].load(sequential) == packed_life(actor);
}

ActorId Lives::of(ActorNumber number) const noexcept {
    if (!words::is_number(number)) return {};
    const std::uint64_t life = layout_->header().life[number].load(sequential);
    return {static_cast<std::uint32_t>(life >> 32), static_cast<std::uint32_t>(life)};
}

}  // namespace baton::detail
