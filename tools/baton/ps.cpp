// baton ps: who is in a session, and what they are doing.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "runtime/process/process_facts.hpp"
#include "runtime/session/environment.hpp"
#include "tools/baton/json_object.hpp"
#include "tools/baton/subcommands.hpp"
#include "tools/baton/table.hpp"

namespace baton::tool {

using namespace detail;
namespace {

struct Sight {
    SessionInfo place;
    std::vector<RosterRow> rows;  // the coordinator's first
};

// It keeps no row of itself. It has answered a moment ago, so it is not frozen.
RosterRow row_of_coordinator(const SessionInfo& place) {
    RosterRow row;
    row.actor = AnyRef{coordinator_id};
    row.name = "coordinator";
    row.pid = static_cast<std::uint64_t>(place.pid);
    if (const std::optional<ProcessFacts> facts = facts_of(place.pid); facts)
        row.ppid = static_cast<std::uint64_t>(facts->ppid);
    row.state = "ready";
    return row;
}

Result<Sight> look_at(SessionInfo place, const PsOptions& options, Interruption& interruption) {
    Result<std::unique_ptr<Visit>> visit = Visit::enter(std::move(place), interruption);
    if (!visit) return visit.error();
    Result<std::vector<RosterRow>> rows = (*visit)->roster(options.with_exited);
    if (!rows) return rows.error();
    Sight sight{(*visit)->place(), {}};
    sight.rows.push_back(row_of_coordinator(sight.place));
    std::ranges::move(*rows, std::back_inserter(sight.rows));
    return sight;
}

Paint paint_of_state(std::string_view state) {
    if (state == "ready") return Paint::good;
    if (state == "busy" || state == "starting") return Paint::busy;
    if (state == "frozen") return Paint::bad;
    return Paint::faint;
}

Paint paint_of_exit(const Exit& exit) {
    const bool is_calm = exit.kind == ExitKind::stopped || exit.kind == ExitKind::left ||
                         (exit.kind == ExitKind::returned && exit.code == 0);
    return is_calm ? Paint::faint : Paint::bad;
}

std::string count_of(std::uint64_t number) { return number == 0 ? "-" : std::to_string(number); }

std::string count_text(std::size_t count, std::string_view what) {
    return fmt::format("{} {}{}", count == 0 ? "no" : std::to_string(count), what, count == 1 ? "" : "s");
}

std::string text_of(const Sight& sight, const PsOptions& options, Colours colours) {
    using Align = Table::Align;
    std::vector<Table::Column> columns{{"NAME"},          {"PID", Align::right},     {"PPID", Align::right}, {"STATE"},
                                       {"INBOX", Align::right}, {"HANDLED", Align::right}, {"IN HAND"}};
    if (options.with_exited) {
        columns.push_back({"EXIT"});
        columns.push_back({"DEAD LETTERS", Align::right});
        columns.push_back({"HELD"});
    }
    Table table{std::move(columns)};
    std::size_t actors = 0;
    for (const RosterRow& row : sight.rows) {
        const bool is_coordinator = row.actor.id == coordinator_id;
        const bool has_ended = row.exit.has_ended();
        if (!has_ended && !row.program.empty()) ++actors;
        std::vector<Table::Cell> cells{{row.name, has_ended ? Paint::faint : Paint::bold},
                                       count_of(row.pid),
                                       has_ended ? "-" : count_of(row.ppid),
                                       {row.state, paint_of_state(row.state)},
                                       is_coordinator || has_ended ? "-" : std::to_string(row.inbox_depth),
                                       is_coordinator ? "-" : std::to_string(row.handled),
                                       has_ended ? row.exit.in_hand : row.in_hand};
        if (options.with_exited) {
            std::uint64_t dead_letters = 0;
            for (const DeadLetter& letter : row.exit.dead_letters) dead_letters += letter.count;
            cells.emplace_back(has_ended ? to_text(row.exit) : "", paint_of_exit(row.exit));
            cells.emplace_back(dead_letters == 0 ? "" : std::to_string(dead_letters), Paint::bad);
            cells.emplace_back(row.exit.held ? to_text(*row.exit.held) : "");
        }
        table.add(std::move(cells));
    }
    return fmt::format("session {}, {}\n\n{}", painted(sight.place.id, Paint::bold, colours), count_text(actors, "actor"),
                       table.text(colours));
}

Dynamic json_of(const Sight& sight) {
    return object({{"session", {sight.place.id}},
                   {"folder", {sight.place.path}},
                   {"coordinator_pid", {static_cast<std::int64_t>(sight.place.pid)}},
                   {"actors", dynamic_of(sight.rows)}});
}

}  // namespace

Result<Outcome> ps(const PsOptions& options, const Wishes& wishes, Interruption& interruption) {
    std::vector<SessionInfo> places;
    const char* const variable = std::getenv(session_variable);
    const bool names_one = wishes.session.has_value() || (variable != nullptr && *variable != '\0');
    Result<std::vector<SessionInfo>> listed = list_sessions();
    if (!names_one && listed)
        std::ranges::copy_if(*listed, std::back_inserter(places), &SessionInfo::is_live);
    if (places.empty()) {
        Result<SessionInfo> place = find_session(wishes.session);
        if (!place) return place.error();
        places.push_back(std::move(*place));
    }
    Outcome outcome;
    Dynamic::List json;
    for (SessionInfo& place : places) {
        const Result<Sight> sight = look_at(std::move(place), options, interruption);
        if (!sight) {
            outcome.troubles.push_back(sight.error());
            continue;
        }
        if (wishes.wants_json) {
            json.push_back(json_of(*sight));
        } else {
            outcome.text += (outcome.text.empty() ? "" : "\n") + text_of(*sight, options, colours_for(stdout));
        }
    }
    if (wishes.wants_json) outcome.text = json_line(Dynamic{std::move(json)});
    return outcome;
}

}  // namespace baton::tool
