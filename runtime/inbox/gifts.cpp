#include "runtime/inbox/gifts.hpp"

#include <algorithm>

#include "runtime/base/crash_point.hpp"

namespace baton::detail {

void Gifts::note(const Key& key, std::string_view tag, std::string_view body, const Parcel& parcel) {
    if (key.by != By::ask)
        for (Holding* holding : parcel.holdings) self_->holdings()->invalidate(*holding);
    sent_[key.to].push_back({key, std::string(tag), Buffer(body), parcel});
    ++count_;
    pass_crash_point(CrashPoint::send_noted);
}

void Gifts::look(ActorId to) {
    const auto found = sent_.find(to);
    if (found == sent_.end()) return;
    std::deque<Gift>& gifts = found->second;
    Transfers& transfers = self_->holdings()->transfers();
    const auto is_over = [&](Gift& gift) { return gift.key.by != By::ask && transfers.is_taken(gift.parcel); };
    while (!gifts.empty() && is_over(gifts.front())) {
        gifts.pop_front();
        --count_;
    }
    // Those behind one that is undecided for long are looked at in turn, some at a time.
    for (std::size_t look = 0; look < looks_max && look < gifts.size(); ++look) {
        const std::size_t at = cursor_++ % gifts.size();
        if (!is_over(gifts[at])) continue;
        gifts.erase(gifts.begin() + static_cast<std::ptrdiff_t>(at));
        --count_;
        --cursor_;
    }
    if (gifts.empty()) sent_.erase(found);
}

std::vector<ActorId> Gifts::receivers() const {
    std::vector<ActorId> all;
    for (const auto& [to, gifts] : sent_) all.push_back(to);
    return all;
}

std::optional<Bounce> Gifts::end(Gift gift, const Error& why) {
    --count_;
    if (!self_->holdings()->transfers().take_back(gift.parcel)) {
        // The receiver was first. Should it die before it has taken the rest, that comes back to nobody.
        if (gift.parcel.holdings.empty()) return std::nullopt;
        if (gift.key.by == By::ask) gift.key.by = By::request;
        ++count_;
        sent_[gift.key.to].push_back(std::move(gift));
        return std::nullopt;
    }
    if (gift.key.by == By::ask) return std::nullopt;
    return Bounce{std::move(gift), why};
}

std::optional<Bounce> Gifts::take_back(const Key& key, const Error& why) {
    const auto found = sent_.find(key.to);
    if (found == sent_.end()) return std::nullopt;
    std::deque<Gift>& gifts = found->second;
    const auto gift = std::ranges::find_if(
        gifts, [&](const Gift& one) { return one.key.by == key.by && one.key.number == key.number; });
    if (gift == gifts.end()) return std::nullopt;
    Gift taken = std::move(*gift);
    gifts.erase(gift);
    if (gifts.empty()) sent_.erase(found);
    return end(std::move(taken), why);
}

template <class Which>
std::vector<Bounce> Gifts::take_back_some(ActorId to, const Error& why, const Which& which) {
    std::vector<Bounce> bounces;
    const auto found = sent_.find(to);
    if (found == sent_.end()) return bounces;
    std::deque<Gift> gifts = std::move(found->second);
    sent_.erase(found);
    for (Gift& gift : gifts) {
        if (!which(gift)) {
            sent_[to].push_back(std::move(gift));
        } else if (std::optional<Bounce> bounce = end(std::move(gift), why); bounce) {
            bounces.push_back(std::move(*bounce));
        }
    }
    return bounces;
}

std::vector<Bounce> Gifts::take_back_all(ActorId to, const Error& why) {
    return take_back_some(to, why, [](const Gift& gift) { return gift.key.by != By::ask; });
}

std::vector<Bounce> Gifts::take_back_commands(ActorId to, const Error& why) {
    return take_back_some(to, why,
                          [](const Gift& gift) { return gift.key.by == By::send || gift.key.by == By::request; });
}

std::vector<Bounce> Gifts::take_back_replies(ActorId to, const Error& why) {
    return take_back_some(to, why, [](const Gift& gift) { return gift.key.by == By::reply; });
}

}  // namespace baton::detail
