// Memory and View of <baton/dynamic.hpp>; what needs no memory is in dynamic.cpp.
#include <baton/dynamic.hpp>

#include "runtime/holdings/holdings.hpp"
#include "runtime/inbox/access.hpp"

namespace baton::dynamic {

using detail::Access;
using detail::Holding;

namespace {

Error empty_memory() {
    return Error{ErrorKind::refused,
                 "this memory is empty: what it stood for was given away, lent, reclaimed or released, or its session "
                 "has ended"};
}

}  // namespace

bool is_empty(const Memory& memory) noexcept {
    return std::visit([](const auto& one) { return !one; }, memory);
}

const Layout& layout_of(const Memory& memory) {
    return std::visit([](const auto& one) -> const Layout& { return one.layout(); }, memory);
}

std::uint64_t size_bytes_of(const Memory& memory) {
    return std::visit([](const auto& one) { return one.size_bytes(); }, memory);
}

std::string to_text(const Memory& memory) {
    return std::visit([](const auto& one) { return one.to_text(); }, memory);
}

bool is_borrowed(const Memory& memory) noexcept {
    return std::visit(
        [](const auto& one) {
            const Holding* const holding = Access::holding(one);
            return holding != nullptr && holding->is<detail::Borrowed>();
        },
        memory);
}

Result<View> View::of(Memory& memory) {
    if (is_empty(memory)) return empty_memory();
    Holding& holding = *std::visit([](const auto& one) { return Access::holding(one); }, memory);
    if (holding.is<detail::LentOut>())
        return Error{ErrorKind::refused,
                     to_text(memory) +
                         " is lent: others read it, or write parts of it; reclaim() it to look at it"};
    if (holding.is<detail::Pledge>())
        return Error{ErrorKind::refused, to_text(memory) + " is for a borrower: send it in a command"};
    View view;
    view.holdings_ = std::visit([](const auto& one) { return Access::holdings(one); }, memory)->shared_from_this();
    Result<std::byte*> mapped = view.holdings_->map(holding);
    if (!mapped) return mapped.error();
    view.holding_ = &holding;
    view.ticket_ = holding.ticket;
    view.bytes_ = {*mapped, holding.bytes};
    ++holding.exports;
    return view;
}

View::View(View&& other) noexcept
    : holdings_(std::exchange(other.holdings_, nullptr)),
      holding_(other.holding_),
      ticket_(other.ticket_),
      bytes_(other.bytes_) {}

View::~View() {
    // Once the session has ended the book knows nothing of it.
    if (holdings_ != nullptr && holding_->ticket == ticket_ && holding_->exports > 0) --holding_->exports;
}

}  // namespace baton::dynamic
