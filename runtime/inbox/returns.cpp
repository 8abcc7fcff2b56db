#include "runtime/inbox/returns.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/crash_point.hpp"

namespace baton::detail {

std::optional<Bounce> Returns::next(std::string_view type, ActorId to) {
    const auto found = std::ranges::find_if(bounces_, [&](const Bounce& one) {
        return (type.empty() || one.parcel.type == type) && (!to.is_somebody() || one.key.to == to);
    });
    if (found == bounces_.end()) return std::nullopt;
    Bounce bounce = std::move(*found);
    bounces_.erase(found);
    return bounce;
}

std::size_t Returns::count(std::string_view type) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(bounces_, [&](const Bounce& one) { return one.parcel.type == type; }));
}

void Returns::take_back(const Gifts::Key& key, const Error& why) {
    if (std::optional<Bounce> bounce = gifts_.take_back(key, why); bounce) bounces_.push_back(std::move(*bounce));
}

void Returns::keep(std::vector<Bounce> bounces) {
    for (Bounce& bounce : bounces) bounces_.push_back(std::move(bounce));
}

void Returns::give(Unwanted unwanted) {
    while (!bounces_.empty()) {
        const auto taker = takers_.find(bounces_.front().parcel.type);
        if (taker == takers_.end() && unwanted == Unwanted::kept) return;
        Bounce bounce = std::move(bounces_.front());
        bounces_.pop_front();
        if (taker == takers_.end()) {
            release(std::move(bounce));
            continue;
        }
        pass_crash_point(CrashPoint::bounce_told);
        const Handling handling{*self_};
        taker->second(std::move(bounce));
    }
}

void Returns::release(Bounce bounce) {
    self_->log().warn("gift.bounced",
                      "to={} command={} segments={} why=\"{}\": nobody takes it (Context::on_bounced), released",
                      to_string(bounce.key.to), bounce.tag, bounce.parcel.holdings.size(), to_text(bounce.why));
    for (Holding* holding : bounce.parcel.holdings) self_->holdings()->release(*holding);
}

void Returns::look() {
    if (!gifts_.any()) return;
    for (const ActorId receiver : gifts_.receivers()) gifts_.look(receiver);
}

}  // namespace baton::detail
