#include "runtime/holdings/book.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace baton::detail {
namespace {

Mapping::Access access_of(const Holding& holding) noexcept {
    return holding.kind() == HandleKind::lease ? Mapping::Access::read : Mapping::Access::write;
}

Store::Block block_of(const Holding& holding, const Memory& memory) noexcept { return memory.block(holding.slot); }

}  // namespace

Holding& Book::fresh(Place place) {
    const bool has_unused = !unused_.empty();
    Holding& holding = has_unused ? *unused_.back() : rows_.emplace_back();
    if (has_unused) unused_.pop_back();
    holding.will = 0;
    holding.slot = place.slot;
    holding.epoch = place.epoch;
    holding.offset = place.offset;
    holding.bytes = place.layout.bytes().value_or(0);
    holding.layout = std::move(place.layout);
    return holding;
}

void Book::drop(Holding& holding) noexcept {
    unmap(holding);
    if (const auto* pledge = holding.as<Pledge>())
        if (LentOut* lender = pledge->lender(); lender != nullptr) std::erase(lender->pledges, &holding);
    holding.state = std::monostate{};
    holding.exports = 0;
    invalidate(holding);
    unused_.push_back(&holding);
}

std::string Book::to_text(const Holding& holding) const {
    return fmt::format("{} {}.{} ({})", name_of(holding.kind()), holding.slot, holding.epoch,
                       baton::to_text(holding.layout));
}

Result<std::byte*> Book::map(Holding& holding) {
    if (std::byte* const data = holding.data(); data != nullptr) return data;
    Memory* const memory = holding.memory();
    if (memory == nullptr)  // our own, not sent yet: it lies where its lender has it mapped
        return refused(fmt::format("{} is of a segment that is not lent any more", to_text(holding)));
    const bool is_part = holding.kind() != HandleKind::segment;  // of what may be far larger
    Result<std::byte*> start =
        holder_.store().pin(block_of(holding, *memory), memory->capacity, access_of(holding),
                            is_part ? Store::Part{holding.offset, holding.bytes} : Store::Part{0, memory->capacity});
    if (!start) return start;
    return memory->data = *start + holding.offset;
}

void Book::unmap(Holding& holding) noexcept {
    Memory* const memory = holding.memory();
    if (memory == nullptr || memory->data == nullptr) return;
    memory->data = nullptr;
    holder_.store().unpin(block_of(holding, *memory), access_of(holding));
}

// Others of the same memory share its view, and have nothing to give back then.
void Book::keep_exported() noexcept {
    using View = std::pair<Store::Block, Mapping::Access>;
    std::vector<View> kept;
    for (const Holding& holding : rows_)
        if (const Memory* memory = holding.memory();
            holding.exports > 0 && memory != nullptr && memory->data != nullptr)
            kept.emplace_back(block_of(holding, *memory), access_of(holding));
    for (const auto& [block, access] : kept) holder_.store().keep(block, access);
    for (Holding& holding : rows_)
        if (Memory* memory = holding.memory();
            memory != nullptr &&
            std::ranges::find(kept, View{block_of(holding, *memory), access_of(holding)}) != kept.end())
            memory->data = nullptr;
}

}  // namespace baton::detail
