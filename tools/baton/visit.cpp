#include "tools/baton/visit.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tools/baton/outcome.hpp"

namespace baton::tool {

namespace {

std::string last_part(std::string_view name) {
    const std::size_t slash = name.rfind('/');
    return std::string(slash == std::string_view::npos ? name : name.substr(slash + 1));
}

}  // namespace

bool is_coordinator(const AnyRef& actor) noexcept { return actor.id == ActorId{1, 1}; }

bool is_past_visit(const RosterRow& row) {
    const bool has_name = row.name == visitor_name || row.name.starts_with(fmt::format("{}-", visitor_name));
    return row.program.empty() && has_name && row.exit.has_ended();
}

Result<std::unique_ptr<Visit>> Visit::enter(SessionInfo place) {
    std::unique_ptr<Visit> visit{new Visit(std::move(place))};
    Outsider::Entry entry;
    entry.session = visit->place_.path;
    entry.may_start = false;
    entry.name = visitor_name;
    entry.has_inbox = false;
    Result<std::unique_ptr<Outsider>> session = Outsider::enter(std::move(entry));
    if (!session)
        return explained(
            fmt::format("cannot join session {} (coordinator pid {})", visit->place_.id, visit->place_.pid),
            session.error(), session.error().kind == ErrorKind::timed_out ? "is it frozen?" : "");
    visit->session_ = std::move(*session);
    // Only now: until here a Ctrl-C ends the program in the usual way, and there was nothing to leave.
    if (Result<void> signals = visit->session_->stop_on_signals(); !signals) return signals.error();
    return visit;
}

Visit::~Visit() {
    if (session_ != nullptr) static_cast<void>(session_->close());
}

Result<dynamic::Actor> Visit::find(std::string_view name) {
    Result<dynamic::Actor> found = session_->find(name);
    if (found || found.error().kind != ErrorKind::gone) return found;
    const Result<std::vector<RosterRow>> rows = roster(true);
    if (!rows) return found;
    std::string others;
    std::string meant;
    for (const RosterRow& row : *rows) {
        if (row.name == name) {
            found.error().text += "; `baton ps --all` shows the exits";
            return found;
        }
        if (row.exit.has_ended()) continue;
        others += (others.empty() ? "" : ", ") + row.name;
        if (last_part(row.name) == last_part(name)) meant = row.name;
    }
    std::string text = fmt::format("no actor '{}' in session {}; ", name, place_.id);
    text += !meant.empty()   ? fmt::format("did you mean {}?", meant)
            : others.empty() ? "nobody else is there"
                             : fmt::format("there {} {}", others.find(',') == std::string::npos ? "is" : "are", others);
    return Error{ErrorKind::gone, std::move(text)};
}

Result<std::vector<dynamic::Actor>> Visit::find_actors(const std::vector<std::string>& names,
                                                std::string_view why_not_coordinator) {
    std::vector<dynamic::Actor> actors;
    for (const std::string& name : names) {
        Result<dynamic::Actor> found = find(name);
        if (!found) return found.error();
        if (is_coordinator(found->ref))
            return Error{ErrorKind::refused, fmt::format("the coordinator is the session: {}", why_not_coordinator)};
        const bool is_there = std::ranges::any_of(
            actors, [&](const dynamic::Actor& one) { return one.ref.id == found->ref.id; });
        if (!is_there) actors.push_back(std::move(*found));
    }
    return actors;
}

Result<std::vector<RosterRow>> Visit::roster(bool with_exited) {
    Result<std::vector<RosterRow>> rows = session_->context().roster(with_exited);
    if (!rows) return rows;
    std::erase_if(*rows, [this](const RosterRow& row) {
        return row.actor.id == session_->ref().id || is_past_visit(row);
    });
    return rows;
}

}  // namespace baton::tool
