#include "actors/sync/kept/barrier.hpp"

#include <algorithm>

namespace baton::sync::kept {

namespace {

bool holds(const std::vector<ActorId>& list, ActorId who) { return std::ranges::find(list, who) != list.end(); }

}  // namespace

Barrier::Barrier(std::string name, std::uint64_t parties, std::vector<Party> members, bool has_action)
    : Primitive(kind_name, std::move(name)),
      parties_(members.empty() ? parties : members.size()),
      has_action_(has_action) {
    for (const Party& member : members) members_.push_back(member.id);
}

bool Barrier::has_come(ActorId who) const noexcept { return holds(come_, who); }

void Barrier::arrive(const Party& who, Wakes& wakes) {
    if (!broken_.empty()) return wakes.refuse(who.id, broken_);
    if (!members_.empty() && !holds(members_, who.id))
        return wakes.refuse(who.id, fmt::format("{} is not a member of {}", who.name, to_text()));
    if (runner_) {
        early_.push_back(who.id);
        return;
    }
    come_.push_back(who.id);
    open_when_full(wakes);
}

void Barrier::open_when_full(Wakes& wakes) {
    if (come_.size() < parties_) return;
    if (!has_action_) return open({}, wakes);
    runner_ = come_.back();
    wakes.grant(*runner_, {.index = come_.size() - 1, .runs_action = true});
}

void Barrier::open(ActorId except, Wakes& wakes) {
    for (std::size_t index = 0; index < come_.size(); ++index)
        if (come_[index] != except) wakes.grant(come_[index], {.index = index});
    runner_.reset();
    come_ = std::exchange(early_, {});
    open_when_full(wakes);
}

Result<void> Barrier::action_done(const Party& who, const std::string& error, Wakes& wakes) {
    if (runner_ != who.id)
        return Error{ErrorKind::refused,
                     !broken_.empty() ? broken_ : fmt::format("{} does not run the action of {}", who.name, to_text())};
    if (!error.empty()) {
        break_because(fmt::format("its action failed in {}: {}", who.name, error), wakes);
        return {};
    }
    open(who.id, wakes);
    return {};
}

void Barrier::reset(const Party& who, Wakes& wakes) {
    refuse_all(fmt::format("{} was reset by {}", to_text(), who.name), wakes);
    broken_.clear();
    if (members_.empty()) return;
    for (const ActorId dead : std::exchange(dead_members_, {})) std::erase(members_, dead);
    parties_ = members_.size();
    if (members_.empty()) broken_ = fmt::format("{} has no member that is alive", to_text());
}

void Barrier::abort(const Party& who, Wakes& wakes) { break_because(fmt::format("{} aborted it", who.name), wakes); }

void Barrier::break_because(std::string reason, Wakes& wakes) {
    broken_ = fmt::format("{} is broken: {}", to_text(), reason);
    refuse_all(broken_, wakes);
}

void Barrier::refuse_all(const std::string& text, Wakes& wakes) {
    for (const ActorId who : come_)
        if (runner_ != who) wakes.refuse(who, text);
    for (const ActorId who : early_) wakes.refuse(who, text);
    come_.clear();
    early_.clear();
    runner_.reset();
}

void Barrier::withdraw(const Party& who, Given, Wakes& wakes) {
    // A client that was let through has been here: the others went on because of that.
    if (!has_come(who.id) && !holds(early_, who.id)) return;
    std::erase(early_, who.id);
    if (runner_ != who.id) std::erase(come_, who.id);
    break_because(fmt::format("{} gave up waiting", who.name), wakes);
}

void Barrier::bury(const Party& dead, const std::string& how, Wakes& wakes) {
    const bool is_member = holds(members_, dead.id);
    if (is_member) dead_members_.push_back(dead.id);
    if (!is_member && !has_come(dead.id) && !holds(early_, dead.id)) return;
    std::erase(early_, dead.id);
    if (runner_ != dead.id) std::erase(come_, dead.id);
    if (broken_.empty()) break_because(how, wakes);
}

WaitsFor Barrier::waits_for(ActorId) const {
    const std::string text = fmt::format("waits at {} for", to_text());
    if (runner_) return {{*runner_}, text};
    WaitsFor missing{{}, text};
    for (const ActorId member : members_)
        if (!has_come(member)) missing.whom.push_back(member);
    return missing;
}

}  // namespace baton::sync::kept
