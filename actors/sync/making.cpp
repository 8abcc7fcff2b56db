// What the keeper does when it is asked to keep something more, or no longer.
#include <algorithm>

#include "actors/sync/kept/barrier.hpp"
#include "actors/sync/kept/channel.hpp"
#include "actors/sync/kept/condition.hpp"
#include "actors/sync/kept/event.hpp"
#include "actors/sync/kept/latch.hpp"
#include "actors/sync/kept/queue.hpp"
#include "actors/sync/kept/semaphore.hpp"
#include "actors/sync/sync_actor.hpp"

namespace baton::sync {

using kept::Party;

Result<void> SyncActor::require_room(std::string_view kind, const std::string& name, std::size_t count) const {
    if (name.size() > limits::name_bytes_max)
        return Error{ErrorKind::refused,
                     fmt::format("the name of a {} has at most {} bytes (limits::name_bytes_max), this has {}", kind,
                                 limits::name_bytes_max, name.size())};
    if (kept_.size() + count <= limits::primitives_max) return {};
    return Error{ErrorKind::overloaded,
                 fmt::format("{} '{}' was not made: {} keeps {} primitives already "
                             "(limits::primitives_max); remove those that nobody uses any more, or spawn "
                             "another keeper",
                             kind, name, context_->name(), kept_.size())};
}

Address SyncActor::keep(Kept kept) {
    const auto [place, is_new] = kept_.emplace(++last_number_, std::move(kept));
    return {context_->self<Protocol>(), last_number_, place->second.primitive->name()};
}

Result<SyncActor::Kept> SyncActor::with_lock(std::string_view kind, std::string name) {
    if (Result<void> room = require_room(kind, name); !room) return room.error();
    Result<Cells::Cell> cell = cells_.fresh();
    if (!cell) return cell.error();
    const kept::Lock::Outside outside{
        [this](ActorId who) { return clients_.contains(who); },
        [this](kept::Lock& lock) { resting_.push_back({&lock, context_->now() + limits::lock_rest}); }};
    return Kept{std::make_unique<kept::Lock>(std::move(name), cells_.word(*cell, lock_place), outside, kind), *cell};
}

Result<Address> SyncActor::on(MakeLock command) {
    Result<Kept> lock = with_lock(kept::Lock::kind_name, std::move(command.name));
    if (!lock) return lock.error();
    return keep(std::move(*lock));
}

Result<Address> SyncActor::on(MakeValue command) {
    Result<Kept> value = with_lock("value", std::move(command.name));
    if (!value) return value.error();
    cells_.word(*value->cell, value_place).store(command.initial);
    return keep(std::move(*value));
}

Result<Address> SyncActor::on(MakeArray command) {
    Result<Segment> elements = context_->create_as({command.type, {command.length}});
    if (!elements) return elements.error();
    std::ranges::fill(elements->bytes(), std::byte{0});
    Result<Loan> lent = context_->lend(std::move(*elements));
    if (!lent) return lent.error();
    Result<Kept> array = with_lock("array", std::move(command.name));
    if (!array) return array.error();
    array->elements = std::move(*lent);
    return keep(std::move(*array));
}

Result<Address> SyncActor::on(MakeCondition command) {
    if (Result<void> room = require_room("condition", command.name); !room) return room.error();
    Result<kept::Lock*> lock = find_as<kept::Lock>(command.lock);
    if (!lock) return lock.error();
    return keep({std::make_unique<kept::Condition>(std::move(command.name), **lock)});
}

Result<Address> SyncActor::on(MakeEvent command) {
    if (Result<void> room = require_room("event", command.name); !room) return room.error();
    return keep({std::make_unique<kept::Event>(std::move(command.name))});
}

Result<Address> SyncActor::on(MakeSemaphore command) {
    if (Result<void> room = require_room("semaphore", command.name); !room) return room.error();
    return keep({std::make_unique<kept::Semaphore>(std::move(command.name), command.permits, command.is_bounded)});
}

Result<Address> SyncActor::on(MakeBarrier command) {
    if (Result<void> room = require_room("barrier", command.name); !room) return room.error();
    if (command.parties == 0 && command.members.empty())
        return Error{ErrorKind::refused, fmt::format("barrier '{}' needs at least one party or member", command.name)};
    std::vector<Party> members;
    for (const AnyRef& one : command.members) {
        Result<Client*> member = clients_.meet(one);
        if (!member) return member.error();
        members.push_back((*member)->party);
    }
    return keep({std::make_unique<kept::Barrier>(std::move(command.name), command.parties, std::move(members),
                                                 command.has_action)});
}

Result<Address> SyncActor::on(MakeLatch command) {
    if (Result<void> room = require_room("latch", command.name); !room) return room.error();
    return keep({std::make_unique<kept::Latch>(std::move(command.name), command.count)});
}

Result<Address> SyncActor::on(MakeQueue command) {
    if (Result<void> room = require_room("queue", command.name); !room) return room.error();
    if (command.bound == 0 || command.bound > limits::queue_items_max)
        return Error{ErrorKind::refused, fmt::format("queue '{}' holds 1 to {} items (limits::queue_items_max), not {}",
                                                     command.name, limits::queue_items_max, command.bound)};
    return keep({std::make_unique<kept::Queue>(std::move(command.name), command.bound)});
}

Result<Ends> SyncActor::on(MakeChannel command) {
    if (Result<void> room = require_room("channel", command.name, 2); !room) return room.error();
    if (command.bound == 0 || command.bound > limits::queue_items_max)
        return Error{ErrorKind::refused,
                     fmt::format("channel '{}' holds 1 to {} items (limits::queue_items_max), not {}", command.name,
                                 limits::queue_items_max, command.bound)};
    auto [first, second] = kept::ChannelEnd::make(command.name, command.bound);
    Ends ends;
    ends.first = keep({std::move(first)});
    ends.second = keep({std::move(second)});
    return ends;
}

// ---- the end of one ----------------------------------------------------------------------------------

Result<void> SyncActor::let_go(kept::Primitive& primitive) {
    auto* const lock = dynamic_cast<kept::Lock*>(&primitive);
    if (lock == nullptr) return {};
    for (const auto& [number, other] : kept_)
        if (const auto* condition = dynamic_cast<kept::Condition*>(other.primitive.get());
            condition != nullptr && condition->is_of(*lock))
            return Error{ErrorKind::refused, fmt::format("{} can't be removed: {} is one of it; remove that first",
                                                         lock->to_text(), condition->to_text())};
    if (!lock->close())
        return Error{ErrorKind::refused,
                     fmt::format("{} can't be removed: {} holds it", lock->to_text(), clients_.name_of(lock->owner()))};
    std::erase_if(resting_, [lock](const Resting& one) { return one.lock == lock; });
    return {};
}

std::string SyncActor::removed_text(std::uint32_t number) const {
    const auto told = std::ranges::find(removed_, number, &Removed::number);
    if (told != removed_.end()) return told->text;
    return fmt::format("{} keeps number {} no longer: it was removed", context_->name(), number);
}

void SyncActor::drop(std::uint32_t number, const Error& why) {
    kept_.at(number).primitive->forget_waits();
    removed_.push_back({number, why.text});
    if (removed_.size() > limits::removed_told_max) removed_.pop_front();
    for (auto& [id, client] : clients_.all()) {
        if (client.last.number == number) client.last = {};
        if (!client.waiting || client.waiting->number != number) continue;
        Client::Waiting waiting = std::move(*client.waiting);
        client.waiting.reset();
        waiting.answer.fail(why);
    }
    const auto kept = kept_.find(number);
    if (kept->second.cell) cells_.end(*kept->second.cell);
    kept_.erase(kept);
}

Result<Nothing> SyncActor::on(const Remove& command) {
    Result<Kept*> kept = find(command.number);
    if (!kept) return kept.error();
    kept::Primitive& primitive = *(*kept)->primitive;
    if (Result<void> free = let_go(primitive); !free) return free.error();
    const Error gone{ErrorKind::gone,
                     fmt::format("{} was removed by {}", primitive.to_text(), clients_.name_of(context_->sender().id))};
    const auto other = std::ranges::find_if(kept_, [&](const auto& entry) {
        const auto* end = dynamic_cast<kept::ChannelEnd*>(entry.second.primitive.get());
        return end != nullptr && end->is_other_end_of(primitive);
    });
    if (other != kept_.end()) drop(other->first, gone);
    drop(command.number, gone);
    return Nothing{};
}

}  // namespace baton::sync
