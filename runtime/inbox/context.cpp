#include "runtime/context.hpp"

#include <algorithm>
#include <csignal>

#include "runtime/base/text.hpp"
#include "runtime/inbox/spawning.hpp"
#include "runtime/process/process_facts.hpp"
#include "runtime/session/environment.hpp"

namespace baton {

namespace {

coordinator::Spawn spawn_of(const Program& program, std::uint64_t fingerprint) {
    std::vector<std::string> folders = program.folders;
    for (std::string& folder : program_folders()) folders.push_back(std::move(folder));
    return {program.program, program.name, program.arguments, std::move(folders), fingerprint, program.deadline,
            program.memory_bytes == 0 ? std::nullopt : std::optional{program.memory_bytes}};
}

template <class C>
Result<Pending<typename C::Reply>> request_of_coordinator(Loop& loop, const C& command) {
    const Result<AskId> ask = loop.request(coordinator_id, command_name<C>, encoded_body(command), limits::coordinator_deadline);
    if (!ask) return ask.error();
    return Pending<typename C::Reply>{loop, *ask};
}

}  // namespace

Result<coordinator::Spawned> Context::spawn_program(const Program& program, std::uint64_t fingerprint) {
    Result<Spawning> spawning =
        Spawning::begin(*loop_, spawn_of(program, fingerprint), Deadline::in(loop_->clock(), program.deadline));
    if (!spawning) return spawning.error();
    return spawning->end();
}

Result<Pending<coordinator::Spawned>> Context::spawn_later(const Program& program, std::uint64_t fingerprint) {
    coordinator::Spawn spawn = spawn_of(program, fingerprint);
    spawn.until = until_of(Deadline::in(loop_->clock(), program.deadline));
    return request_of_coordinator(*loop_, spawn);
}

Result<Pending<std::vector<coordinator::Ended>>> Context::stop_later(std::vector<AnyRef> actors, Duration deadline) {
    if (actors.empty()) return Error{ErrorKind::refused, "there is nobody to stop: name at least one actor"};
    const std::optional<Duration> until = until_of(Deadline::in(loop_->clock(), deadline));
    return request_of_coordinator(*loop_, coordinator::StopActors{std::move(actors), deadline, false, until});
}

Result<void> Context::kill(AnyRef actor) {
    Result<std::monostate> done = call(*loop_, coordinator::Signal{actor, SIGKILL}, limits::coordinator_deadline);
    if (!done) return done.error();
    return {};
}

Result<std::string> Context::watch(AnyRef actor) {
    return call(*loop_, coordinator::Watch{actor}, limits::coordinator_deadline);
}

Result<void> Context::wait_for(const std::function<bool()>& done, Duration deadline) {
    if (!loop_->thread().is_this()) return loop_->thread().refusal();
    switch (loop_->wait_for(done, Deadline::in(loop_->clock(), deadline))) {
        case Loop::Waited::done: return {};
        case Loop::Waited::deadline: return Error{ErrorKind::timed_out, "what was waited for had not come by the deadline"};
        case Loop::Waited::gone: return loop_->coordinator_lost();
        case Loop::Waited::stopping: break;
    }
    return Error{ErrorKind::stopping, fmt::format("{} is stopping", name())};
}

std::optional<Vitals::Wait> Context::wait_of(AnyRef actor) const {
    const Vitals* vitals = loop_->vitals();
    const bool is_ours = loop_->require_ours(actor).ok();
    const VitalsRow* row = vitals == nullptr || !is_ours ? nullptr : vitals->row_of(actor.id);
    if (row == nullptr || vitals->has_exited(actor.id)) return std::nullopt;
    const std::optional<ProcessFacts> facts = facts_of(static_cast<pid_t>(row->pid.load(std::memory_order_relaxed)));
    if (!facts || facts->state != 'S') return std::nullopt;  // it may have its answer and not have seen it yet
    return vitals->wait_of(actor.id);
}

Result<coordinator::Spawned> Context::find_actor(std::string_view name, std::uint64_t fingerprint) {
    Result<coordinator::Spawned> found =
        call(*loop_, coordinator::Find{std::string(name)}, limits::coordinator_deadline);
    if (found && fingerprint != 0 && fingerprint_of(found->protocol) != fingerprint)
        return Error{ErrorKind::refused, fmt::format("{} speaks another protocol ({}) than the one expected", name,
                                                     found->protocol.name)};
    return found;
}

// ---- segments --------------------------------------------------------------------------------------

namespace {

// How often a create() that waits looks whether memory has come home.
constexpr Duration memory_interval = std::chrono::milliseconds{1};
// ... and how often it says that memory is short: what others let go after that waits with them for their own use.
constexpr Duration memory_short_interval = std::chrono::milliseconds{20};

// The kernel would see less of it: /dev/shm/NAME ends at a zero byte.
Result<void> check_memory_name(const std::string& name) {
    const bool is_fine = !name.empty() && name.size() <= limits::name_bytes_max && printable(name) == name &&
                         name.find('/') == std::string::npos && !name.starts_with("baton-") && name != "." && name != "..";
    if (is_fine) return {};
    return Error{ErrorKind::refused, fmt::format("'{}' can't be the name of shared memory: one to {} bytes of UTF-8 without '/' and "
                                                 "control characters, and not beginning with baton-", printable(readable(name, 80)),
                                                 limits::name_bytes_max)};
}

Error no_ledger() {
    return Error{ErrorKind::gone, "this process takes part in no ledger: its session is closed, or never was"};
}

}  // namespace

std::optional<Error> Context::cannot_hold() const {
    if (!loop_->thread().is_this()) return loop_->thread().refusal();
    if (loop_->holdings() == nullptr) return no_ledger();
    // What is made after the session has been swept has a name that nobody looks for any more.
    if (!loop_->has_coordinator()) return loop_->coordinator_lost();
    return std::nullopt;
}

Result<Segment> Context::create_as(Layout layout, Duration deadline) {
    if (std::optional<Error> why = cannot_hold(); why) return std::move(*why);
    Holdings* holdings = loop_->holdings();
    Result<Holding*> made = holdings->create(layout);
    if (!made && made.error().kind == ErrorKind::overloaded && deadline > Duration::zero()) {
        Deadline next_word{loop_->clock().now()};
        const auto has_made = [&] {
            if (next_word.has_passed(loop_->clock())) {
                static_cast<void>(tell(*loop_, coordinator::MemoryShort{}));
                next_word = Deadline::in(loop_->clock(), memory_short_interval);
            }
            made = holdings->create(layout);
            return made.ok() || made.error().kind != ErrorKind::overloaded;
        };
        const Loop::Waited waited = loop_->poll(has_made, memory_interval, Deadline::in(loop_->clock(), deadline));
        if (waited == Loop::Waited::gone) return loop_->coordinator_lost();
    }
    if (!made) return made.error();
    return Segment{*holdings, **made};
}

Result<Lent> Context::lend(Segment&& segment) {
    if (!loop_->thread().is_this()) return loop_->thread().refusal();
    Holding* holding = segment.holding();
    if (holding == nullptr) return Error{ErrorKind::refused, "an empty segment can't be lent: it was moved from, or given away"};
    Holdings& holdings = *segment.holdings();
    if (Result<void> done = holdings.lend(*holding); !done) return done.error();
    Lent lent{holdings, *holding};
    lent.wait_with(*loop_);
    return lent;
}

Result<void> Context::hand_out(Segment&& segment, const std::string& name) {
    if (!loop_->thread().is_this()) return loop_->thread().refusal();
    Holding* holding = segment.holding();
    if (holding == nullptr) return Error{ErrorKind::refused, "an empty segment can't be handed out: it was moved from, or given away"};
    if (Result<void> fine = check_memory_name(name); !fine) return fine;
    return segment.holdings()->hand_out(*holding, name);
}

Result<Segment> Context::take_in(const std::string& name, Layout layout) {
    if (std::optional<Error> why = cannot_hold(); why) return std::move(*why);
    Holdings* holdings = loop_->holdings();
    if (Result<void> fine = check_memory_name(name); !fine) return fine.error();
    Result<Holding*> taken = holdings->take_in(name, std::move(layout));
    if (!taken) return taken.error();
    return Segment{*holdings, **taken};
}

// ---- names -----------------------------------------------------------------------------------------

namespace {

// How often somebody who waits for a name looks whether it is published.
constexpr Duration name_interval = std::chrono::milliseconds{1};

}  // namespace

Result<void> Context::publish(const Lent& lent, const std::string& name, Published as) {
    Holding* holding = lent.holding();
    if (holding == nullptr) return Error{ErrorKind::refused, "an empty Lent can't be published: it was reclaimed or released"};
    return lent.holdings()->publish(*holding, name, as == Published::to_read ? LeaseKind::read : LeaseKind::shared);
}

void Context::withdraw(const Lent& lent) {
    if (Holding* holding = lent.holding(); holding != nullptr) lent.holdings()->unpublish(*holding);
}

Result<HeldMemory> Context::look_up_held(const std::string& name, std::optional<HandleKind> kind, Duration deadline) {
    Holdings* holdings = loop_->holdings();
    if (holdings == nullptr) return no_ledger();
    Result<Holding*> found = nullptr;
    const auto has_found = [&] {
        found = holdings->attach(name);
        return !found || *found != nullptr;
    };
    if (!has_found() && deadline > Duration::zero() &&
        loop_->poll(has_found, name_interval, Deadline::in(loop_->clock(), deadline)) == Loop::Waited::stopping)
        return Error{ErrorKind::stopping, fmt::format("{} is stopping and does not wait for the name '{}'", this->name(), name)};
    if (!found) return found.error();
    if (*found == nullptr)
        return Error{ErrorKind::gone, fmt::format("no segment is published under the name '{}': nobody has published it yet, or "
                                                  "its owner has withdrawn it or ended", name)};
    HeldMemory held{*holdings, **found};
    if (kind && (*found)->kind != *kind)
        return Error{ErrorKind::refused, fmt::format("'{}' is published to be {}: look it up as a {}", name,
                                                     (*found)->kind == HandleKind::lease ? "read" : "shared",
                                                     (*found)->kind == HandleKind::lease ? "Lease" : "Slice")};
    return held;
}

Result<CreatedOrAttached> Context::create_or_attach_as(const std::string& name, Layout layout,
                                                       const std::function<void(Segment&)>& fill, Duration duration) {
    const Deadline deadline = Deadline::in(loop_->clock(), duration);
    CreatedOrAttached out;
    const auto attach = [&](Duration wait) -> Result<void> {
        Result<HeldMemory> held = look_up_held(name, HandleKind::slice, wait);
        if (!held) return held.error();
        if (held->layout() != layout)
            return Error{ErrorKind::refused, fmt::format("the segment that is published as '{}' is {}, not {}", name,
                                                         to_text(held->layout()), to_text(layout))};
        static_cast<HeldMemory&>(out.slice) = std::move(*held);
        return {};
    };
    for (;;) {
        Result<void> attached = attach(Duration::zero());
        if (attached) return out;
        if (attached.error().kind != ErrorKind::gone) return attached.error();
        Result<Segment> fresh = create_as(layout, deadline.left(loop_->clock()));
        if (!fresh) return fresh.error();
        std::ranges::fill(fresh->bytes(), std::byte{0});  // nothing of an earlier use of that memory
        if (fill) fill(*fresh);
        Result<Lent> lent = lend(std::move(*fresh));
        if (!lent) return lent.error();
        const Result<void> published = publish(*lent, name, Published::to_share);
        if (published) {
            out.lent = std::move(*lent);
            if (Result<void> own = attach(Duration::zero()); !own) return own.error();
            return out;
        }
        // Somebody was first, whose it is then; unless the name itself is the trouble.
        if (published.error().kind != ErrorKind::refused || deadline.has_passed(loop_->clock())) return published.error();
        attached = attach(std::min(deadline.left(loop_->clock()), Duration{std::chrono::milliseconds{20}}));
        if (attached) return out;
        if (attached.error().kind != ErrorKind::gone) return attached.error();
    }
}

}  // namespace baton
