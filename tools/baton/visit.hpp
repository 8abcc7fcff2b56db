#pragma once
// Visit: this program's stay in one session: an outsider named "baton", without an inbox, that never starts a
// coordinator and leaves as soon as it is done.
//
// Ctrl-C during a visit ends every wait as `stopping`; before and after it the signal has its usual meaning.
// One thread; one Visit at a time.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <baton/outsider.hpp>
#include <baton/sessions.hpp>

namespace baton::tool {

inline constexpr std::string_view visitor_name = "baton";

// What every subcommand is told beside its own options.
struct Wishes {
    std::optional<std::string> session = {};  // id or folder
    bool wants_json = false;
};

// True for the coordinator, which is an actor of every session.
[[nodiscard]] bool is_coordinator(const AnyRef& actor) noexcept;
// Another run of this program, under its name or a numbered one: it has no inbox, so its exit is not news.
[[nodiscard]] bool is_past_visit(const RosterRow& row);

class Visit {
public:
    [[nodiscard]] static Result<std::unique_ptr<Visit>> enter(SessionInfo place);
    ~Visit();

    [[nodiscard]] Outsider& session() noexcept { return *session_; }
    [[nodiscard]] const SessionInfo& place() const noexcept { return place_; }

    // A living actor by its name, the coordinator included. `gone` says how it ended or which actors there are.
    [[nodiscard]] Result<dynamic::Actor> find(std::string_view name);
    // All of them or the first error. The coordinator is refused with `why_not_coordinator`.
    [[nodiscard]] Result<std::vector<dynamic::Actor>> find_actors(const std::vector<std::string>& names,
                                                           std::string_view why_not_coordinator);
    // Everybody but this visit and those of the past.
    [[nodiscard]] Result<std::vector<RosterRow>> roster(bool with_exited);

private:
    explicit Visit(SessionInfo place) : place_(std::move(place)) {}
    SessionInfo place_;
    std::unique_ptr<Outsider> session_;
};

}  // namespace baton::tool
