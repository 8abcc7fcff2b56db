// baton sessions, baton sweep: the sessions of this user, and what dead ones left.
#include <fmt/format.h>

#include <algorithm>

#include <baton/sessions.hpp>
#include "tools/baton/json_object.hpp"
#include "tools/baton/subcommands.hpp"
#include "tools/baton/table.hpp"

namespace baton::tool {

using namespace dynamic;

Result<Outcome> sessions(const Wishes& wishes) {
    const Result<std::vector<SessionInfo>> listed = list_sessions();
    if (!listed) return listed.error();
    if (wishes.wants_json) {
        Value::List list;
        for (const SessionInfo& one : *listed)
            list.push_back(object({{"session", {one.id}},
                                   {"is_live", {one.is_live}},
                                   {"coordinator_pid", {static_cast<std::int64_t>(one.pid)}},
                                   {"folder", {one.path}},
                                   {"has_folder", {one.has_folder}}}));
        return Outcome{json_line(Value{std::move(list)})};
    }
    if (listed->empty()) return Outcome{"no session of yours is running, and none has left anything\n"};
    const Colours colours = colours_for(stdout);
    Table table{{{"SESSION"}, {"STATE"}, {"COORDINATOR PID", Table::Align::right}, {"FOLDER"}}};
    for (const SessionInfo& one : *listed)
        table.add({{one.id, Paint::bold},
                   {!one.is_live ? "dead" : one.has_folder ? "live" : "live, its folder was removed",
                    one.is_live && one.has_folder ? Paint::good : Paint::bad},
                   one.pid == 0 ? "-" : std::to_string(one.pid),
                   one.path});
    const bool any_is_dead = !std::ranges::all_of(*listed, &SessionInfo::is_live);
    return Outcome{table.text(colours) + (any_is_dead ? "\n`baton sweep` removes what dead sessions left\n" : "")};
}

Result<Outcome> sweep(const Wishes& wishes) {
    Result<Swept> swept = sweep_dead_sessions();
    if (!swept) return swept.error();
    Outcome outcome;
    if (wishes.wants_json) {
        Value::List pids;
        for (const pid_t pid : swept->processes_killed) pids.push_back(Value{static_cast<std::int64_t>(pid)});
        std::vector<std::string> troubles;
        for (const Error& trouble : swept->troubles) troubles.push_back(to_text(trouble));
        outcome.text = json_line(object({{"sessions", {static_cast<std::int64_t>(swept->sessions)}},
                                         {"processes_killed", Value{std::move(pids)}},
                                         {"removed", strings(swept->removed)},
                                         {"troubles", strings(troubles)}}));
    } else if (swept->sessions == 0 && swept->removed.empty() && swept->processes_killed.empty() &&
               swept->troubles.empty()) {
        outcome.text = "nothing was left behind\n";
    } else {
        const auto counted = [](std::size_t count, std::string_view one, std::string_view many) {
            return fmt::format("{} {}", count, count == 1 ? one : many);
        };
        outcome.text = fmt::format("swept {}: {} killed, {} removed\n",
                                   counted(swept->sessions, "dead session", "dead sessions"),
                                   counted(swept->processes_killed.size(), "process", "processes"),
                                   counted(swept->removed.size(), "path", "paths"));
        Table table{{{""}, {""}}};
        for (const pid_t pid : swept->processes_killed) table.add({{"killed", Paint::faint}, std::to_string(pid)});
        for (const std::string& path : swept->removed) table.add({{"removed", Paint::faint}, path});
        outcome.text += table.text(colours_for(stdout), "  ");
    }
    outcome.troubles = std::move(swept->troubles);
    outcome.code_with_troubles = exit_code::left;
    return outcome;
}

}  // namespace baton::tool
