#include "runtime/context.hpp"

#include <csignal>

#include "runtime/base/text.hpp"
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
    // The coordinator keeps the deadline; ours is only for a coordinator that has died.
    return call(*loop_, spawn_of(program, fingerprint), program.deadline + limits::coordinator_deadline);
}

Result<Pending<coordinator::Spawned>> Context::spawn_later(const Program& program, std::uint64_t fingerprint) {
    return request_of_coordinator(*loop_, spawn_of(program, fingerprint));
}

Result<Pending<std::vector<coordinator::Ended>>> Context::stop_later(std::vector<AnyRef> actors, Duration deadline) {
    if (actors.empty()) return Error{ErrorKind::refused, "there is nobody to stop: name at least one actor"};
    return request_of_coordinator(*loop_, coordinator::StopActors{std::move(actors), deadline, false});
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
    switch (loop_->wait_for(done, Deadline::in(loop_->clock(), deadline))) {
        case Loop::Waited::done: return {};
        case Loop::Waited::deadline: return Error{ErrorKind::timed_out, "what was waited for had not come by the deadline"};
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

Result<Segment> Context::create_as(Layout layout, Duration deadline) {
    Holdings* holdings = loop_->holdings();
    if (holdings == nullptr) return no_ledger();
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
        static_cast<void>(loop_->poll(has_made, memory_interval, Deadline::in(loop_->clock(), deadline)));
    }
    if (!made) return made.error();
    return Segment{*holdings, **made};
}

Result<Lent> Context::lend(Segment&& segment) {
    Holding* holding = segment.holding();
    if (holding == nullptr) return Error{ErrorKind::refused, "an empty segment can't be lent: it was moved from, or given away"};
    Holdings& holdings = *segment.holdings();
    if (Result<void> done = holdings.lend(*holding); !done) return done.error();
    Lent lent{holdings, *holding};
    lent.wait_with(*loop_);
    return lent;
}

Result<void> Context::hand_out(Segment&& segment, const std::string& name) {
    Holding* holding = segment.holding();
    if (holding == nullptr) return Error{ErrorKind::refused, "an empty segment can't be handed out: it was moved from, or given away"};
    if (Result<void> fine = check_memory_name(name); !fine) return fine;
    return segment.holdings()->hand_out(*holding, name);
}

Result<Segment> Context::take_in(const std::string& name, Layout layout) {
    Holdings* holdings = loop_->holdings();
    if (holdings == nullptr) return no_ledger();
    if (Result<void> fine = check_memory_name(name); !fine) return fine.error();
    Result<Holding*> taken = holdings->take_in(name, std::move(layout));
    if (!taken) return taken.error();
    return Segment{*holdings, **taken};
}

}  // namespace baton
