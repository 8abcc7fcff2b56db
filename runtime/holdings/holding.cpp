#include "runtime/holdings/holding.hpp"

namespace baton::detail {
namespace {

// Of any state that has some.
template <class MemoryOrConst>
constexpr auto memory_in = [](auto& state) -> MemoryOrConst* {
    if constexpr (requires { state.memory; }) return &state.memory;
    else return nullptr;
};

}  // namespace

LentOut* Pledge::lender() const noexcept {
    return loan->ticket == loan_ticket ? loan->as<LentOut>() : nullptr;
}

HandleKind Holding::kind() const noexcept {
    if (const auto* borrowed = as<Borrowed>()) return borrowed->kind;
    if (const auto* pledge = as<Pledge>()) return handle_kind_of(pledge->kind);
    if (const auto* granted = as<Granted>()) return handle_kind_of(granted->pledge.kind);
    if (const auto* arriving = as<Arriving>()) return arriving->kind;
    if (const auto* confirmed = as<Confirmed>()) return confirmed->handle.kind;
    return HandleKind::segment;
}

Memory* Holding::memory() noexcept { return std::visit(memory_in<Memory>, state); }
const Memory* Holding::memory() const noexcept { return std::visit(memory_in<const Memory>, state); }

std::byte* Holding::data() const noexcept {
    if (const auto* pledge = as<Pledge>()) {
        const LentOut* lender = pledge->lender();
        return lender == nullptr || lender->memory.data == nullptr ? nullptr : lender->memory.data + offset;
    }
    const Memory* mine = memory();
    return mine == nullptr ? nullptr : mine->data;
}

Handle Holding::handle() const {
    Handle handle{kind(), slot, epoch, layout, 0, 0, offset};
    if (const auto* granted = as<Granted>()) {
        handle.lease = granted->lease;
        handle.lease_epoch = granted->lease_epoch;
    }
    return handle;
}

}  // namespace baton::detail
