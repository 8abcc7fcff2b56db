#include "runtime/holdings/arrivals.hpp"

#include <fmt/format.h>

namespace baton::detail {

Arrivals::~Arrivals() {
    if (holdings_ == nullptr) return;
    for (Holding* holding : taken_) {
        if (holding == nullptr) continue;
        if (!is_accepted_) holdings_->drop(*holding);
        if (are_ours_) holdings_->release(*holding);  // nobody took it out
    }
}

Result<void> Arrivals::require_ledger() const {
    if (handles_.empty() || holdings_ != nullptr) return {};
    return Error{ErrorKind::unsupported, "this process takes part in no ledger: nothing can be given or lent to it"};
}

Holding* Arrivals::take(Value value, HandleKind kind, std::string& why) {
    if (Result<void> possible = require_ledger(); !possible) {
        why = possible.error().text;
        return nullptr;
    }
    const std::uint32_t index = value.handle();
    if (are_ours_) {
        if (index >= taken_.size() || taken_[index] == nullptr || taken_[index]->kind() != kind) {
            why = "was not in the message";
            return nullptr;
        }
        return std::exchange(taken_[index], nullptr);
    }
    if (index >= handles_.size()) {
        why = fmt::format("refers to handle {} of a manifest of {}", index, handles_.size());
        return nullptr;
    }
    if (handles_[index].kind != kind) {
        why = fmt::format("expected {}, got {}", name_of(kind), name_of(handles_[index].kind));
        return nullptr;
    }
    if (taken_[index] != nullptr) {
        why = fmt::format("refers to handle {} of the manifest, which stands for another field already", index);
        return nullptr;
    }
    return taken_[index] = &holdings_->transfers().expect(handles_[index], from_.number);
}

std::optional<HandleKind> Arrivals::kind_of(Value value) const noexcept {
    const std::uint32_t index = value.handle();
    if (index >= taken_.size() || taken_[index] == nullptr) return std::nullopt;
    return taken_[index]->kind();
}

Result<void> Arrivals::accept() {
    if (is_accepted_) return {};
    if (Result<void> possible = require_ledger(); !possible) return possible;
    for (const Holding* holding : taken_)
        if (holding == nullptr)
            return Error{ErrorKind::refused, "the manifest lists a handle that the body does not refer to"};
    is_accepted_ = true;  // even if it is refused: the book has dropped all of them then
    if (taken_.empty()) return {};
    return holdings_->transfers().accept(taken_);
}

Result<void> Arrivals::accept_all() {
    if (Result<void> possible = require_ledger(); !possible) return possible;
    for (std::size_t index = 0; index < handles_.size(); ++index)
        taken_[index] = &holdings_->transfers().expect(handles_[index], from_.number);
    is_accepted_ = true;
    if (taken_.empty()) return {};
    if (Result<void> accepted = holdings_->transfers().accept(taken_); !accepted) {
        taken_.clear();
        return accepted;
    }
    are_ours_ = true;
    return {};
}

void Arrivals::release_all() noexcept {
    if (handles_.empty() || holdings_ == nullptr) return;
    std::vector<Holding*> all;
    for (const Handle& handle : handles_) all.push_back(&holdings_->transfers().expect(handle, from_.number));
    holdings_->transfers().accept_and_release(all);
}

}  // namespace baton::detail
