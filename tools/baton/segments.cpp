// baton segments, baton audit: the ledger of a session, and whether its promises hold.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include <baton/observer.hpp>
#include "tools/baton/figures.hpp"
#include "tools/baton/json_object.hpp"
#include "tools/baton/subcommands.hpp"
#include "tools/baton/table.hpp"
#include <baton/text.hpp>

namespace baton::tool {

using namespace dynamic;
namespace {

Paint paint_of(std::string_view state) {
    if (state == "owned") return Paint::good;
    if (state == "offered" || state == "lent") return Paint::busy;
    return Paint::faint;
}

class Names {
public:
    explicit Names(const std::vector<RosterRow>& rows) {
        for (const RosterRow& row : rows) names_[row.actor.id] = row.name;
    }
    std::string of(AnyRef actor) const {
        if (!actor.id.is_somebody()) return "-";
        if (is_coordinator(actor)) return "coordinator";
        const auto found = names_.find(actor.id);
        return found == names_.end() ? to_string(actor.id) : found->second;
    }

private:
    std::map<ActorId, std::string> names_;
};

// "standby, next life ('accounts')"
std::string left_to(const SegmentSight& row) {
    std::string text;
    for (const std::string& heir : row.left_to) text += (text.empty() ? "" : ", ") + heir;
    if (text.empty()) return "-";
    return row.label.empty() ? text : fmt::format("{} ('{}')", text, row.label);
}

std::string text_of(const SegmentsSight& list, const Names& names, std::string_view session, Colours colours) {
    using Align = Table::Align;
    Table table{{{"SEGMENT"},
                 {"STATE"},
                 {"OWNER"},
                 {"HEIR"},
                 {"BYTES", Align::right},
                 {"LEASES", Align::right},
                 {"AGE", Align::right},
                 {"NAME"},
                 {"LEFT TO"}}};
    std::uint64_t bytes = 0;
    for (const SegmentSight& row : list.rows) {
        bytes += row.bytes;
        table.add({{fmt::format("{}.{}", row.slot, row.epoch), Paint::bold},
                   {row.state, paint_of(row.state)},
                   names.of(row.owner),
                   names.of(row.heir),
                   grouped(row.bytes),
                   row.leases == 0 ? "-" : std::to_string(row.leases),
                   age_text(row.age),
                   row.name.empty() ? "-" : row.name,
                   left_to(row)});
    }
    const std::string count =
        list.alive == 0 ? "no segments" : fmt::format("{} segment{}", list.alive, list.alive == 1 ? "" : "s");
    std::string text = fmt::format("session {}, {}\n\n", painted(session, Paint::bold, colours), count);
    if (!list.rows.empty()) text += table.text(colours) + "\n";
    if (list.rows.size() < list.alive)
        text += fmt::format("{} of {} are shown; --limit N shows more\n", list.rows.size(), list.alive);
    const std::string budget =
        !list.budget_bytes ? "without a limit" : fmt::format("of {}", grouped(*list.budget_bytes));
    return text + fmt::format("{} bytes in {}; the session has taken {} bytes {}\n", grouped(bytes),
                              list.rows.size() < list.alive ? "those shown" : "segments", grouped(list.bytes), budget);
}

Value json_of(const SegmentsSight& list, const Names& names, const std::string& session) {
    Value::List rows;
    for (const SegmentSight& row : list.rows)
        rows.push_back(object({{"segment", {fmt::format("{}.{}", row.slot, row.epoch)}},
                               {"state", {row.state}},
                               {"owner", row.owner.id.is_somebody() ? Value{names.of(row.owner)} : Value{}},
                               {"heir", row.heir.id.is_somebody() ? Value{names.of(row.heir)} : Value{}},
                               {"bytes", {row.bytes}},
                               {"leases", {row.leases}},
                               {"left_to", strings(row.left_to)},
                               {"label", row.label.empty() ? Value{} : Value{row.label}},
                               {"name", row.name.empty() ? Value{} : Value{row.name}},
                               {"age_seconds", {std::chrono::duration<double>(row.age).count()}}}));
    return object({{"session", {session}},
                   {"alive", {list.alive}},
                   {"bytes", {list.bytes}},
                   {"budget_bytes", list.budget_bytes ? Value{*list.budget_bytes} : Value{}},
                   {"segments", Value{std::move(rows)}}});
}

}  // namespace

Result<Outcome> segments(Visit& visit, const SegmentsOptions& options, const Wishes& wishes) {
    const Result<Observer> observer = Observer::of(visit.session());
    if (!observer) return observer.error();
    const Result<SegmentsSight> list = observer->segments(options.rows_max);
    if (!list) return explained("cannot list the segments", list.error());
    // The actor that retired a segment may have exited since.
    const Names names{visit.roster(true).value_or({})};
    const std::string& session = visit.place().id;
    if (wishes.wants_json) return Outcome{json_line(json_of(*list, names, session))};
    return Outcome{text_of(*list, names, session, colours_for(stdout))};
}

Result<Outcome> audit(Visit& visit, const Wishes& wishes) {
    const Result<Observer> observer = Observer::of(visit.session());
    if (!observer) return observer.error();
    const Result<std::vector<std::string>> broken = observer->audit();
    if (!broken) return explained("cannot audit the session", broken.error());
    Outcome outcome;
    outcome.code = broken->empty() ? exit_code::done : exit_code::broken;
    if (wishes.wants_json) {
        outcome.text = json_line(object({{"session", {visit.place().id}}, {"broken", strings(*broken)}}));
    } else if (broken->empty()) {
        outcome.text = "all invariants hold\n";
    } else {
        for (const std::string& one : *broken) outcome.text += printable(one) + "\n";
    }
    return outcome;
}

}  // namespace baton::tool
