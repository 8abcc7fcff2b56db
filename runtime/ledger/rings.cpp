#include "runtime/ledger/rings.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace baton::detail {

using namespace layout;

void Rings::note(ActorNumber me, Transition transition, Slot slot, Epoch epoch, ActorNumber partner,
                 std::int64_t now) noexcept {
    ActorRow& row = rows_[me];
    const std::uint64_t number = row.ring_next.load(relaxed);
    RingEntry& entry = row.ring[number % limits::ring_entries];
    entry.at.store(now, relaxed);
    entry.what.store(static_cast<std::uint64_t>(transition) << 32 | slot, relaxed);
    entry.epoch.store(epoch, relaxed);
    entry.partner.store(partner, relaxed);
    row.ring_next.store(number + 1, std::memory_order_release);
}

std::string Rings::last(ActorNumber actor, std::size_t most) const {
    const ActorRow& row = rows_[actor];
    const std::uint64_t written = row.ring_next.load(std::memory_order_acquire);
    const std::uint64_t count = std::min<std::uint64_t>({written, most, limits::ring_entries});
    std::string text;
    for (std::uint64_t number = written - count; number < written; ++number) {
        const RingEntry& entry = row.ring[number % limits::ring_entries];
        const std::uint64_t what = entry.what.load(relaxed);
        const std::uint64_t partner = entry.partner.load(relaxed);
        if (!text.empty()) text += ", ";
        text += fmt::format("{} {}.{}", name_of(static_cast<Transition>(what >> 32)), static_cast<std::uint32_t>(what),
                            entry.epoch.load(relaxed));
        if (partner != 0) text += fmt::format(" (actor {})", partner);
    }
    return text;
}

}  // namespace baton::detail
