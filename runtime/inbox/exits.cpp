#include "runtime/inbox/exits.hpp"

#include <array>

#include <baton/detail/convert.hpp>

namespace baton::detail {

void Exits::take(notice::Exited exited) {
    // The coordinator that told it may have ended before it could note that.
    if (heard_.size() >= limits::exits_kept_max) heard_.clear();
    if (!heard_.insert(exited.actor.id).second) return;
    // What it had answered, and given with it, may still be on its way.
    const Peer* peer = peers_->find(exited.actor.id);
    if (peer != nullptr && peer->asks_in_flight > 0 && drains_.may_bring(exited.actor.id)) {
        late_.push_back({std::move(exited), Deadline::in(self_->clock(), limits::linger)});
        return;
    }
    forget(exited);
    if (taker_) untold_.push_back(std::move(exited));
}

void Exits::look() {
    if (drains_.any()) look_at_connections();
    if (!late_.empty()) take_late();
}

Deadline Exits::next_look(Serving serving) const noexcept {
    Deadline next = Deadline::never();
    if (drains_.any()) next = drains_.next_look(serving == Serving::commands);
    for (const Late& late : late_) next = next.or_earlier(late.at_latest);
    return next;
}

void Exits::look_at_connections() {
    drains_.look(self_->clock(), intake_->frames_taken(), [this](ActorId dead, pid_t pid) {
        const Peer* peer = peers_->find(dead);
        const auto speaker_over = [this, dead](Link link) {
            const ActorId speaker = intake_->speaker_of(link);
            if (speaker == dead) return Transport::Speaker::the_dead;
            const OwnVitals* const own = self_->own_vitals();
            const bool is_another = speaker.is_somebody() && own != nullptr && !own->has_exited(speaker);
            return is_another ? Transport::Speaker::another : Transport::Speaker::unknown;
        };
        return self_->transport().may_deliver({dead, pid, peer == nullptr ? Link{} : peer->link}, speaker_over);
    });
}

void Exits::take_late() {
    std::vector<Late> due;
    std::erase_if(late_, [&](Late& late) {
        if (drains_.may_bring(late.exited.actor.id) && !late.at_latest.has_passed(self_->clock())) return false;
        due.push_back(std::move(late));
        return true;
    });
    for (Late& late : due) {
        // Its connection has ended, so one look at the link shows all that came over it.
        if (const Peer* peer = peers_->find(late.exited.actor.id); peer != nullptr) {
            const std::array links{peer->link};
            static_cast<void>(self_->transport().wait({.links = links}, Duration::zero()));
        }
        forget(late.exited);
        if (taker_) untold_.push_back(std::move(late.exited));
    }
}

void Exits::forget(const notice::Exited& exited) {
    const ActorId id = exited.actor.id;
    const std::string why = fmt::format("{} has exited: {}", exited.name, to_text(exited.exit));
    peers_->remember_gone(id, why);
    if (Peer* peer = peers_->find(id); peer != nullptr) {
        replies_->take_all(peer->link);  // what it answered before it went counts
        asking_->settle_all_to(id, Error{ErrorKind::gone, why});
        self_->transport().close(peer->link, Transport::Pending::discarded);
        peers_->remove(id);
    }
    returns_->take_back_all(id, Error{ErrorKind::gone, why});
    intake_->forget(id);
}

void Exits::drop_all() {
    drains_ = {};
    late_.clear();
}

void Exits::tell() {
    while (!untold_.empty()) {
        notice::Exited exited = std::move(untold_.front());
        untold_.pop_front();
        const Handling handling{*self_};
        taker_(Ended{exited.actor, std::move(exited.name), std::move(exited.exit)});
    }
}

// Without waiting: if it can't be said now, or a watcher throws, it is said later.
void Exits::tell_drained(bool was_empty) {
    const Clock& clock = self_->clock();
    for (const ActorId dead : drains_.due(clock, was_empty, intake_->frames_taken())) {
        drains_.put_off(clock, dead);
        Buffer body;
        Encoder encoder{body};
        encode(encoder, coordinator::Drained{AnyRef{dead}});
        const Result<void> told =
            outbox_->send(coordinator_id, {.tag = command_name<coordinator::Drained>, .body = body},
                          Deadline::in(clock, Duration::zero()));
        if (!told && told.error().kind != ErrorKind::gone) continue;
        drains_.forget(dead);
        self_->transport().forget(dead);
    }
}

}  // namespace baton::detail
