#include "runtime/inbox/inheritances.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <baton/detail/convert.hpp>
#include "runtime/base/crash_point.hpp"

namespace baton::detail {

void Inheritances::keep(const notice::Inherited& one) {
    if (kept_.size() >= limits::inherited_kept_max) decline(one);
    else kept_.push_back(one);
}

std::optional<Accepted> Inheritances::next(std::string_view label) {
    if (self_->holdings() == nullptr) return std::nullopt;
    for (;;) {
        const auto found =
            std::ranges::find_if(kept_, [&](const auto& one) { return label.empty() || one.label == label; });
        if (found == kept_.end()) return std::nullopt;
        const notice::Inherited one = std::move(*found);
        kept_.erase(found);
        pass_crash_point(CrashPoint::heir_came);
        if (std::optional<Accepted> accepted = accept(one); accepted) return accepted;
    }
}

// T3. Nothing if it is not offered to this member any more, or cannot be mapped.
std::optional<Accepted> Inheritances::accept(const notice::Inherited& one) {
    Holdings& holdings = *self_->holdings();
    const Layout layout{one.type, one.shape};
    const std::optional<std::uint64_t> bytes = layout.bytes();
    if (!bytes || *bytes > limits::segment_bytes_max || one.shape.size() > limits::shape_dimensions_max) {
        decline(one);
        return std::nullopt;
    }
    const Handle handle{HandleKind::segment, one.slot, one.epoch, layout, 0, 0, 0};
    const std::array parcel{&holdings.transfers().expect(handle, coordinator_id.number)};
    if (Result<void> accepted = holdings.transfers().accept(parcel); !accepted) {
        if (accepted.error().kind == ErrorKind::refused)
            self_->log().debug("inherited.stale", "label='{}' why=\"{}\"", one.label, to_text(accepted.error()));
        else decline(one);
        return std::nullopt;
    }
    return Accepted{parcel[0], one};
}

// It is said between commands, where there is time for it.
void Inheritances::decline(const notice::Inherited& one) { declined_.push_back(one); }

void Inheritances::give(Unwanted unwanted) {
    if (self_->holdings() == nullptr) return;
    while (!kept_.empty() && taker_) {
        std::optional<Accepted> one = next({});
        if (!one) break;
        const Handling handling{*self_};
        taker_(std::move(*one));
    }
    while (!kept_.empty() && !taker_ && unwanted == Unwanted::declined) {
        self_->log().warn("inherited.declined",
                          "label='{}' from={}: nobody takes it (Context::on_inherited), the next heir gets it",
                          kept_.front().label, kept_.front().name);
        decline(kept_.front());
        kept_.pop_front();
    }
    // If there is no coordinator, or it does not read, the next one offers it again.
    for (; !declined_.empty(); declined_.pop_front()) {
        Buffer body;
        Encoder encoder{body};
        encode(encoder, coordinator::Decline{declined_.front().slot, declined_.front().epoch});
        const Result<void> told =
            outbox_->send(coordinator_id, {.tag = command_name<coordinator::Decline>, .body = body},
                          Deadline::in(self_->clock(), limits::coordinator_timeout));
        if (!told) self_->log().debug("decline.untold", "why=\"{}\"", to_text(told.error()));
    }
}

}  // namespace baton::detail
