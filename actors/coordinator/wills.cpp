// What the coordinator does so that heirs receive what dead owners have left to them (decision 0030).
#include <algorithm>

#include "actors/coordinator/coordinator_actor.hpp"
#include "actors/coordinator/notify.hpp"
#include "runtime/inbox/access.hpp"

namespace baton::detail::coordinator {
namespace {

// Between two looks whether leases have been dropped and heirs have come.
constexpr Duration wills_interval = std::chrono::milliseconds{50};

}  // namespace

// How an heir stands that a dead owner has named. An actor that has ended has no next life: nobody is restarted.
HeirStanding Coordinator::find_heir(ActorId owner, std::uint64_t heir) const {
    ActorId life{static_cast<std::uint32_t>(heir >> 32), static_cast<std::uint32_t>(heir)};
    if (heir == next_life_heir) {
        // Any later one: the next one may have died as well.
        const Seat* const seat = restarts_.find(owner);
        if (seat == nullptr) return {};
        if (seat->life == owner || seat->is_between_lives()) return {HeirStanding::Kind::to_come, {}};
        life = seat->life;
    }
    const Member* const member = members_.find(life);
    if (member == nullptr) return {};
    // It is told over its control lane, once it has one.
    return {member->link.is_some() ? HeirStanding::Kind::here : HeirStanding::Kind::to_come, member->id};
}

void Coordinator::carry_out_wills() {
    next_look_at_wills_ = Deadline::never();
    if (is_closing_) return;  // all segments end with the session
    const auto tell = [this](const LeftSegments::Offer& offer) {
        const Member* const heir = members_.find(offer.heir);
        if (heir == nullptr) return;
        const Past* const past = members_.find_past(offer.notes.by);
        notice::Inherited said{offer.slot, offer.epoch, offer.layout.type, offer.layout.shape, offer.label,
                                 offer.notes.was_written, AnyRef{offer.notes.by},
                                 past == nullptr ? to_string(offer.notes.by) : past->row.name};
        loop_->log().info("segment.left", "from={} to={} label='{}'", said.name, heir->name, offer.label);
        notify(*loop_, *heir, said);
    };
    estate_->carry_out_wills([this](ActorId owner, std::uint64_t heir) { return find_heir(owner, heir); }, tell,
                             [this](const LeftSegments::Unclaimed& one) { report_unclaimed(one); });
    tell_mended();
    next_look_at_wills_ =
        estate_->has_open_wills() ? Deadline::in(loop_->clock(), wills_interval) : Deadline::never();
}

// Once, whichever coordinator comes to it.
void Coordinator::report_unclaimed(const LeftSegments::Unclaimed& one) {
    if (!unclaimed_.emplace(one.slot, one.epoch).second) return;
    if (!records_->journal().write_unclaimed(one))
        loop_->log().warn("unclaimed.unrecorded", "label='{}' no memory is left for the journal", one.label);
    note_unclaimed(one);
    const Past* const past = members_.find_past(one.owner);
    loop_->log().warn("segment.unclaimed", "from={} label='{}' bytes={}: released, no heir lives and wants it",
                      past == nullptr ? to_string(one.owner) : past->row.name, one.label, one.bytes);
}

// In the exit of the owner: those of one label together.
void Coordinator::note_unclaimed(const LeftSegments::Unclaimed& one) {
    Past* const past = members_.find_past(one.owner);
    if (past == nullptr) return;
    std::vector<baton::detail::Unclaimed>& all = past->row.exit.unclaimed;
    auto found = std::ranges::find(all, one.label, &baton::detail::Unclaimed::label);
    if (found == all.end() && all.size() >= limits::unclaimed_told_max) found = all.end() - 1;
    if (found == all.end()) found = all.insert(all.end(), {one.label, 0, 0});
    ++found->segments;
    found->bytes += one.bytes;
}

void Coordinator::on(const Decline& command, Answer<std::monostate> answer) {
    const Result<Member*> member = sender(answer.asker(), Access::link(answer));
    if (!member) return answer.fail(member.error());
    if (estate_->decline((*member)->id, command.slot, command.epoch)) carry_out_wills();
    answer.reply({});
}

}  // namespace baton::detail::coordinator
