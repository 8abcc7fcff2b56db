#include "actors/coordinator/reports.hpp"

#include <cstring>

#include "runtime/base/check.hpp"
#include "runtime/process/process_facts.hpp"

namespace baton::coordinator {

RosterRow Reports::row_of(const Member& member) const {
    RosterRow row{AnyRef{member.id}, member.name, member.program, member.pid, 0, "", 0, 0, "", {}};
    switch (member.state) {
        case Member::State::starting: row.state = "starting"; break;
        case Member::State::ready: row.state = "ready"; break;
        case Member::State::stopping: row.state = "stopping"; break;
    }
    if (const VitalsRow* vitals = vitals_->row_of(member.id); vitals != nullptr) {
        row.handled = vitals->handled.load(std::memory_order_relaxed);
        if (vitals->in_hand_since.load(std::memory_order_relaxed) != 0) {
            row.in_hand.assign(vitals->in_hand, ::strnlen(vitals->in_hand, VitalsRow::text_bytes));
            if (member.state == Member::State::ready) row.state = "busy";
        }
    }
    for (const auto& [number, other] : members_->living())
        row.inbox_depth += vitals_->waiting(other->id, member.id);
    if (member.pid != 0) {
        if (const std::optional<ProcessFacts> facts = facts_of(static_cast<pid_t>(member.pid)); facts) {
            row.ppid = static_cast<std::uint64_t>(facts->ppid);
            if (facts->state == 'T' || facts->state == 't') row.state = "frozen";
        }
    }
    return row;
}

Exit Reports::exit_of(const Member& member, std::optional<ExitStatus> status) const {
    Exit exit;
    if (const VitalsRow* vitals = vitals_->row_of(member.id); vitals != nullptr) {
        exit.text.assign(vitals->last_words, ::strnlen(vitals->last_words, VitalsRow::text_bytes));
        if (vitals->in_hand_since.load(std::memory_order_relaxed) != 0)
            exit.in_hand.assign(vitals->in_hand, ::strnlen(vitals->in_hand, VitalsRow::text_bytes));
    }
    exit.dead_letters = dead_letters_of(member);
    if (!status) {
        exit.kind = ExitKind::left;
        if (!member.left) exit.text = "ended without a word";
    } else if (status->by_signal) {
        exit.kind = ExitKind::signalled;
        exit.code = status->code_or_signal;
    } else if (status->code_or_signal == check_exit_code && !exit.text.empty()) {
        exit.kind = ExitKind::failed_check;
        exit.code = status->code_or_signal;
    } else if (status->code_or_signal == 0 && (member.left || member.was_asked_to_stop)) {
        exit.kind = ExitKind::stopped;
    } else {
        exit.kind = ExitKind::returned;
        exit.code = status->code_or_signal;
    }
    return exit;
}

std::vector<DeadLetter> Reports::dead_letters_of(const Member& member) const {
    // What it said itself, command by command, and what it could not say: sent, and never taken.
    std::vector<DeadLetter> letters = member.left.value_or(std::vector<DeadLetter>{});
    const auto add_untaken = [&](ActorId sender, const std::string& name) {
        std::uint64_t waiting = vitals_->waiting(sender, member.id);
        if (waiting > 0) letters.push_back({name, "", waiting});
    };
    for (const auto& [number, other] : members_->living())
        if (other->id != member.id) add_untaken(other->id, other->name);
    for (const Past& past : members_->past()) add_untaken(past.row.actor.id, past.row.name);
    return letters;
}

std::string Reports::name_of_sender(std::string_view id) const {
    for (const auto& [number, member] : members_->living())
        if (to_string(member->id) == id) return member->name;
    for (const Past& past : members_->past())
        if (to_string(past.row.actor.id) == id) return past.row.name;
    return std::string(id);
}

}  // namespace baton::coordinator
