// Links: actors that end together. model/takeover.md states the protocol (L).
#include <algorithm>

#include "actors/coordinator/coordinator_actor.hpp"
#include "runtime/base/crash_point.hpp"

namespace baton::detail::coordinator {
namespace {

bool names(const Member& member, ActorId other) {
    return std::ranges::find(member.links, other) != member.links.end();
}

}  // namespace

// nullptr if it has ended.
Result<Member*> Coordinator::linkable(const AnyRef& actor) {
    if (Result<void> ours = loop_->require_ours(actor); !ours) return ours.error();
    Member* const member = members_.find(actor.id);
    const bool is_started_here = member == nullptr ? actor.id != coordinator_id : !member->is_outsider();
    if (!is_started_here)
        return Error{ErrorKind::refused,
                     fmt::format("{} can't be linked: it was not started by the coordinator, so it can't be made to "
                                 "end with another. Watch the other one instead (watch, sentinel)",
                                 member == nullptr ? coordinator_name : member->name)};
    if (member == nullptr && !members_.has_lived(actor.id))
        return gone(fmt::format("no actor {} in this session", to_string(actor.id)));
    return member;
}

void Coordinator::on(const LinkActors& command, Answer<std::monostate> answer) {
    const Result<Member*> one = linkable(command.one);
    if (!one) return answer.fail(one.error());
    const Result<Member*> other = linkable(command.other);
    if (!other) return answer.fail(other.error());
    const ActorId first = command.one.id;
    const ActorId second = command.other.id;
    if (first == second)
        return answer.fail(Error{ErrorKind::refused, "an actor can't be linked with itself: name two actors"});
    if (*one == nullptr || *other == nullptr) {
        if (*one != nullptr) end_for(second, {first});
        if (*other != nullptr) end_for(first, {second});
        return answer.reply({});
    }
    Member& member = **one;
    if (names(member, second) || names(**other, first)) return answer.reply({});
    if (member.links.size() == limits::links_max)
        return answer.fail(Error{ErrorKind::overloaded,
                                 fmt::format("{} is linked with {} others already (limits::links_max): name it second, "
                                             "or unlink some",
                                             member.name, limits::links_max)});
    member.links.push_back(second);
    records_->write(member);
    pass_crash_point(CrashPoint::link_recorded);
    answer.reply({});
}

void Coordinator::on(const UnlinkActors& command, Answer<std::monostate> answer) {
    for (const AnyRef& actor : {command.one, command.other})
        if (Result<void> ours = loop_->require_ours(actor); !ours) return answer.fail(ours.error());
    const auto forget = [this](ActorId actor, ActorId partner) {
        Member* const member = members_.find(actor);
        if (member != nullptr && std::erase(member->links, partner) > 0) records_->write(*member);
    };
    forget(command.one.id, command.other.id);
    pass_crash_point(CrashPoint::link_undone);
    forget(command.other.id, command.one.id);
    answer.reply({});
}

// Partners of one that has ended: those that it had named, and those that name it. Before its record is free, so that a
// coordinator that takes over finds them.
void Coordinator::stop_linked(ActorId dead, const std::vector<ActorId>& named) {
    std::vector<ActorId> linked = named;
    for (const auto& [number, member] : members_.living())
        if (names(*member, dead)) linked.push_back(member->id);
    end_for(dead, std::move(linked));
}

// Those that are to stop for another reason do so for that one.
void Coordinator::end_for(ActorId dead, std::vector<ActorId> linked) {
    std::erase_if(linked, [this](ActorId one) {
        const Member* const member = members_.find(one);
        return member == nullptr || !member->stop.until.is_never();
    });
    if (linked.empty() || is_closing_) return;
    for (const ActorId one : linked) {
        Member* const member = members_.find(one);
        member->linked_end = dead;
        loop_->log().info("link.ends", "name={} with={}", member->name, to_string(dead));
    }
    stopping_.begin(std::move(linked), Deadline::in(loop_->clock(), setting_.stop_deadline), false, {});
}

}  // namespace baton::detail::coordinator
