// baton stop, baton kill: ends of actors, and of the whole session.
#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <charconv>
#include <csignal>

#include <baton/json.hpp>
#include "tools/baton/json_object.hpp"
#include "tools/baton/subcommands.hpp"
#include "tools/baton/table.hpp"

namespace baton::tool {

using namespace dynamic;
namespace {

constexpr Duration exit_wait =
    std::chrono::seconds{2};  // of a killed actor, and of a coordinator that has said goodbye

bool was_forced(const Ended& ended) { return ended.exit.kind == ExitKind::signalled; }

std::string text_of(const Exit& exit) {
    std::uint64_t dead_letters = 0;
    for (const DeadLetter& letter : exit.dead_letters) dead_letters += letter.count;
    std::string text = to_text(exit);
    if (!exit.in_hand.empty()) text += fmt::format(" while handling {}", exit.in_hand);
    if (dead_letters > 0) text += fmt::format(", {} dead letter{}", dead_letters, dead_letters == 1 ? "" : "s");
    return text;
}

std::string table_of(const std::vector<Ended>& ended, std::string_view of_the_living = {}) {
    Table table{{{""}, {""}}};
    for (const Ended& one : ended)
        table.add({{one.name, Paint::bold},
                   {one.exit.has_ended() ? text_of(one.exit) : std::string(of_the_living),
                    was_forced(one) ? Paint::bad : Paint::plain}});
    return table.text(colours_for(stdout));
}

// Everything ends, the coordinator last.
Result<Outcome> stop_everything(Visit& visit, const StopOptions& options, const Wishes& wishes) {
    const std::string tried = fmt::format("cannot close session {}", visit.place().id);
    const Result<std::vector<RosterRow>> rows = visit.roster(false);
    if (!rows) return explained(tried, rows.error());
    Result<std::vector<Ended>> closed = visit.session().end_session(options.timeout, exit_wait);
    if (!closed) return explained(tried, closed.error(), "`baton sessions` shows whether it lives");

    // The coordinator tells of every exit of the session's life; those of long ago are not news.
    std::erase_if(*closed, [&](const Ended& one) {
        return std::ranges::none_of(*rows, [&](const RosterRow& row) { return row.actor.id == one.actor.id; });
    });
    Outcome outcome;
    outcome.code = std::ranges::any_of(*closed, was_forced) ? exit_code::forced : exit_code::done;
    outcome.text = wishes.wants_json ? to_json(*closed, JsonLayout::indented) + "\n"
                                     : table_of(*closed) + fmt::format("session {} is closed\n", visit.place().id);
    return outcome;
}

Result<int> signal_number(const std::string& text) {
    int number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem == std::errc{} && end == text.data() + text.size()) {
        if (number >= 1 && number < NSIG) return number;
    } else {
        std::string name = text;
        std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
        if (name.starts_with("SIG")) name.erase(0, 3);
        for (number = 1; number < NSIG; ++number)
            if (const char* known = ::sigabbrev_np(number); known != nullptr && name == known) return number;
    }
    return Error{ErrorKind::refused,
                 fmt::format("--signal: '{}' is not a signal; it takes a name such as TERM or a number from 1 to {}",
                             text, NSIG - 1)};
}

std::string signal_name(int number) {
    const char* const known = ::sigabbrev_np(number);
    return known == nullptr ? fmt::format("signal {}", number) : fmt::format("SIG{}", known);
}

}  // namespace

Result<Outcome> stop(Visit& visit, const StopOptions& options, const Wishes& wishes) {
    if (options.whom == StopOptions::Whom::everything) return stop_everything(visit, options, wishes);
    const Result<std::vector<Actor>> actors =
        visit.find_actors(options.names, "`baton stop --everything` stops it and all actors");
    if (!actors) return explained("nothing was stopped", actors.error());
    std::vector<AnyRef> refs;
    for (const Actor& one : *actors) refs.push_back(one.ref);
    const Result<std::vector<Ended>> ended = visit.session().stop(
        refs, options.timeout, options.drains ? Outsider::Drain::yes : Outsider::Drain::no);
    if (!ended) {
        Error error = explained("cannot stop them", ended.error());
        if (error.kind == ErrorKind::stopping) error.text = "stopped waiting for the exits; the stop itself goes on";
        return error;
    }
    Outcome outcome;
    for (const Actor& one : *actors) {
        const bool has_ended =
            std::ranges::any_of(*ended, [&](const Ended& row) { return row.actor.id == one.ref.id; });
        if (has_ended) continue;
        outcome.troubles.push_back({ErrorKind::timed_out,
                                    fmt::format("{} (pid {}) was asked to stop and still runs; the coordinator did not "
                                                "start it and may not kill it", one.name, one.pid)});
    }
    outcome.code = std::ranges::any_of(*ended, was_forced) ? exit_code::forced : exit_code::done;
    if (wishes.wants_json) {
        outcome.text = to_json(*ended, JsonLayout::indented) + "\n";
    } else {
        outcome.text = ended->empty() && outcome.troubles.empty() ? "no actor was running\n" : table_of(*ended);
    }
    return outcome;
}

Result<Outcome> kill(Visit& visit, const KillOptions& options, const Wishes& wishes) {
    const Result<int> number = signal_number(options.signal);
    if (!number) return number.error();
    const Result<std::vector<Actor>> actors = visit.find_actors(
        options.names, fmt::format("`baton stop --everything` closes it, `kill {}` ends it hard", visit.place().pid));
    if (!actors) return explained("nothing was killed", actors.error());
    Outcome outcome;
    std::vector<const Actor*> signalled;
    for (const Actor& one : *actors) {
        if (Result<void> sent = visit.session().context().signal(one.ref, *number); !sent) {
            outcome.troubles.push_back(explained("cannot signal " + one.name, sent.error()));
        } else {
            signalled.push_back(&one);
        }
    }
    std::vector<Ended> ended;
    const bool must_end = *number == SIGKILL;
    const bool lets_live = *number == SIGSTOP || *number == SIGCONT || *number == SIGTSTP;
    const Deadline deadline = visit.session().context().deadline(lets_live ? Duration::zero() : exit_wait);
    for (const Actor* one : signalled) {
        Result<Ended> exit = visit.session().context().join(one->ref, deadline);
        if (exit) {
            ended.push_back(std::move(*exit));
        } else if (exit.error().kind != ErrorKind::timed_out || must_end) {
            const std::string tried = fmt::format("{} was sent {}", one->name, signal_name(*number));
            outcome.troubles.push_back(explained(tried, exit.error()));
        } else {
            ended.push_back({one->ref, one->name, Exit{}});
        }
    }
    outcome.text = wishes.wants_json ? to_json(ended, JsonLayout::indented) + "\n"
                                     : table_of(ended, signal_name(*number) + " sent, still alive");
    return outcome;
}

}  // namespace baton::tool
