// baton ps: the members of a session, and what they are doing.
#include <fmt/format.h>

#include <algorithm>

#include <baton/observer.hpp>
#include "tools/baton/figures.hpp"
#include "tools/baton/json_object.hpp"
#include "tools/baton/subcommands.hpp"
#include "tools/baton/table.hpp"

namespace baton::tool {

using namespace dynamic;
namespace {

struct Sight {
    SessionInfo place;
    std::vector<MemberSight> actors;  // the coordinator first
    LanesSight lanes;
};

Result<Sight> look_at(SessionInfo place, const PsOptions& options) {
    Result<std::unique_ptr<Visit>> visit = Visit::enter(std::move(place));
    if (!visit) return visit.error();
    const Result<Observer> observer = Observer::of((*visit)->session());
    if (!observer) return observer.error();
    Result<std::vector<MemberSight>> members = observer->members(options.with_exited);
    if (!members) return members.error();
    std::erase_if(*members, [&](const MemberSight& one) {
        return one.row.actor.id == (*visit)->session().ref().id || is_past_visit(one.row);
    });
    return Sight{(*visit)->place(), std::move(*members), observer->lanes()};
}

Paint paint_of_state(std::string_view state) {
    if (state == "ready") return Paint::good;
    if (state == "busy" || state == "starting") return Paint::busy;
    if (state == "frozen" || state == "hung" || state == "restarting") return Paint::bad;
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

// "3", or "3, next in 1.2 s" between two lives; "-" for one that is not restarted.
std::string restarts_text(const RosterRow& row) {
    if (!row.restarts) return "-";
    const std::optional<Duration> due = row.restarts->due_in;
    if (!due) return std::to_string(row.restarts->restarts);
    return fmt::format("{}, next in {:.1f} s", row.restarts->restarts, std::chrono::duration<double>(*due).count());
}

std::string cpu_text(Duration cpu) { return fmt::format("{:.2f} s", std::chrono::duration<double>(cpu).count()); }

std::string text_of(const Sight& sight, const PsOptions& options, Colours colours) {
    using Align = Table::Align;
    std::vector<Table::Column> columns{{"NAME"},
                                       {"PID", Align::right},
                                       {"PPID", Align::right},
                                       {"STATE"},
                                       {"SINCE", Align::right},
                                       {"INBOX", Align::right},
                                       {"HANDLED", Align::right},
                                       {"RESTARTS", Align::right},
                                       {"CPU", Align::right},
                                       {"HELD", Align::right},
                                       {"LANES", Align::right},
                                       {"RESIDENT", Align::right},
                                       {"IN HAND"},
                                       {"WAITS FOR"}};
    if (options.with_exited) {
        columns.push_back({"EXIT"});
        columns.push_back({"DEAD LETTERS", Align::right});
        columns.push_back({"MEMORY AT EXIT"});
    }
    Table table{std::move(columns)};
    std::size_t actors = 0;
    for (const MemberSight& member : sight.actors) {
        const RosterRow& row = member.row;
        const bool is_coordinator = tool::is_coordinator(row.actor);
        const bool has_ended = row.exit.has_ended();
        if (!has_ended && !row.program.empty()) ++actors;
        std::vector<Table::Cell> cells{{row.name, has_ended ? Paint::faint : Paint::bold},
                                       count_of(row.pid),
                                       has_ended ? "-" : count_of(row.ppid),
                                       {row.state, paint_of_state(row.state)},
                                       member.since ? age_text(*member.since) : "-",
                                       is_coordinator || has_ended ? "-" : std::to_string(row.inbox_depth),
                                       is_coordinator ? "-" : std::to_string(row.handled),
                                       restarts_text(row),
                                       member.process ? cpu_text(member.process->cpu) : "-",
                                       member.held_bytes == 0 ? "-" : bytes_text(member.held_bytes),
                                       member.lane_bytes == 0 ? "-" : bytes_text(member.lane_bytes),
                                       member.process ? bytes_text(member.process->resident_bytes) : "-",
                                       has_ended ? row.exit.in_hand : row.in_hand,
                                       member.waits_for_name + (member.waits_for_room ? " (its inbox is full)" : "")};
        if (options.with_exited) {
            std::uint64_t dead_letters = 0;
            for (const DeadLetter& letter : row.exit.dead_letters) dead_letters += letter.count;
            cells.emplace_back(has_ended ? to_text(row.exit) : "", paint_of_exit(row.exit));
            cells.emplace_back(dead_letters == 0 ? "" : std::to_string(dead_letters), Paint::bad);
            std::string memory = row.exit.held ? to_text(*row.exit.held) : "";
            for (const auto& one : row.exit.unclaimed)
                memory += (memory.empty() ? "" : "; ") + fmt::format("nobody has inherited {}", to_text(one));
            cells.emplace_back(std::move(memory));
        }
        table.add(std::move(cells));
    }
    const std::string lanes = sight.lanes.bytes == 0 ? ""
                                                     : fmt::format(", {} of {} in lanes", bytes_text(sight.lanes.bytes),
                                                                   bytes_text(sight.lanes.bytes_max));
    return fmt::format("session {}, {}{}\n\n{}", painted(sight.place.id, Paint::bold, colours),
                       count_text(actors, "actor"), lanes, table.text(colours));
}

Value seconds(Duration length) { return Value{std::chrono::duration<double>(length).count()}; }

// The fields of the roster's row, and then what else is seen; what is not known is null.
Value json_of(const MemberSight& member) {
    Value row = value_of(member.row);
    const auto add = [map = row.as<Value::Map>()](const char* name, Value value) {
        map->emplace_back(Value{std::string(name)}, std::move(value));
    };
    add("since_seconds", member.since ? seconds(*member.since) : Value{});
    add("waits_for", member.waits_for_name.empty() ? Value{} : Value{member.waits_for_name});
    add("waits_for_room", Value{member.waits_for_room});
    add("held_bytes", Value{member.held_bytes});
    add("lane_bytes", Value{member.lane_bytes});
    add("resident_bytes", member.process ? Value{member.process->resident_bytes} : Value{});
    add("cpu_seconds", member.process ? seconds(member.process->cpu) : Value{});
    add("spun_seconds", seconds(member.spun));
    return row;
}

Value json_of(const Sight& sight) {
    Value::List actors;
    for (const MemberSight& member : sight.actors) actors.push_back(json_of(member));
    return object({{"session", {sight.place.id}},
                   {"folder", {sight.place.path}},
                   {"coordinator_pid", {static_cast<std::int64_t>(sight.place.pid)}},
                   {"lane_bytes", {sight.lanes.bytes}},
                   {"lane_bytes_max", {sight.lanes.bytes_max}},
                   {"actors", Value{std::move(actors)}}});
}

}  // namespace

Result<Outcome> ps(const PsOptions& options, const Wishes& wishes) {
    std::vector<SessionInfo> places;
    Result<std::vector<SessionInfo>> listed = list_sessions();
    if (!is_session_named(wishes.session) && listed)
        std::ranges::copy_if(*listed, std::back_inserter(places), &SessionInfo::is_live);
    if (places.empty()) {
        Result<SessionInfo> place = find_session(wishes.session);
        if (!place) return place.error();
        places.push_back(std::move(*place));
    }
    Outcome outcome;
    Value::List json;
    for (SessionInfo& place : places) {
        if (!place.has_folder) {
            outcome.troubles.push_back(find_session(place.path).error());
            continue;
        }
        const Result<Sight> sight = look_at(std::move(place), options);
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
    if (wishes.wants_json) outcome.text = json_line(Value{std::move(json)});
    return outcome;
}

}  // namespace baton::tool
