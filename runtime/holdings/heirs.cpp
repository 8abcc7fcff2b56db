#include "runtime/holdings/heirs.hpp"

#include <fmt/format.h>

#include "runtime/base/crash_point.hpp"

namespace baton::detail {

Result<void> Heirs::require_possible(const Holding& holding, std::span<const std::uint64_t> heirs,
                                     std::string_view label) const {
    if (!holding.is<Owned>() && !holding.is<LentOut>())
        return refused("only its owner can name the heirs of a segment: this one is borrowed, or was given away");
    if (heirs.size() > limits::heirs_max)
        return refused(fmt::format("{} heirs were named, a segment has at most {} (limits::heirs_max)", heirs.size(),
                                   limits::heirs_max));
    if (label.size() > limits::heir_label_bytes_max)
        return refused(fmt::format("the label of what heirs receive has {} bytes, at most {} are possible "
                                   "(limits::heir_label_bytes_max)",
                                   label.size(), limits::heir_label_bytes_max));
    for (const std::uint64_t heir : heirs) {
        if (heir == next_life_heir) continue;
        const ActorId id{static_cast<std::uint32_t>(heir >> 32), static_cast<std::uint32_t>(heir)};
        if (!words::is_number(id.number) || id.number == coordinator_id.number)
            return refused(fmt::format("{} can't be an heir: no actor of this session is called so", to_string(id)));
        if (id.number == holder_.number())
            return refused("an actor can't be its own heir: name another one, or its next life");
    }
    return {};
}

Result<void> Heirs::name(Holding& holding, std::span<const std::uint64_t> heirs, std::string_view label) {
    if (Result<void> possible = require_possible(holding, heirs, label); !possible) return possible;
    if (heirs.empty()) {
        if (holding.will != 0) wills().store(holding.slot, {});
        holding.will = 0;
        return {};
    }
    if (Result<void> prepared = wills().prepare(holding.slot); !prepared) return prepared;
    // Into the place that the will does not name, even if another owner wrote it: one whole list stands at any moment.
    const std::uint32_t place = wills().word_of(holding.slot).place == 1 ? 2 : 1;
    wills().write(holding.slot, place, {{heirs.begin(), heirs.end()}, std::string(label), holding.layout});
    pass_crash_point(CrashPoint::heir_listed);
    holding.will = place;
    stamp(holding);
    pass_crash_point(CrashPoint::heir_named);
    return {};
}

void Heirs::stamp(const Holding& holding) noexcept {
    if (holding.will == 0) return;
    wills().store(holding.slot, {holding.will, holder_.number(), holding.epoch});
    pass_crash_point(CrashPoint::heir_stamped);
}

}  // namespace baton::detail
