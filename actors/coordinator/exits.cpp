// What the coordinator does when a member has exited: it settles what the member held, closes its row, and tells those
// who want to know.
#include <sys/epoll.h>

#include <filesystem>

#include "actors/coordinator/coordinator_actor.hpp"
#include "actors/coordinator/notify.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/base/planted_bug.hpp"

namespace baton::detail::coordinator {

void Coordinator::tell_unrecorded(const Member& member) {
    loop_->log().warn("exit.unrecorded",
                      "name={} no memory is left for the journal of exits: another coordinator would not know how it "
                      "ended",
                      member.name);
}

void Coordinator::tell_mended() {
    records_->write_balance(estate_->released_for_the_dead(), estate_->mended());
    const Estate::Mended mended = estate_->take_mended();
    for (const std::string& text : mended.texts) loop_->log().warn("ledger.mended", "{}", text);
    if (mended.rows > mended.texts.size())
        loop_->log().warn("ledger.mended", "and {} more rows that no actor can have written so",
                          mended.rows - mended.texts.size());
}

// What the dead one held, sent and was about to receive: settled before anybody hears of the exit. Adds to `told` who
// had given or lent it something.
void Coordinator::settle_estate(const Member& member, std::set<ActorId>& told) {
    std::vector<std::uint32_t> receivers = lanes_->receivers_of(member.id);
    for (const auto& [number, other] : members_.living())
        if (vitals_->waiting(member.id, other->id) > 0) receivers.push_back(number);
    const Estate::Settled settled = estate_->settle(member.id, receivers);
    tell_mended();
    told.insert(settled.concerned.begin(), settled.concerned.end());
    for (const ActorId heir : settled.to_drain)
        if (const Member* asked = members_.find(heir); asked != nullptr)
            notify(*loop_, *asked, notice::Drain{AnyRef{member.id}, member.pid});
}

// `receiver` has taken all that came of the dead one: what else had been sent to it is lost. Only now, as it may have
// been on its way before; of a receiver that has ended the exit has named it.
void Coordinator::name_lost(ActorId dead, const Member& receiver) {
    const std::uint64_t count = vitals_->waiting(dead, receiver.id);
    if (count == 0) return;
    Past* const past = members_.find_past(dead);
    const std::string name = past == nullptr ? to_string(dead) : past->row.name;
    if (!records_->journal().write_lost({dead, receiver.id, receiver.name, count}))
        loop_->log().warn("exit.unrecorded", "name={} no memory is left for the journal of what was lost with it",
                          name);
    pass_crash_point(CrashPoint::stop_lost);
    account_for(*vitals_, dead, receiver.id);
    if (past != nullptr) past->add_lost(receiver.name, count);
    loop_->log().warn("letters.lost", "from={} to={} count={} why=\"they had not left its process when it ended\"",
                      name, receiver.name, count);
}

void Coordinator::log_post_mortem(const Member& member, const Exit& exit) {
    if (!exit.held) return;
    const auto level =
        exit.kind == ExitKind::signalled || exit.kind == ExitKind::failed_check ? Log::Level::warn : Log::Level::info;
    if (!loop_->log().writes(level)) return;
    loop_->log().write(level, "actor.post_mortem", fmt::format("name={} {}", member.name, to_text(*exit.held)));
    loop_->log().write(
        level, "actor.post_mortem",
        fmt::format("name={} last command={}", member.name, exit.in_hand.empty() ? "none" : exit.in_hand));
    // A few a line, so that they can be read in a terminal.
    std::string few;
    int count = 0;
    const auto write_few = [&] {
        if (count > 0)
            loop_->log().write(level, "actor.post_mortem",
                               fmt::format("name={} last transitions: {}", member.name, few));
        few.clear();
        count = 0;
    };
    const std::string transitions = estate_->last_transitions(member.id, 8);
    for (std::size_t start = 0; start < transitions.size();) {
        const std::size_t end = std::min(transitions.find(", ", start), transitions.size());
        few += (count == 0 ? "" : ", ") + transitions.substr(start, end - start);
        if (++count == 4) write_few();
        start = end + 2;
    }
    write_few();
}

// Each step can be done again by a coordinator that takes over in the middle: the exit is the one that stands in the
// journal, if it stands there.
void Coordinator::settle_exit(Member& living, std::optional<ExitStatus> status) {
    const ActorId id = living.id;
    // Asked for nobody any more: from here no row may name it.
    std::vector<ActorId> orphans = members_.children_of(id);
    const bool had_asked = living.state == Member::State::starting;

    RosterRow row = reports_.row_of(living);
    row.exit = reports_.exit_of(living, status);
    std::set<ActorId> told = living.watchers;
    const Restarts::Decision decision = decide_restart(living, row.exit);
    records_->write_settling(living);
    if (const MemoryAtExit held = estate_->take_life(id); !held.is_nothing()) row.exit.held = held;
    // Its life has been taken: what is sent to it from here is refused by its sender, all that was before stands here.
    const std::vector<ActorId> senders = vitals_->senders_to(id);
    told.insert(senders.begin(), senders.end());
    row.exit.dead_letters = reports_.dead_letters_of(living);
    row.state = "exited";
    row.inbox_depth = 0;
    // Before anything of it is settled: what it held and never took can only be seen now.
    const Past* const known = is_planted(PlantedBug::exit_recorded_twice) ? nullptr : members_.find_past(id);
    if (known != nullptr) row = known->row;
    else if (!records_->journal().write_exit({row, living.parent, living.spawn_request})) tell_unrecorded(living);
    pass_crash_point(CrashPoint::exit_recorded);
    settle_estate(living, told);
    lanes_->remove_to(id, senders);
    pass_crash_point(CrashPoint::lanes_removed);
    vitals_->note_exit(id);
    if (living.is_outsider() && living.process.is_open())
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, living.process.get(), nullptr);
    const std::unique_ptr<Member> member = members_.remove(id, row);
    if (decision.restarts) members_.keep_name(member->name);
    forget_seats_of(id);
    carry_out(decision, *member, row.exit);
    // Only those who have to drain are still to be asked, and they have been.
    if (!member->is_told) {
        remove_files_of(*member);
        log_post_mortem(*member, row.exit);
        log_exit(*member, row.exit);
        if (had_asked)
            member->spawn_answer.fail(
                Error{ErrorKind::failed, fmt::format("{} ({}) ended before it was ready: {}", member->name,
                                                     member->program, to_text(row.exit))});
        const Ended ended{AnyRef{id}, row.name, row.exit};
        awaits_.answer(ended);
        for (const ActorId one : told) tell_exit(one, ended);
        pass_crash_point(CrashPoint::settle_told);
        member->is_told = true;
        records_->write_settling(*member);
    }
    loop_->commands().intake().forget(id);
    // Also the route of one that has never spoken as itself.
    if (member->link.is_some()) loop_->transport().close(member->link, Transport::Pending::delivered);
    awaits_.forget(id);

    unread_closed_.erase(id);
    stopping_.exited(id);
    if (member->owns_session) close(orphaned_timeout);
    if (!is_closing_ && !orphans.empty())
        stopping_.begin(std::move(orphans), Deadline::in(loop_->clock(), setting_.stop_deadline), false, {});
    stop_linked(id, member->links);
    note_settled(id);
    carry_out_wills();
    answer_finds();
    finish_stops();
}

// Its socket and its bell, which it may have removed itself.
void Coordinator::remove_files_of(const Member& member) const {
    std::error_code ignored;
    const std::string prefix = fmt::format("ipc://{}/", folder_->path());
    if (member.address.starts_with(prefix)) {
        const std::string socket = member.address.substr(prefix.size());
        if (socket.find('/') == std::string::npos) std::filesystem::remove(folder_->path() + "/" + socket, ignored);
    }
    std::filesystem::remove(folder_->path() + "/" + Bells::fifo_name(member.id), ignored);
}

void Coordinator::log_exit(const Member& member, const Exit& exit) {
    const bool was_expected =
        exit.kind == ExitKind::stopped || exit.kind == ExitKind::left || member.was_asked_to_stop;
    const std::string in_hand = exit.in_hand.empty() ? "" : fmt::format(" while handling {}", exit.in_hand);
    if (was_expected) {
        loop_->log().info("actor.exited", "name={} {}{}", member.name, to_text(exit), in_hand);
    } else {
        loop_->log().warn("actor.exited", "name={} {}{}", member.name, to_text(exit), in_hand);
    }
    log_letters(member, exit.dead_letters);
}

void Coordinator::log_letters(const Member& member, const std::vector<DeadLetter>& letters) {
    for (const DeadLetter& letter : letters)
        loop_->log().warn("letters.dead", "to={} from={} count={}{}", member.name, letter.from, letter.count,
                          letter.command.empty() ? "" : " command=" + letter.command);
}

// One that is about to rejoin hears of it then.
void Coordinator::tell_exit(ActorId listener, const Ended& ended) {
    Member* const member = members_.find(listener);
    if (member == nullptr) return;
    if (member->link.is_some()) notify(*loop_, *member, notice::Exited{ended.actor, ended.name, ended.exit});
    else if (member->has_joined) member->untold.insert(ended.actor.id);
}

// Once no row of the ledger waits for anybody any more, its number can be given again.
void Coordinator::note_settled(ActorId dead) {
    if (estate_->is_settling(dead.number) || members_.find(dead) != nullptr) return;
    if (const Seat* seat = restarts_.find(dead); seat == nullptr) records_->write_free(dead);
    else if (seat->life == dead && seat->state == Seat::settles) put_between_lives(*seat);
}

void Coordinator::on(const Await& command, Answer<Ended> answer) {
    if (Result<void> ours = loop_->require_ours(command.actor); !ours) return answer.fail(ours.error());
    if (members_.find(command.actor.id) != nullptr) {
        awaits_.add(command.actor.id, std::move(answer));
    } else if (const Past* past = members_.find_past(command.actor.id); past != nullptr) {
        answer.reply({past->row.actor, past->row.name, past->row.exit});
    } else {
        answer.fail(gone(fmt::format("no actor {} in this session", to_string(command.actor.id))));
    }
}

}  // namespace baton::detail::coordinator
