#include "actors/coordinator/reports.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

#include "runtime/base/check.hpp"
#include "runtime/base/text.hpp"
#include "runtime/inbox/call.hpp"
#include "runtime/process/process_facts.hpp"
#include "runtime/session/environment.hpp"

namespace baton::detail::coordinator {
namespace {

// Their sum, and no more than the largest number.
std::uint64_t added(std::uint64_t a, std::uint64_t b) {
    return a > std::numeric_limits<std::uint64_t>::max() - b ? std::numeric_limits<std::uint64_t>::max() : a + b;
}

// As many as one exit tells, in text that can be sent; the others are added up.
std::vector<DeadLetter> told(std::vector<DeadLetter> letters) {
    DeadLetter rest;
    for (std::size_t index = limits::dead_letters_told_max; index < letters.size(); ++index)
        rest.count = added(rest.count, letters[index].count);
    letters.resize(std::min(letters.size(), limits::dead_letters_told_max));
    for (DeadLetter& letter : letters) {
        letter.from = readable(letter.from, limits::name_bytes_max);
        letter.command = readable(letter.command, limits::name_bytes_max);
    }
    if (rest.count > 0) letters.push_back(std::move(rest));
    return letters;
}

}  // namespace

RosterRow Reports::row_of(const Member& member) const {
    RosterRow row{AnyRef{member.id}, member.name, readable(member.program), member.pid, 0, "", 0, 0, "", {}};
    switch (member.state) {
        case Member::State::starting: row.state = "starting"; break;
        case Member::State::ready: row.state = "ready"; break;
        case Member::State::stopping: row.state = "stopping"; break;
    }
    if (const VitalsRow* vitals = vitals_->row_of(member.id); vitals != nullptr) {
        row.handled = vitals->work.handled.load(std::memory_order_relaxed);
        if (std::optional<std::string> in_hand = vitals_->in_hand(member.id); in_hand) {
            row.in_hand = std::move(*in_hand);
            if (member.state == Member::State::ready) row.state = "busy";
        }
    }
    for (const ActorId sender : vitals_->senders_to(member.id))
        if (members_->find(sender) != nullptr) row.inbox_depth += vitals_->waiting(sender, member.id);
    if (member.pid != 0) {
        if (const std::optional<ProcessFacts> facts = facts_of(static_cast<pid_t>(member.pid)); facts) {
            row.ppid = static_cast<std::uint64_t>(facts->ppid);
            if (member.is_hung) row.state = "hung";
            if (facts->state == 'T' || facts->state == 't') row.state = "frozen";
        }
    }
    const auto seat = restarts_->all().find(member.id.number);
    if (seat != restarts_->all().end() && seat->second.life == member.id) row.restarts = report_of(seat->second);
    return row;
}

RosterRow Reports::row_of(const Seat& seat) const {
    RosterRow row{AnyRef{seat.life}, seat.name, "", 0, 0, "restarting", 0, 0, "", {}};
    if (const Past* past = members_->find_past(seat.life); past != nullptr) row.program = past->row.program;
    row.restarts = report_of(seat);
    return row;
}

RestartReport Reports::report_of(const Seat& seat) const {
    RestartReport report;
    report.policy = seat.how.policy;
    report.restarts = seat.restarts;
    const Instant now = clock_->now();
    report.recent = static_cast<std::uint32_t>(
        std::ranges::count_if(seat.recent, [&](Instant at) { return now - at <= seat.how.period; }));
    report.restarts_max = seat.how.restarts_max;
    report.period = seat.how.period;
    if (seat.is_between_lives()) report.due_in = seat.due.left(now);
    report.group = seat.how.group;
    report.strategy = seat.how.strategy;
    report.failure = readable(seat.failure, limits::error_text_bytes_max);
    return report;
}

std::optional<RosterRow> Reports::row_behind(std::uint32_t number) const {
    auto next = members_->living().upper_bound(number);
    while (next != members_->living().end() && !next->second->has_process()) ++next;
    const std::uint32_t end = next == members_->living().end() ? behind_the_living : next->first;
    for (auto seat = restarts_->all().upper_bound(number); seat != restarts_->all().end() && seat->first < end; ++seat)
        if (seat->second.is_between_lives()) return row_of(seat->second);
    if (next == members_->living().end()) return std::nullopt;
    return row_of(*next->second);
}

RosterPage Reports::page_of(bool with_exited, RosterPlace place) const {
    RosterPage page;
    std::size_t bytes = 0;
    const auto is_full_with = [&](RosterRow row) {
        bytes += encoded_body(row).size();
        page.rows.push_back(std::move(row));
        return bytes >= limits::roster_page_bytes;
    };
    if (place.number != behind_the_living)
        while (std::optional<RosterRow> row = row_behind(place.number)) {
            place.number = row->actor.id.number;
            if (!is_full_with(std::move(*row))) continue;
            page.next = place;
            return page;
        }
    if (!with_exited) return page;
    const std::uint64_t forgotten = members_->exits_forgotten();
    for (std::uint64_t number = std::max(place.exits, forgotten); number - forgotten < members_->past().size();
         ++number)
        if (is_full_with(members_->past()[number - forgotten].row)) {
            page.next = RosterPlace{behind_the_living, number + 1};
            return page;
        }
    return page;
}

std::vector<RosterRow> Reports::rows(bool with_exited) const {
    std::vector<RosterRow> rows;
    std::size_t bytes = 0;
    const auto has_room_for = [&bytes](const RosterRow& row) {
        bytes += encoded_body(row).size();
        return bytes < limits::roster_page_bytes;
    };
    for (std::uint32_t number = 0; std::optional<RosterRow> row = row_behind(number);) {
        number = row->actor.id.number;
        rows.push_back(std::move(*row));
        if (!has_room_for(rows.back())) return rows;
    }
    if (!with_exited) return rows;
    auto first = members_->past().end();
    while (first != members_->past().begin() && has_room_for(std::prev(first)->row)) --first;
    for (; first != members_->past().end(); ++first) rows.push_back(first->row);
    return rows;
}

Exit Reports::exit_of(const Member& member, std::optional<ExitStatus> status) const {
    Exit exit;
    exit.text = vitals_->last_words(member.id);
    exit.in_hand = vitals_->in_hand(member.id).value_or("");
    if (member.ended_with == EndedWith::patience) exit.text = member.failure;
    if (member.ended_with == EndedWith::children) {
        exit.kind = ExitKind::children_failed;
        exit.text = member.failure;
    } else if (!status) {
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
    // It was stopped, or had to be killed for it: what is told is the reason for that.
    const bool was_made_to = exit.kind == ExitKind::stopped || exit.kind == ExitKind::signalled;
    if (member.linked_end.is_somebody() && was_made_to) exit.text = text_of_link(member.linked_end);
    return exit;
}

std::string Reports::text_of_link(ActorId ended) const {
    const Past* const past = members_->find_past(ended);
    const std::string how = past == nullptr ? "it is not remembered how" : readable(to_text(past->row.exit), 300);
    return fmt::format("it was linked with {}, which has ended: {}", name_of(ended), how);
}

std::vector<DeadLetter> Reports::dead_letters_of(const Member& member) const {
    // What it said itself, command by command, and what it could not say: sent, and never taken.
    std::vector<DeadLetter> letters = member.left.value_or(std::vector<DeadLetter>{});
    const Deadline enough = Deadline::in(*clock_, naming_timeout);
    for (const ActorId sender : vitals_->senders_to(member.id)) {
        if (sender == member.id) continue;
        std::uint64_t waiting = vitals_->waiting(sender, member.id);
        const std::string name = name_of(sender);
        for (const Lanes::Unread& unread : lanes_->unread(sender, member.id, *clock_, enough)) {
            letters.push_back({name, unread.command, unread.count});
            waiting -= std::min(waiting, unread.count);
        }
        if (waiting > 0) letters.push_back({name, "", waiting});
    }
    return told(std::move(letters));
}

// An exit is remembered longer than its number is kept; of one that is not, what is left is its id.
std::string Reports::name_of(ActorId id) const {
    if (const Member* member = members_->find(id); member != nullptr) return member->name;
    if (const Past* past = members_->find_past(id); past != nullptr) return past->row.name;
    return to_string(id);
}

std::string Reports::name_of_sender(std::string_view id) const {
    const std::optional<ActorId> sender = actor_id_of(id);
    const bool is_one = sender && to_string(*sender) == id && members_->has_lived(*sender);
    return is_one ? name_of(*sender) : std::string(id);
}

}  // namespace baton::detail::coordinator
