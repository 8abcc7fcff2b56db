#pragma once
// Heirs: those that receive a segment of this actor if it dies (model/takeover.md, H1 and H2). One thread, the actor's.

#include <span>
#include <string_view>

#include "runtime/holdings/holder.hpp"
#include "runtime/holdings/holding.hpp"

namespace baton::detail {

class Heirs {
public:
    explicit Heirs(Holder& holder) : holder_(holder) {}
    Heirs(const Heirs&) = delete;
    Heirs& operator=(const Heirs&) = delete;

    // Of what is owned or lent, in place of those that were named before; nobody, if the list is empty. Each is an
    // ActorId packed, or next_life_heir. `overloaded` if memory is short.
    [[nodiscard]] Result<void> name(Holding& holding, std::span<const std::uint64_t> heirs, std::string_view label);
    // Before each transition of the owner after which the segment may still be its own (T2, T7, T8): the heirs that it
    // has named count after that one, too.
    void stamp(const Holding& holding) noexcept;

private:
    [[nodiscard]] Result<void> require_possible(const Holding& holding, std::span<const std::uint64_t> heirs,
                                                std::string_view label) const;
    [[nodiscard]] Wills& wills() const noexcept { return holder_.ledger().wills; }

    Holder& holder_;
};

}  // namespace baton::detail
