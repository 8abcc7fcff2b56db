#include "actors/coordinator/members.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace baton::detail::coordinator {

// As many as one exit tells; the others are added up.
void Past::add_lost(const std::string& to, std::uint64_t count) {
    std::map<std::string, std::uint64_t>& lost = row.exit.lost;
    const bool has_room = lost.size() < limits::dead_letters_told_max || lost.contains(to);
    std::uint64_t& sum = lost[has_room ? to : std::string()];
    sum += std::min(count, ~sum);
}

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
    Member& added = *(living_[member->id.number] = std::move(member));
    names_[added.name] = added.id;
    if (!added.address.empty()) addresses_.try_emplace(added.address, added.id);
    if (added.parent.is_somebody()) families_[added.parent].insert(added.id);
    if (!added.is_outsider()) ++awaited_;
    if (!added.is_outsider() && added.pid != 0) children_.insert(static_cast<pid_t>(added.pid));
    if (added.state == Member::State::starting) ++starting_;
    return added;
}

void Members::connect(Member& member, Link link, std::string address) {
    if (!member.is_outsider() && !member.link.is_some()) --awaited_;
    member.has_joined = true;
    member.link = link;
    member.address = std::move(address);
    links_[link] = member.id;
    if (!member.address.empty()) addresses_[member.address] = member.id;
}

void Members::set_state(Member& member, Member::State state) noexcept {
    if (member.state == Member::State::starting) --starting_;
    member.state = state;
    if (member.state == Member::State::starting) ++starting_;
}

void Members::set_spawn_deadline(Member& member, Deadline deadline) {
    spawn_deadlines_.erase({member.spawn_deadline.at(), member.id});
    member.spawn_deadline = deadline;
    if (!deadline.is_never()) spawn_deadlines_.insert({deadline.at(), member.id});
}

std::unique_ptr<Member> Members::take_out(ActorId id) {
    const auto found = living_.find(id.number);
    set_spawn_deadline(*found->second, Deadline::never());
    std::unique_ptr<Member> member = std::move(found->second);
    living_.erase(found);
    names_.erase(member->name);
    if (member->state == Member::State::starting) --starting_;
    if (!member->is_outsider() && !member->link.is_some()) --awaited_;
    if (!member->is_outsider()) children_.erase(static_cast<pid_t>(member->pid));
    if (member->link.is_some()) links_.erase(member->link);
    if (const auto at = addresses_.find(member->address); at != addresses_.end() && at->second == id)
        addresses_.erase(at);
    if (const auto family = families_.find(member->parent); family != families_.end()) {
        family->second.erase(id);
        if (family->second.empty()) families_.erase(family);
    }
    return member;
}

std::unique_ptr<Member> Members::remove(ActorId id, RosterRow last_row) {
    std::unique_ptr<Member> member = take_out(id);
    if (find_past(id) == nullptr) remember({std::move(last_row), member->parent, member->spawn_request});
    return member;
}

std::unique_ptr<Member> Members::undo(ActorId id) { return take_out(id); }

void Members::remember(Past past) {
    exit_numbers_[past.row.actor.id] = exits_forgotten_ + past_.size();
    past_.push_back(std::move(past));
    if (past_.size() > limits::exits_kept_max) {
        exit_numbers_.erase(past_.front().row.actor.id);
        past_.pop_front();
        ++exits_forgotten_;
    }
}

void Members::remember_life(ActorId id) noexcept {
    if (id.number < incarnations_.size()) incarnations_[id.number] = std::max(incarnations_[id.number], id.incarnation);
}

void Members::set_process(Member& member, pid_t pid, ProcessHandle process) {
    member.pid = static_cast<std::uint64_t>(pid);
    member.process = std::move(process);
    if (!member.is_outsider()) children_.insert(pid);
    if (const int number = std::exchange(member.signal_at_start, 0); number != 0)
        static_cast<void>(member.send_signal(number));
}

Result<void> Member::send_signal(int number) {
    if (process.is_open()) return process.signal(number);
    if (pid != 0) return Error{ErrorKind::gone, fmt::format("{} (pid {}) has ended, or cannot be watched", name, pid)};
    signal_at_start = number;
    return {};
}

Member* Members::started_by(const Request& request) noexcept {
    for (const auto& [number, member] : living_)
        if (member->spawn_request == request) return member.get();
    return nullptr;
}

const Past* Members::past_started_by(const Request& request) const noexcept {
    const auto found = std::ranges::find(past_, request, &Past::spawn_request);
    return found == past_.end() ? nullptr : &*found;
}

Member* Members::joined_with(std::uint64_t token) noexcept {
    for (const auto& [number, member] : living_)
        if (member->token == token && member->is_outsider()) return member.get();
    return nullptr;
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
    const auto found = links_.find(link);
    return found == links_.end() ? nullptr : find(found->second);
}

Member* Members::at_address(const std::string& address) noexcept {
    const auto found = addresses_.find(address);
    return found == addresses_.end() ? nullptr : find(found->second);
}

Deadline Members::next_spawn_deadline() const noexcept {
    return spawn_deadlines_.empty() ? Deadline::never() : Deadline{spawn_deadlines_.begin()->first};
}

std::vector<Member*> Members::late_spawns(const Clock& clock) {
    std::vector<Member*> late;
    const Instant now = clock.now();
    for (const auto& [at, id] : spawn_deadlines_) {
        if (at > now) break;
        if (Member* member = find(id); member != nullptr) late.push_back(member);
    }
    return late;
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

std::vector<ActorId> Members::children_of(ActorId id) const {
    const auto found = families_.find(id);
    return found == families_.end() ? std::vector<ActorId>{}
                                    : std::vector<ActorId>(found->second.begin(), found->second.end());
}

std::vector<Member*> Members::family_of(ActorId id) {
    std::vector<Member*> family;
    if (Member* head = find(id); head != nullptr) family.push_back(head);
    for (std::size_t index = 0; index < family.size(); ++index)
        for (const ActorId child : children_of(family[index]->id))
            if (Member* member = find(child); member != nullptr) family.push_back(member);
    return family;
}

}  // namespace baton::detail::coordinator
