// What the coordinator does for actors that are restarted: Restarts decides, this carries it out. What is decided is
// recorded before it is acted on, so a coordinator that takes over goes on with it.
#include <algorithm>
#include <csignal>

#include "actors/coordinator/coordinator_actor.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/base/text.hpp"

namespace baton::detail::coordinator {
namespace {

// A next life that lacks something looks again after that time.
constexpr Duration hold_interval = std::chrono::milliseconds{20};
// How long it waits for receivers to look at asks that the last life has withdrawn: the row is the same.
constexpr Duration withdrawn_timeout = std::chrono::seconds{1};
constexpr Duration hung_look_min = std::chrono::milliseconds{10};
constexpr int descriptors_per_restart = 2;

bool has_failed(const Exit& exit) {
    switch (exit.kind) {
        case ExitKind::running:
        case ExitKind::stopped:
        case ExitKind::left: return false;
        case ExitKind::returned: return exit.code != 0;
        case ExitKind::signalled:
        case ExitKind::failed_check:
        case ExitKind::children_failed: return true;
    }
    return true;
}

Error refused(const SpawnOptions& options, std::string_view why) {
    return Error{ErrorKind::refused, fmt::format("{} is not started: {}", printable(readable(options.program, 200)),
                                                 why)};
}

}  // namespace

// ---- seats -----------------------------------------------------------------------------------------

Result<void> Coordinator::check_restart(const SpawnOptions& options, ActorId parent) const {
    if (options.hung_after && *options.hung_after <= Duration::zero())
        return refused(options, "hung_after must be longer than 0");
    if (options.kill_hung.value_or(false) && !options.hung_after)
        return refused(options, "it is to be killed when it is hung, and nothing says after how long (hung_after)");
    if (!options.restart) return {};
    const Restart& how = *options.restart;
    if (how.restarts_max > limits::restarts_max)
        return refused(options, fmt::format("it may be restarted {} times within its period, and at most {} are "
                                            "possible (limits::restarts_max)",
                                            how.restarts_max, limits::restarts_max));
    if (how.period <= Duration::zero() || how.back_off_first < Duration::zero() ||
        how.back_off_most < how.back_off_first)
        return refused(options, "the period of its restarts must be longer than 0, and its back-off must not end "
                                "below where it begins");
    if (how.group.empty()) return {};
    if (Result<void> fine = check_name(how.group); !fine) return fine;
    const Restart::Strategy* const strategy = restarts_.strategy_of(parent, how.group);
    if (strategy != nullptr && *strategy != how.strategy)
        return refused(options, fmt::format("other actors of the group '{}' have another strategy: a group has one",
                                            how.group));
    return {};
}

// What a next life needs is kept before the first one has a process.
Result<void> Coordinator::found_seat(Member& member, const Spawn& command, const Plan& plan) {
    const SpawnOptions& options = command.options;
    if (options.hung_after) {
        member.hung_after = bounded(*options.hung_after);
        member.kill_hung = options.kill_hung.value_or(false);
        next_look_for_hung_ = next_look_for_hung_.or_earlier(Deadline::in(loop_->clock(), member.hung_after));
    }
    if (!options.restart || options.restart->policy == Restart::Policy::never) return {};
    Recipe recipe{command, plan.spec.program, plan.spec.arguments, member.name, AnyRef{member.spawn_request.asker},
                  member.spawn_request.ask, member.wave};
    if (Result<void> kept = records_->keep_recipe(member.id.number, recipe); !kept) return kept;
    Seat seat;
    seat.first = member.id;
    seat.life = member.id;
    seat.parent = member.parent;
    seat.name = member.name;
    seat.how = *options.restart;
    seat.how.period = bounded(seat.how.period);
    seat.how.back_off_most = bounded(seat.how.back_off_most);
    seat.how.back_off_first = bounded(seat.how.back_off_first);
    seat.order = restarts_.next_order();
    restarts_.add(std::move(seat));
    recipes_[member.id.number] = std::move(recipe);
    return {};
}

// It is not restarted any more. The last life is not touched.
void Coordinator::forget_seat(ActorNumber number) {
    const auto found = restarts_.all().find(number);
    if (found == restarts_.all().end()) return;
    const Seat seat = found->second;
    restarts_.drop(number);
    recipes_.erase(number);
    members_.let_name_go(seat.name);
    if (seat.state == Seat::waits) records_->write_free(seat.life);
    records_->forget_recipe(number);
    answer_finds();
}

void Coordinator::forget_seats_of(ActorId parent) {
    for (const ActorId child : restarts_.children_of(parent))
        if (members_.find(child) == nullptr) forget_seat(child.number);
}

// Somebody wants its end: whichever of its lives is named, it is not restarted. Returns the last life.
ActorId Coordinator::stop_for_good(ActorId actor) {
    const Seat* const seat = restarts_.find(actor);
    if (seat == nullptr) return actor;
    const ActorId life = seat->life;
    if (Member* member = members_.find(life); member != nullptr) member->ended_with = EndedWith::nothing;
    forget_seat(life.number);
    return life;
}

// ---- the end of a life -----------------------------------------------------------------------------

bool Coordinator::ends_for_good(const Member& member) const {
    if (is_closing_ || records_->header().closing_until.load(std::memory_order_relaxed) != 0) return true;
    if (member.parent.is_somebody() && members_.find(member.parent) == nullptr) return true;
    const bool is_ended_for_another = member.ended_with != EndedWith::nothing || member.linked_end.is_somebody();
    return !is_ended_for_another && !member.stop.until.is_never();
}

Restarts::Decision Coordinator::decide_restart(const Member& member, Exit& exit) {
    const Seat* const seat = restarts_.find(member.id);
    if (seat == nullptr || seat->life != member.id) return {};
    if (ends_for_good(member)) {
        forget_seat(member.id.number);
        return {};
    }
    const bool failed = has_failed(exit) || member.linked_end.is_somebody();
    const Restarts::Decision decision = restarts_.ended(member.id, failed, to_text(exit));
    if (decision.restarts) {
        exit.restarts_in = restarts_.find(member.id)->due.left(loop_->clock());
    } else if (!restarts_.holds(member.id.number)) {
        recipes_.erase(member.id.number);
        records_->forget_recipe(member.id.number);
    }
    return decision;
}

void Coordinator::carry_out(const Restarts::Decision& decision, const Member& member, const Exit& exit) {
    const bool goes_up = exit.kind == ExitKind::children_failed && member.ended_with == EndedWith::children;
    if (decision.gives_up || (goes_up && !decision.restarts)) fail_parent(member, exit);
    std::vector<ActorId> to_stop;
    for (const ActorId other : decision.to_leave) {
        static_cast<void>(stop_for_good(other));
        if (members_.find(other) != nullptr) to_stop.push_back(other);
    }
    const Deadline deadline = Deadline::in(loop_->clock(), setting_.stop_deadline);
    if (!to_stop.empty()) stopping_.begin(std::move(to_stop), deadline, false, {});
    if (!decision.to_end.empty())
        end_with(decision.to_end, EndedWith::group, fmt::format("it is restarted with {}", member.name));
    // Last of all: as long as it is there, a coordinator that takes over does all of this again.
    if (decision.gives_up) forget_seat(member.id.number);
}

// An actor that is given up is a failure of the one that it belongs to; without one, of the session.
void Coordinator::fail_parent(const Member& child, const Exit& exit) {
    const Seat* const seat = restarts_.find(child.id);
    const std::string times =
        seat == nullptr ? ""
                        : fmt::format(" after {} restarts, the most that it may have within {:.3g} s",
                                      seat->recent.size(), std::chrono::duration<double>(seat->how.period).count());
    const std::string text = fmt::format("{} failed{}: {}", child.name, times, to_text(exit));
    const Member* const parent = members_.find(child.parent);
    if (parent != nullptr && !parent->is_outsider()) return end_with({parent->id}, EndedWith::children, text);
    if (parent == nullptr && child.parent.is_somebody()) return;
    records_->header().has_failed.store(1, std::memory_order_seq_cst);
    loop_->log().error("session.failed", "{}; nobody restarts it. The session goes on until it is closed", text);
}

// By the ladder, unless somebody wants their end anyway.
void Coordinator::end_with(std::vector<ActorId> actors, EndedWith why, const std::string& text) {
    std::erase_if(actors, [&](ActorId actor) {
        Member* const member = members_.find(actor);
        if (member == nullptr || ends_for_good(*member)) return true;
        member->ended_with = why;
        member->failure = text;
        records_->write(*member);
        loop_->log().warn("actor.ended", "name={} {}", member->name, text);
        return false;
    });
    if (!actors.empty())
        stopping_.begin(std::move(actors), Deadline::in(loop_->clock(), setting_.stop_deadline), false, {});
}

void Coordinator::put_between_lives(const Seat& seat) {
    const ActorNumber number = seat.life.number;
    restarts_.settled(number);
    members_.keep_name(seat.name);
    records_->write_between_lives(seat, recipes_.at(number));
    pass_crash_point(CrashPoint::restart_recorded);
}

// ---- the next life ---------------------------------------------------------------------------------

void Coordinator::begin_restarts() {
    for (const ActorNumber number : restarts_.due())
        if (restarts_.holds(number)) begin_restart(number);
}

void Coordinator::begin_restart(ActorNumber number) {
    const Seat& seat = restarts_.all().at(number);
    const Member* const parent = members_.find(seat.parent);
    const bool is_orphan = seat.parent.is_somebody() && (parent == nullptr || !parent->stop.until.is_never());
    const bool is_ending = is_closing_ || records_->header().closing_until.load(std::memory_order_relaxed) != 0;
    if (is_ending || is_orphan || !recipes_.contains(number)) return forget_seat(number);
    const bool is_patient = seat.held_since == Instant{} || loop_->clock().now() - seat.held_since < withdrawn_timeout;
    if ((vitals_->holds_withdrawn(number) && is_patient) ||
        !require_room(descriptors_per_restart, fmt::format("the coordinator can't restart {}", seat.name)))
        return restarts_.put_off(number, hold_interval);
    const Recipe& recipe = recipes_.at(number);
    const SpawnOptions& options = recipe.command.options;
    if (!members_.any_starts()) ++wave_;
    auto next = std::make_unique<Member>();
    next->id = members_.next_life(number);
    next->name = seat.name;
    next->program = recipe.program;
    next->wave = wave_;
    next->parent = seat.parent;
    next->spawn_request = {recipe.asker.id, recipe.ask};
    next->fingerprint_expected = recipe.command.fingerprint;
    if (recipe.asker.id.is_somebody()) next->watchers.insert(recipe.asker.id);
    next->hung_after = options.hung_after ? bounded(*options.hung_after) : Duration::zero();
    next->kill_hung = options.kill_hung.value_or(false);
    members_.let_name_go(seat.name);
    restarts_.begun(number, next->id);
    Member& member = members_.add(std::move(next));
    members_.set_spawn_deadline(member, Deadline::in(loop_->clock(), bounded(options.timeout)));
    records_->write(member);
    records_->header().wave.store(wave_, std::memory_order_relaxed);
    pass_crash_point(CrashPoint::restart_begun);
    if (Result<void> prepared = prepare_life(member.id, options.memory_bytes, member.name); !prepared)
        return undo_spawn(member, prepared.error());
    ChildSpec spec;
    spec.program = recipe.program;
    spec.arguments = recipe.arguments;
    spec.input = ChildSpec::Input::none;
    spec.environment = environment_of(member.id, options);
    if (Result<void> asked = anchor_->spawn(number, member.id, spec); !asked)
        return undo_spawn(member, asked.error());
    watch_requests();
    loop_->log().info("actor.restarted", "name={} id={} restarts={}", member.name, to_string(member.id), seat.restarts);
}

// A next life that was never started. Without a reason, because its request was lost with a coordinator: then it is
// started again; otherwise that is a failure like any other. False if it is not a next life, or if its end is wanted.
bool Coordinator::undo_restart(Member& member, const Error& why) {
    Seat* const seat = restarts_.find(member.id);
    if (seat == nullptr || seat->life != member.id || seat->life == seat->first || ends_for_good(member)) return false;
    stopping_.exited(member.id);
    const std::unique_ptr<Member> undone = members_.undo(member.id);
    if (why.text.empty()) {
        --seat->restarts;
        restarts_.put_off(undone->id.number, Duration::zero());
        put_between_lives(*seat);
        return true;
    }
    loop_->log().warn("actor.unstarted", "name={} {}", undone->name, to_text(why));
    const Exit exit{ExitKind::returned, 127, why.text, "", {}, {}};
    const Restarts::Decision decision = restarts_.ended(undone->id, true, to_text(exit));
    carry_out(decision, *undone, exit);
    if (decision.restarts) put_between_lives(*seat);
    else records_->write_free(undone->id);
    return true;
}

// ---- by name ---------------------------------------------------------------------------------------

// It is between two lives, or its present one is not ready yet.
bool Coordinator::is_about_to_live(const std::string& name) {
    const Member* const member = members_.find(name);
    if (member != nullptr) return !member->is_outsider() && member->state == Member::State::starting;
    return restarts_.find_between_lives(name) != nullptr;
}

void Coordinator::wait_for_life(const Find& command, Answer<Spawned> answer) {
    if (finds_.size() >= limits::awaits_max)
        return answer.fail(Error{ErrorKind::overloaded,
                                 fmt::format("{} asks of this session wait for a next life "
                                             "(limits::awaits_max)",
                                             limits::awaits_max)});
    finds_.push_back({command.name, Deadline{Instant{*command.until}}, std::move(answer)});
}

// Those whose actor is ready, or never will be, and those that have waited long enough.
void Coordinator::answer_finds() {
    for (std::size_t index = 0; index < finds_.size();) {
        WaitForLife& find = finds_[index];
        if (is_about_to_live(find.name) && !find.until.has_passed(loop_->clock())) {
            ++index;
            continue;
        }
        WaitForLife done = std::move(find);
        finds_.erase(finds_.begin() + static_cast<std::ptrdiff_t>(index));
        if (!is_about_to_live(done.name)) on(Find{done.name}, std::move(done.answer));
        else done.answer.fail(Error{ErrorKind::timed_out,
                                    fmt::format("{} is between two lives, and the next one was not ready in time",
                                                done.name)});
    }
}

Deadline Coordinator::next_late_find() const {
    Deadline next = Deadline::never();
    for (const WaitForLife& find : finds_) next = next.or_earlier(find.until);
    return next;
}

// ---- taking over -----------------------------------------------------------------------------------

void Coordinator::take_over_seat(const RosterEntry& entry) {
    if (!entry.seat.is_somebody() || entry.state == MemberRecord::free) return;
    std::optional<Recipe> recipe = records_->recipe_of(entry.id.number);
    std::optional<Seat> seat = recipe ? Records::seat_of(entry, *recipe) : std::nullopt;
    const bool is_between = entry.state == MemberRecord::between_lives;
    if (!seat && entry.seat_state == Seat::given_up) return;
    if (!seat) {
        loop_->log().warn("restart.forgotten", "name={} what it was started with cannot be read", entry.name);
        if (is_between) records_->write_free(entry.id);
        return;
    }
    // The state of the record is what counts, if it was not written to its end.
    if (is_between) seat->state = Seat::waits;
    else if (entry.is_alive() && (seat->is_between_lives() || seat->state == Seat::given_up)) seat->state = Seat::lives;
    if (is_between && seat->due.is_never()) seat->due = Deadline{loop_->clock().now()};
    if (is_between) members_.keep_name(seat->name);
    restarts_.add(std::move(*seat));
    recipes_[entry.id.number] = std::move(*recipe);
}

// Those that the one before us was about to end.
void Coordinator::go_on_ending() {
    std::vector<ActorId> all;
    for (const auto& [number, member] : members_.living()) {
        if (member->hung_after > Duration::zero()) next_look_for_hung_ = Deadline{loop_->clock().now()};
        const bool is_ended = member->ended_with == EndedWith::group || member->ended_with == EndedWith::children;
        if (is_ended && member->stop.until.is_never()) all.push_back(member->id);
    }
    if (!all.empty()) stopping_.begin(std::move(all), Deadline::in(loop_->clock(), setting_.stop_deadline), false, {});
    begin_restarts();
}

// ---- hung ------------------------------------------------------------------------------------------

void Coordinator::look_for_hung() {
    const Instant now = loop_->clock().now();
    Deadline next = Deadline::never();
    for (const auto& [number, member] : members_.living()) {
        if (member->hung_after <= Duration::zero()) continue;
        const VitalsRow* const row = vitals_->row_of(member->id);
        const std::int64_t since = row == nullptr ? 0 : row->work.in_hand_since.load(std::memory_order_relaxed);
        const Duration busy = since <= 0 ? Duration::zero() : now - Instant{Duration{since}};
        const bool is_hung = busy >= member->hung_after;
        next = next.or_earlier(Deadline::in(now, std::max(is_hung || busy <= Duration::zero()
                                                              ? member->hung_after / 2
                                                              : member->hung_after - busy,
                                                          hung_look_min)));
        if (is_hung == std::exchange(member->is_hung, is_hung)) continue;
        if (!is_hung) {
            loop_->log().info("actor.went_on", "name={}", member->name);
            continue;
        }
        const std::string text = fmt::format("hung: it has handled {} for {:.3g} s, and may for {:.3g} s",
                                             vitals_->in_hand(member->id).value_or("a command"),
                                             std::chrono::duration<double>(busy).count(),
                                             std::chrono::duration<double>(member->hung_after).count());
        loop_->log().warn("actor.hung", "name={} {}{}", member->name, text, member->kill_hung ? "; it is killed" : "");
        if (!member->kill_hung || !member->stop.until.is_never()) continue;
        member->ended_with = EndedWith::patience;
        member->failure = text;
        records_->write(*member);
        static_cast<void>(member->send_signal(SIGKILL));
    }
    next_look_for_hung_ = next;
}

}  // namespace baton::detail::coordinator
