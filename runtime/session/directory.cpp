#include "runtime/session/directory.hpp"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <unordered_map>
#include <unordered_set>

#include "runtime/inbox/call.hpp"
#include "runtime/inbox/spawning.hpp"
#include "runtime/process/process_facts.hpp"
#include "runtime/session/role_watch.hpp"
#include "runtime/session/environment.hpp"

namespace baton::detail {
namespace {

// A wait for a next life that has no limit of its own.
constexpr Duration find_timeout_max = std::chrono::hours{24 * 365};

// Asks under way; those that are still there at the end, even if an exception is that end, are given up.
struct Asked {
    explicit Asked(Loop& one) : loop(one) {}
    ~Asked() {
        for (const AskId ask : all) loop.abandon(ask);
    }
    Asked(const Asked&) = delete;
    Asked& operator=(const Asked&) = delete;
    Loop& loop;
    std::vector<AskId> all;
};

// Readable from the start.
Result<UniqueFd> ended_sentinel() {
    UniqueFd ended{::eventfd(1, EFD_CLOEXEC)};
    if (!ended.is_open())
        return Error{ErrorKind::overloaded, fmt::format("cannot make a sentinel: {}", std::strerror(errno))};
    return ended;
}

}  // namespace

Directory::Directory(Loop& loop) : loop_(&loop), folders_(program_folders()) {}

Result<void> Directory::require_open() const {
    if (!loop_->thread().is_this()) return loop_->thread().refusal();
    if (!is_closed_) return {};
    return Error{ErrorKind::gone, "the session is closed: nothing can be done with it any more"};
}

coordinator::Spawn Directory::command_of(const SpawnOptions& options, std::uint64_t fingerprint) const {
    coordinator::Spawn command{options, fingerprint};
    std::vector<std::string>& folders = command.options.folders;
    folders.insert(folders.end(), folders_.begin(), folders_.end());
    return command;
}

// ---- actors ----------------------------------------------------------------------------------------

Result<std::vector<Spawned>> Directory::spawn(const std::vector<SpawnOptions>& what, Within within,
                                              std::uint64_t fingerprint,
                                              const std::function<void(std::size_t)>& on_ready) {
    if (Result<void> open = require_open(); !open) return std::move(open).error();
    const Deadline deadline = within.deadline(loop_->clock());
    std::vector<Spawning> all;
    std::optional<Error> failure;
    for (const SpawnOptions& one : what) {
        coordinator::Spawn command = command_of(one, fingerprint);
        command.options.timeout = within.timeout(loop_->clock());
        Result<Spawning> spawning = Spawning::begin(*loop_, std::move(command), deadline);
        if (!spawning) {
            failure = std::move(spawning).error();
            break;
        }
        all.push_back(std::move(*spawning));
    }
    std::size_t ready_before = 0;
    const auto all_settled = [&] {
        const auto ready = static_cast<std::size_t>(
            std::ranges::count_if(all, [](const Spawning& one) { return one.is_settled(); }));
        if (ready != ready_before && on_ready) on_ready(ready);
        ready_before = ready;
        return ready == all.size();
    };
    if (!all.empty()) static_cast<void>(loop_->serve(nullptr, all_settled, all.front().patience()));
    std::vector<Spawned> spawned;
    bool is_answered = true;
    for (Spawning& spawning : all) {
        Result<Spawned> one = spawning.end();
        is_answered = is_answered && !spawning.was_given_up();
        if (one) {
            spawned.push_back(std::move(*one));
        } else if (!failure) {
            failure = one.error();
        }
    }
    std::vector<AnyRef> started;
    for (const Spawned& one : spawned) {
        started.push_back(one.actor);
        // Its exit is told to us. If the coordinator dies as it tells that, the next one is asked.
        loop_->control().watches_exit_of(one.actor.id);
    }
    if (!failure) {
        remember_spawned(started);
        return spawned;
    }
    if (started.empty()) return *failure;
    if (is_answered) {
        static_cast<void>(stop(started, limits::stop_timeout));
    } else {  // nobody waits for a coordinator that does not answer
        static_cast<void>(tell(*loop_, coordinator::StopActors{std::move(started), limits::stop_timeout}));
    }
    return *failure;
}

// Those that live, and as many of those that have ended as the roster remembers.
void Directory::remember_spawned(const std::vector<AnyRef>& started) {
    spawned_.insert(spawned_.end(), started.begin(), started.end());
    if (spawned_.size() <= limits::exits_kept_max) return;
    const Result<std::vector<RosterRow>> rows = roster(false);
    if (!rows) return;
    std::unordered_set<ActorId> alive;
    for (const RosterRow& row : *rows) alive.insert(row.actor.id);
    std::size_t too_many = spawned_.size() - limits::exits_kept_max / 2;
    std::erase_if(spawned_,
                  [&](const AnyRef& one) { return too_many > 0 && !alive.contains(one.id) && too_many-- > 0; });
}

Result<Spawned> Directory::find(std::string_view name, std::optional<Deadline> end) {
    if (Result<void> open = require_open(); !open) return open.error();
    if (!end) return call(*loop_, coordinator::Find{std::string(name)}, limits::coordinator_timeout);
    const Deadline bounded = end->or_earlier(Deadline::in(loop_->clock(), find_timeout_max));
    return ask_coordinator(coordinator::Find{std::string(name), until_of(bounded)}, bounded);
}

Result<std::vector<RosterRow>> Directory::roster(bool with_exited) {
    if (Result<void> open = require_open(); !open) return open.error();
    std::vector<RosterRow> rows;
    std::unordered_map<ActorId, std::size_t> places;  // of the living: one may exit between two pages
    coordinator::RosterPlace place;
    const Deadline deadline = Deadline::in(loop_->clock(), limits::coordinator_timeout);
    for (;;) {
        Result<coordinator::RosterPage> page =
            call(*loop_, coordinator::RosterFrom{with_exited, place}, deadline.left(loop_->clock()));
        if (!page) return page.error();
        for (RosterRow& row : page->rows) {
            const auto [known, is_new] = places.try_emplace(row.actor.id, rows.size());
            if (is_new) rows.push_back(std::move(row));
            else rows[known->second] = std::move(row);
        }
        if (!page->next) return rows;
        place = *page->next;
    }
}

Result<std::vector<Ended>> Directory::stop(std::vector<AnyRef> actors, Within within, bool drain) {
    if (Result<void> open = require_open(); !open) return open.error();
    const Deadline end = within.deadline(loop_->clock());
    Result<std::vector<Ended>> ended = ask_coordinator(
        coordinator::StopActors{actors, within.timeout(loop_->clock()), drain, until_of(end)}, end);
    if (!ended || ended->size() >= actors.size()) return ended;
    // The answer may have had no room for the exits of those that had ended before.
    std::unordered_set<ActorId> missing;
    for (const AnyRef& actor : actors) missing.insert(actor.id);
    for (const Ended& one : *ended) missing.erase(one.actor.id);
    if (Result<std::vector<RosterRow>> others = exits_from({}); others)
        for (RosterRow& one : *others)
            if (missing.erase(one.actor.id) == 1)
                ended->push_back({one.actor, std::move(one.name), std::move(one.exit)});
    return ended;
}

Result<std::vector<RosterRow>> Directory::exits_from(coordinator::RosterPlace place) {
    std::vector<RosterRow> rows;
    place.number = std::numeric_limits<std::uint32_t>::max();  // behind all who live
    for (;;) {
        Result<coordinator::RosterPage> page =
            call(*loop_, coordinator::RosterFrom{true, place}, limits::coordinator_timeout);
        if (!page) return page.error();
        for (RosterRow& row : page->rows) rows.push_back(std::move(row));
        if (!page->next) return rows;
        place = *page->next;
    }
}

Result<std::vector<Ended>> Directory::end_session(Within within) {
    const Deadline deadline = within.deadline(loop_->clock());
    Result<coordinator::Closed> closed =
        ask_coordinator(coordinator::CloseSession{within.timeout(loop_->clock())}, deadline);
    if (!closed) return closed.error();
    // It waits for our goodbye, and goes on answering until then.
    if (closed->next)
        if (Result<std::vector<RosterRow>> more = exits_from(*closed->next); more)
            for (RosterRow& row : *more)
                if (!row.program.empty())
                    closed->ended.push_back({row.actor, std::move(row.name), std::move(row.exit)});
    return std::move(closed->ended);
}

Result<coordinator::Incumbent> Directory::restart_coordinator(Within within) {
    if (Result<void> open = require_open(); !open) return open.error();
    if (role_ == nullptr) return Error{ErrorKind::unsupported, "this member does not watch who coordinates"};
    return ask_coordinator(coordinator::Replace{role_->generation()}, within.deadline(loop_->clock()));
}

pid_t Directory::coordinator_pid() const noexcept { return role_ == nullptr ? 0 : role_->pid(); }

bool Directory::is_coordinator_frozen() const {
    const std::optional<ProcessFacts> facts = facts_of(coordinator_pid());
    return facts && (facts->state == 'T' || facts->state == 't');
}

Result<void> Directory::signal(AnyRef actor, int number) {
    if (Result<void> open = require_open(); !open) return open.error();
    Result<std::monostate> done = call(*loop_, coordinator::Signal{actor, number}, limits::coordinator_timeout);
    if (!done) return done.error();
    return {};
}

Result<Ended> Directory::join(AnyRef actor, Within within) {
    if (Result<void> open = require_open(); !open) return open.error();
    const Result<AskId> ask = loop_->request(coordinator_id, command_name<coordinator::Await>,
                                             encoded_body(coordinator::Await{actor}), limits::coordinator_timeout);
    if (!ask) return ask.error();
    return Pending<Ended>{PendingReply{*loop_, *ask}}.get_word(within);
}

Result<void> Directory::sync(std::span<const AnyRef> actors, Within within) {
    if (Result<void> open = require_open(); !open) return open.error();
    const Deadline deadline = within.deadline(loop_->clock());
    Buffer nothing;
    Encoder{nothing}.nil();
    Asked asked{*loop_};
    std::vector<AskId>& asks = asked.all;
    std::optional<Error> failure;
    for (const AnyRef& actor : actors) {
        Result<AskId> ask = loop_->request(actor, sync_tag, nothing, deadline);
        if (ask) {
            asks.push_back(*ask);
        } else {
            failure = ask.error();
        }
    }
    for (const AskId ask : asks)
        if (Result<ReplyFrame> reply = loop_->await(ask, deadline); !reply && !failure) failure = reply.error();
    if (failure) return *failure;
    return {};
}

Result<Exit> Directory::exit_of(AnyRef actor) {
    if (Result<void> open = require_open(); !open) return open.error();
    const Result<std::string> name = call(*loop_, coordinator::Watch{actor}, limits::coordinator_timeout);
    if (name) return Exit{};
    if (name.error().kind != ErrorKind::gone) return name.error();
    const Result<Ended> ended = call(*loop_, coordinator::Await{actor}, limits::coordinator_timeout);
    if (!ended) return ended.error();
    return ended->exit;
}

Result<UniqueFd> Directory::sentinel(AnyRef actor) {
    if (Result<void> open = require_open(); !open) return open.error();
    const Result<std::string> name = call(*loop_, coordinator::Watch{actor}, limits::coordinator_timeout);
    if (name) loop_->control().watches_exit_of(actor.id);
    const Result<Spawned> found = name ? find(*name) : Result<Spawned>{name.error()};
    if (!found && found.error().kind != ErrorKind::gone) return found.error();
    Result<UniqueFd> process = Error{ErrorKind::gone, "it has ended"};
    if (found && found->actor == actor) {
        if (found->pid == 0)
            return Error{
                ErrorKind::refused,
                fmt::format("{} did not give its pid when it joined, or is an actor of a test world, which has no "
                            "processes: there is no sentinel of it",
                            *name)};
        process = open_pidfd(static_cast<pid_t>(found->pid));
        if (!process && process.error().kind != ErrorKind::gone) return process.error();
    }
    // Only now it is known whose process that is: the coordinator knows of an end before the pid can be used again, so
    // it was the actor's own if that lives still.
    const Result<Exit> exit = exit_of(actor);
    if (!exit) return exit.error();
    if (exit->has_ended()) return ended_sentinel();
    if (!process)
        return Error{
            ErrorKind::refused,
            fmt::format("the process of {} is alive, but cannot be seen from here (is it in another container?)",
                        to_string(actor.id))};
    return process;
}

}  // namespace baton::detail
