// How a coordinator begins: with what the one before it has left. The first one of a session finds nothing.
#include <sys/epoll.h>

#include <algorithm>

#include "actors/coordinator/coordinator_actor.hpp"
#include "runtime/base/crash_point.hpp"

namespace baton::detail::coordinator {

Estate::Kept lives_before(const std::vector<RosterEntry>& entries, const RosterHeader& header) {
    Estate::Kept kept;
    for (const RosterEntry& entry : entries) {
        kept.highest = std::max(kept.highest, entry.id.number);
        if (entry.state == MemberRecord::settling) kept.settling.push_back(entry.id);
        else if (entry.is_alive()) kept.lives.push_back(entry.id);
    }
    kept.released_for_the_dead = header.released_for_the_dead.load(std::memory_order_relaxed);
    kept.mended = header.mended.load(std::memory_order_relaxed);
    return kept;
}

Result<void> Coordinator::take_over(const std::vector<RosterEntry>& entries, Journal::Kept kept) {
    const std::vector<LeftSegments::Unclaimed> unclaimed = std::move(kept.unclaimed);
    for (Past& past : kept.past)
        if (members_.find_past(past.row.actor.id) == nullptr) members_.remember(std::move(past));
    if (kept.in_doubt) account_for(*vitals_, kept.in_doubt->dead, kept.in_doubt->receiver);
    for (const LeftSegments::Unclaimed& one : unclaimed)
        if (unclaimed_.emplace(one.slot, one.epoch).second) note_unclaimed(one);
    const RosterHeader& header = records_->header();
    members_.remember_last_number(static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
        header.last_number.load(std::memory_order_relaxed), coordinator_id.number, limits::actors_max)));
    wave_ = header.wave.load(std::memory_order_relaxed);
    for (const RosterEntry& entry : entries) {
        members_.remember_life(entry.id);
        take_over_seat(entry);
        if (!entry.is_alive()) continue;
        const Member& member = take_over_member(entry, kept);
        // Before another stop gets that number.
        if (!records_->is_committed(entry)) records_->write(member);
    }
    // Those whose settling was begun come before any death is looked at that nobody has seen yet (model/takeover.md).
    for (const RosterEntry& entry : entries)
        if (entry.state == MemberRecord::settling) settle_exit(take_over_member(entry, kept), exit_of(entry.id));
    if (const std::uint64_t exit = header.scenario_exit.load(std::memory_order_relaxed); exit != 0)
        scenario_exit_code_ = static_cast<int>(exit - 1);
    settle_those_that_ended();
    estate_->take_back_offers();
    carry_out_wills();
    pass_crash_point(CrashPoint::takeover_settled);

    if (setting_.scenario && !scenario_exit_code_) {
        const Processes::Process process = anchor_->process(scenario_number);
        // If it has not been started, the one before us did not come so far, or its request was lost with it.
        if (process.state != AnchorRow::none) look_at_scenario();
        else if (Result<void> asked = anchor_->spawn(scenario_number, {}, *setting_.scenario); !asked)
            return asked.error();
        watch_requests();
    }
    go_on_stopping();
    look_at_anchor();
    return {};
}

// How the kernel says that it ended, if it was started from here.
std::optional<ExitStatus> Coordinator::exit_of(ActorId actor) const {
    const Processes::Process process = anchor_->process(actor.number);
    return process.life == actor && process.state == AnchorRow::exited ? std::optional{process.exit} : std::nullopt;
}

Member& Coordinator::take_over_member(const RosterEntry& entry, Journal::Kept& kept) {
    std::unique_ptr<Member> member = records_->member_of(entry);
    // A name, and the file of a socket, may be another's once an exit has been told.
    if (members_.is_taken(member->name)) member->name = members_.free_name(member->name);
    if (member->is_told) member->address.clear();
    for (auto& [id, letters] : kept.left)
        if (id == entry.id) member->left = std::move(letters);
    const Deadline spawn_deadline = std::exchange(member->spawn_deadline, Deadline::never());
    Member& added = members_.add(std::move(member));
    if (added.state == Member::State::starting) members_.set_spawn_deadline(added, spawn_deadline);
    if (entry.state == MemberRecord::settling || !added.is_outsider() || added.pid == 0) return added;
    // A pid alone may be another process's by now.
    Result<ProcessHandle> process = anchor_->open(static_cast<pid_t>(added.pid));
    const bool is_it = process && anchor_->start_ticks(static_cast<pid_t>(added.pid)) == added.start_ticks;
    // One that has ended is settled.
    if (is_it && watch(process->get(), packed(added.id))) added.process = std::move(*process);
    return added;
}

// While there was no coordinator, or before one had finished with them.
void Coordinator::settle_those_that_ended() {
    std::vector<ActorId> all;
    for (const auto& [number, member] : members_.living()) all.push_back(member->id);
    for (const ActorId id : all) {
        Member* const member = members_.find(id);
        if (member == nullptr) continue;
        if (member->is_outsider()) {
            const bool has_left = member->left.has_value();
            if (has_left || (member->pid != 0 && !member->process.is_open())) settle_exit(*member, std::nullopt);
            continue;
        }
        const Processes::Process process = anchor_->process(id.number);
        if (process.life != id || process.state == AnchorRow::none) {
            // Never started, and never will be: the request was lost with the coordinator that wrote it.
            undo_spawn(*member, Error{});
            continue;
        }
        // What the one before us had read of the anchor, and not recorded, is read again.
        if (member->pid != 0) members_.set_process(*member, process.pid, anchor_->handle_of(id.number));
        look_at_process(id.number);
    }
}

// What is recorded of stops goes on, with the time that it has left. Those that are to end earlier are in the waves of
// each stop, too: a wave waits for all before it.
void Coordinator::go_on_stopping() {
    std::map<std::pair<Instant, bool>, std::vector<ActorId>> stops;
    for (const auto& [number, member] : members_.living())
        if (!member->stop.until.is_never())
            stops[{member->stop.until.at(), member->stop.drains}].push_back(member->id);
    // Those whose parent has ended, and that nobody has told so.
    go_on_ending();
    std::vector<ActorId> orphans;
    for (const auto& [number, member] : members_.living())
        if (member->parent.is_somebody() && member->stop.until.is_never() &&
            members_.find(member->parent) == nullptr)
            orphans.push_back(member->id);
    if (!orphans.empty())
        stopping_.begin(std::move(orphans), Deadline::in(loop_->clock(), setting_.stop_deadline), false, {});
    std::vector<ActorId> all;
    for (const auto& [how, named] : stops) {
        all.insert(all.end(), named.begin(), named.end());
        stopping_.begin(all, Deadline{how.first}, how.second, {});
    }
    const std::int64_t closing = records_->header().closing_until.load(std::memory_order_relaxed);
    if (closing == 0) return;
    is_closing_ = true;
    tell_outsiders_to_close();  // when they rejoin
    stop_all(Deadline{Instant{Duration{closing}}});
}

}  // namespace baton::detail::coordinator
