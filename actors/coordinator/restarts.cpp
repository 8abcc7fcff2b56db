#include "actors/coordinator/restarts.hpp"

#include <algorithm>
#include <utility>

namespace baton::detail::coordinator {
namespace {

// `first`, doubled that many times.
Duration back_off(const Restart& how, std::uint32_t times) {
    Duration wait = how.back_off_first;
    for (std::uint32_t time = 0; time < times && wait < how.back_off_most; ++time) wait += wait;
    return std::min(wait, how.back_off_most);
}

bool is_same_group(const Seat& one, const Seat& other) noexcept {
    return !one.how.group.empty() && one.parent == other.parent && one.how.group == other.how.group;
}

}  // namespace

// ---- seats -----------------------------------------------------------------------------------------

Seat& Restarts::add(Seat seat) {
    last_order_ = std::max(last_order_, seat.order);
    return seats_[seat.life.number] = std::move(seat);
}

const Seat* Restarts::find(ActorId life) const noexcept {
    const auto found = seats_.find(life.number);
    return found != seats_.end() && found->second.is_of(life) ? &found->second : nullptr;
}

Seat* Restarts::find(ActorId life) noexcept { return const_cast<Seat*>(std::as_const(*this).find(life)); }

Seat* Restarts::find_between_lives(std::string_view name) noexcept {
    for (auto& [number, seat] : seats_)
        if (seat.is_between_lives() && seat.name == name) return &seat;
    return nullptr;
}

std::vector<ActorId> Restarts::children_of(ActorId parent) const {
    std::vector<ActorId> children;
    for (const auto& [number, seat] : seats_)
        if (seat.parent == parent && parent.is_somebody()) children.push_back(seat.life);
    return children;
}

const Restart::Strategy* Restarts::strategy_of(ActorId parent, std::string_view group) const noexcept {
    for (const auto& [number, seat] : seats_)
        if (!group.empty() && seat.parent == parent && seat.how.group == group) return &seat.how.strategy;
    return nullptr;
}

bool Restarts::goes_with(const Seat& other, const Seat& seat) noexcept {
    if (&other == &seat || !is_same_group(other, seat)) return false;
    switch (seat.how.strategy) {
        case Restart::Strategy::one_for_one: return false;
        case Restart::Strategy::one_for_all: return true;
        case Restart::Strategy::rest_for_one: return other.order > seat.order;
    }
    return false;
}

// ---- the end of a life -----------------------------------------------------------------------------

Restarts::Decision Restarts::ended(ActorId life, bool has_failed, const std::string& how) {
    Decision decision;
    Seat* const seat = find(life);
    if (seat == nullptr || seat->life != life) return decision;
    const bool is_wanted = seat->how.policy == Restart::Policy::always ||
                           (seat->how.policy == Restart::Policy::on_failure && has_failed);
    if (seat->state == Seat::founded || (seat->state == Seat::lives && !is_wanted)) {
        drop(life.number);
        return decision;
    }
    if (has_failed && seat->state == Seat::lives) seat->failure = how;
    if (seat->state == Seat::lives) decide(*seat, decision);
    else if (seat->state == Seat::ends) seat->state = Seat::settles;
    decision.gives_up = seat->state == Seat::given_up;
    decision.restarts = !decision.gives_up;
    for (auto& [number, other] : seats_) {
        if (!goes_with(other, *seat)) continue;
        if (decision.gives_up) {
            if (other.state != Seat::given_up) decision.to_leave.push_back(other.life);
        } else if (other.state == Seat::lives || other.state == Seat::ends) {
            other.state = Seat::ends;
            other.due = seat->due;
            decision.to_end.push_back(other.life);
        }
    }
    return decision;
}

void Restarts::decide(Seat& seat, Decision& decision) {
    const Instant now = clock_->now();
    std::erase_if(seat.recent, [&](Instant at) { return now - at > seat.how.period; });
    if (seat.recent.size() >= seat.how.restarts_max) {
        seat.state = Seat::given_up;
        decision.gives_up = true;
        return;
    }
    seat.recent.push_back(now);
    if (now - seat.begun > seat.how.period) seat.in_a_row = 0;
    seat.due = Deadline::in(now, back_off(seat.how, seat.in_a_row++));
    seat.state = Seat::settles;
}

void Restarts::settled(ActorNumber number) noexcept {
    if (const auto found = seats_.find(number); found != seats_.end() && found->second.state == Seat::settles)
        found->second.state = Seat::waits;
}

// ---- the next life ---------------------------------------------------------------------------------

bool Restarts::may_begin(const Seat& seat) const {
    if (seat.how.strategy == Restart::Strategy::one_for_one) return true;
    return std::ranges::none_of(seats_, [&](const auto& entry) {
        const Seat& other = entry.second;
        if (&other == &seat || !is_same_group(other, seat)) return false;
        if (other.state == Seat::ends || other.state == Seat::settles) return true;
        return other.state == Seat::waits && other.order < seat.order && !other.due.has_passed(*clock_);
    });
}

std::vector<ActorNumber> Restarts::due() const {
    std::vector<const Seat*> seats;
    for (const auto& [number, seat] : seats_)
        if (seat.state == Seat::waits && seat.due.has_passed(*clock_) && may_begin(seat)) seats.push_back(&seat);
    std::ranges::sort(seats, {}, &Seat::order);
    std::vector<ActorNumber> numbers;
    for (const Seat* seat : seats) numbers.push_back(seat->life.number);
    return numbers;
}

Deadline Restarts::next() const noexcept {
    Deadline next = Deadline::never();
    for (const auto& [number, seat] : seats_)
        if (seat.state == Seat::waits && may_begin(seat)) next = next.or_earlier(seat.due);
    return next;
}

void Restarts::begun(ActorNumber number, ActorId life) noexcept {
    Seat& seat = seats_.at(number);
    seat.life = life;
    seat.state = Seat::lives;
    seat.due = Deadline::never();
    seat.begun = clock_->now();
    seat.held_since = {};
    ++seat.restarts;
}

void Restarts::put_off(ActorNumber number, Duration by) noexcept {
    Seat& seat = seats_.at(number);
    seat.state = Seat::waits;
    seat.due = Deadline::in(*clock_, by);
    if (seat.held_since == Instant{}) seat.held_since = clock_->now();
}

}  // namespace baton::detail::coordinator
