#include "actors/coordinator/members.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace baton::detail::coordinator {

Result<ActorId> Members::new_id(const std::function<bool(std::uint32_t)>& is_taken) {
    // Round and round, so that a number comes back as late as possible.
    for (std::uint32_t tries = 0; tries < limits::actors_max; ++tries) {
        last_number_ = last_number_ >= limits::actors_max ? coordinator_id.number + 1 : last_number_ + 1;
        if (living_.contains(last_number_) || is_taken(last_number_)) continue;
        return ActorId{last_number_, ++incarnations_[last_number_]};
    }
    return Error{ErrorKind::overloaded, fmt::format("the session holds {} actors already (limits::actors_max)",
                                                    limits::actors_max - 1)};
}

Member& Members::add(std::unique_ptr<Member> member) {
    names_[member->name] = member->id;
    return *(living_[member->id.number] = std::move(member));
}

std::unique_ptr<Member> Members::remove(ActorId id, RosterRow last_row) {
    const auto found = living_.find(id.number);
    std::unique_ptr<Member> member = std::move(found->second);
    living_.erase(found);
    names_.erase(member->name);
    exit_numbers_[id] = exits_forgotten_ + past_.size();
    past_.push_back({std::move(last_row), member->parent});
    if (past_.size() > limits::exits_kept_max) {
        exit_numbers_.erase(past_.front().row.actor.id);
        past_.pop_front();
        ++exits_forgotten_;
    }
    return member;
}

Member* Members::find(ActorId id) noexcept {
    const auto found = living_.find(id.number);
    return found != living_.end() && found->second->id == id ? found->second.get() : nullptr;
}

Member* Members::find(std::string_view name) noexcept {
    const auto found = names_.find(std::string(name));
    return found == names_.end() ? nullptr : find(found->second);
}

Member* Members::find(Link link) noexcept {
    const auto found = std::ranges::find(living_, link, [](const auto& entry) { return entry.second->link; });
    return found == living_.end() ? nullptr : found->second.get();
}

const Past* Members::find_past(ActorId id) const noexcept {
    const auto found = exit_numbers_.find(id);
    return found == exit_numbers_.end() ? nullptr : &past_[found->second - exits_forgotten_];
}

const Past* Members::find_past(std::string_view name) const noexcept {
    const auto found =
        std::ranges::find(past_, name, [](const Past& past) -> std::string_view { return past.row.name; });
    return found == past_.end() ? nullptr : &*found;
}

std::string Members::free_name(const std::string& wanted) const {
    std::string name = wanted;
    for (std::size_t number = 2; is_taken(name); ++number) name = fmt::format("{}-{}", wanted, number);
    return name;
}

std::vector<Member*> Members::family_of(ActorId id) {
    std::vector<Member*> family;
    if (Member* head = find(id); head != nullptr) family.push_back(head);
    // Numbers of later lives may be smaller than their parents': go round until nobody is new.
    for (std::size_t index = 0; index < family.size(); ++index)
        for (auto& [number, member] : living_)
            if (member->parent == family[index]->id) family.push_back(member.get());
    return family;
}

}  // namespace baton::detail::coordinator
