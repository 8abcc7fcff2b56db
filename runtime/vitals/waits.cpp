// The waits of actors, as their rows tell them, and which of them can never end (docs/decisions/0012).
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "runtime/vitals/vitals.hpp"

namespace baton::detail {

using For = WaitEdge::For;

std::vector<WaitEdge> find_circle(const std::vector<WaitEdge>& waits) {
    std::map<ActorId, const WaitEdge*> stuck;
    for (const WaitEdge& wait : waits) stuck.emplace(wait.who, &wait);

    const auto is_stuck = [&](ActorId who) { return stuck.contains(who); };
    const auto can_go_on = [&](const auto& entry) { return std::ranges::none_of(entry.second->whom, is_stuck); };
    while (std::erase_if(stuck, can_go_on) > 0) {
    }
    if (stuck.empty()) return {};

    // Everybody stuck waits for somebody stuck, so this walk comes back to where it has been.
    std::vector<WaitEdge> walk;
    ActorId at = stuck.begin()->first;
    for (;;) {
        const auto seen = std::ranges::find(walk, at, &WaitEdge::who);
        if (seen != walk.end()) return {seen, walk.end()};
        walk.push_back(*stuck.at(at));
        at = *std::ranges::find_if(walk.back().whom, is_stuck);
    }
}

std::string text_of_circle(const std::vector<WaitEdge>& circle, const std::function<std::string(ActorId)>& name_of) {
    std::string text;
    for (std::size_t at = 0; at < circle.size(); ++at) {
        const WaitEdge& wait = circle[at];
        const std::string who = name_of(wait.who);
        const std::string next = name_of(circle[(at + 1) % circle.size()].who);
        if (at > 0) text += ", ";
        switch (wait.what) {
            case For::answer: text += fmt::format("{} waits for an answer of {}", who, next); break;
            case For::room: text += fmt::format("{} waits for room in the full inbox of {}", who, next); break;
            case For::kept_answer:
                text += fmt::format("{} waits for an answer that {} keeps until {} goes on", who, name_of(wait.keeper),
                                    next);
                break;
            case For::primitive: text += fmt::format("{} {} {}", who, wait.text, next); break;
        }
    }
    return text;
}

// ---- what the rows say -------------------------------------------------------------------------------

std::optional<Vitals::Wait> Vitals::wait_of(ActorId actor) const noexcept {
    const VitalsRow* row = row_of(actor);
    if (row == nullptr) return std::nullopt;
    const std::uint64_t whom = row->waits.asks.load(std::memory_order_acquire);
    if (whom == 0) return std::nullopt;
    return Wait{unpacked(whom), row->waits.ask.load(std::memory_order_acquire)};
}

std::optional<Vitals::Wait> Vitals::room_wait_of(ActorId actor) const noexcept {
    const VitalsRow* row = row_of(actor);
    if (row == nullptr) return std::nullopt;
    const std::uint64_t whom = row->waits.room_of.load(std::memory_order_acquire);
    if (whom == 0) return std::nullopt;
    return Wait{unpacked(whom), row->waits.room_seen.load(std::memory_order_acquire)};
}

std::optional<WaitEdge> Vitals::edge_of(ActorId who) const {
    // A wait for room within a wait for an answer, of somebody who sends while being told of an exit, is the inner one.
    if (const std::optional<Wait> room = room_wait_of(who); room)
        return WaitEdge{who, {room->whom}, For::room, room->ask};
    const std::optional<Wait> wait = wait_of(who);
    if (!wait) return std::nullopt;
    const ActorId keeper = wait->whom;
    const VitalsRow* row = row_of(keeper);
    const Traffic* traffic = row == nullptr ? nullptr : find_traffic(*row, who);
    // One that waits itself has to go on first, whatever it has said before.
    if (traffic != nullptr && !wait_of(keeper) && !room_wait_of(keeper) &&
        traffic->kept_ask.load(std::memory_order_acquire) == wait->ask) {
        const ActorId whom = unpacked(traffic->kept_for.load(std::memory_order_acquire));
        const std::uint64_t seen = row->work.taken_ever.load(std::memory_order_acquire);
        return WaitEdge{who, {whom}, For::kept_answer, wait->ask, keeper, seen};
    }
    return WaitEdge{who, {keeper}, For::answer, wait->ask};
}

namespace {

// True if `receiver` has taken a command of `sender` since that found it full.
bool has_made_room(const Vitals& vitals, ActorId receiver, ActorId sender, std::uint64_t taken_then) noexcept {
    const VitalsRow* row = vitals.row_of(receiver);
    if (row == nullptr) return true;
    const Traffic* traffic = vitals.find_traffic(*row, sender);
    return (traffic == nullptr ? 0 : traffic->taken_commands.load(std::memory_order_acquire)) != taken_then;
}

// True as well if it cannot be determined.
bool is_answer_on_its_way(const Vitals& vitals, ActorId from, ActorId to) noexcept {
    const VitalsRow* giver = vitals.row_of(from);
    const VitalsRow* asker = vitals.row_of(to);
    if (giver == nullptr || asker == nullptr || giver->life.is_kept.load(std::memory_order_relaxed) == 0) return true;
    const Traffic* asked = vitals.find_traffic(*asker, from);
    if (asked == nullptr || giver->waits.uncounted.load(std::memory_order_acquire) != 0) return true;
    const Traffic* given = vitals.find_traffic(*giver, to);
    const std::uint32_t answered = given == nullptr ? 0 : given->answered.load(std::memory_order_acquire);
    return answered != asked->heard.load(std::memory_order_acquire);
}

// A command or an answer. True as well if it cannot be determined.
bool is_anything_on_its_way(const Vitals& vitals, ActorId from, ActorId to) noexcept {
    const VitalsRow* sender = vitals.row_of(from);
    const VitalsRow* receiver = vitals.row_of(to);
    if (sender == nullptr || receiver == nullptr || receiver->life.is_kept.load(std::memory_order_relaxed) == 0)
        return true;
    // One that lacked memory for a place may have sent what nobody counts.
    const auto is_lacking = [](const VitalsRow& row) { return row.peers.lacking.load(std::memory_order_acquire) > 0; };
    if (vitals.find_traffic(*sender, to) == nullptr && is_lacking(*sender)) return true;
    if (vitals.waiting(from, to) > 0) return true;
    const bool has_asked = vitals.find_traffic(*receiver, from) != nullptr || is_lacking(*receiver);
    return has_asked && is_answer_on_its_way(vitals, from, to);
}

// Nothing has come since that could end that wait, which another's, `next`, keeps from ending.
bool is_at_rest(const Vitals& vitals, const WaitEdge& wait, ActorId next, ActorId looker) noexcept {
    switch (wait.what) {
        case For::room: return !has_made_room(vitals, next, wait.who, wait.turn);
        case For::answer: return !is_answer_on_its_way(vitals, next, wait.who);
        case For::kept_answer: {
            const VitalsRow* keeper = vitals.row_of(wait.keeper);
            return keeper != nullptr && keeper->work.handled_ever.load(std::memory_order_acquire) == wait.seen &&
                   !is_answer_on_its_way(vitals, wait.keeper, wait.who) &&
                   !is_anything_on_its_way(vitals, next, wait.keeper);
        }
        case For::primitive: break;
    }
    // The one who keeps it knows that it has not answered, but not that somebody still waits for that.
    return vitals.wait_of(wait.who) == Vitals::Wait{looker, wait.turn} && !vitals.room_wait_of(wait.who) &&
           !is_anything_on_its_way(vitals, next, looker);
}

}  // namespace

std::vector<WaitEdge> Vitals::find_deadlock(std::vector<WaitEdge> waits, ActorId looker) const {
    std::vector<ActorId> known;
    for (const WaitEdge& wait : waits) known.push_back(wait.who);
    for (std::size_t index = 0; index < waits.size(); ++index) {
        const std::vector<ActorId> whom = waits[index].whom;
        for (const ActorId one : whom) {
            if (std::ranges::find(known, one) != known.end()) continue;
            known.push_back(one);
            std::optional<WaitEdge> edge = edge_of(one);
            if (edge && edge->whom.front() != looker) waits.push_back(std::move(*edge));
        }
    }
    std::vector<WaitEdge> circle = find_circle(waits);
    // An actor that is still in the same wait afterwards has been in it all the time, and has neither sent nor answered
    // nor taken anything in between.
    for (std::size_t at = 0; at < circle.size(); ++at)
        if (!is_at_rest(*this, circle[at], circle[(at + 1) % circle.size()].who, looker)) return {};
    const auto is_the_same = [&](const WaitEdge& wait) {
        return wait.what == For::primitive ? wait_of(wait.who) == Wait{looker, wait.turn} : edge_of(wait.who) == wait;
    };
    if (!std::ranges::all_of(circle, is_the_same)) return {};
    return circle;
}

std::vector<WaitEdge> Vitals::circle_of(ActorId actor) const {
    std::optional<WaitEdge> first = edge_of(actor);
    if (!first) return {};
    std::vector<WaitEdge> circle = find_deadlock({std::move(*first)}, {});
    const auto here = std::ranges::find(circle, actor, &WaitEdge::who);
    if (here == circle.end() || circle.size() > limits::circle_actors_max) return {};
    std::rotate(circle.begin(), here, circle.end());
    return circle;
}

}  // namespace baton::detail
