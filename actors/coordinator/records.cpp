#include "actors/coordinator/records.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/coordinator/decoded.hpp"
#include "runtime/base/text.hpp"
#include "runtime/inbox/call.hpp"

namespace baton::detail::coordinator {
namespace {

// A year.
constexpr std::int64_t hung_after_max = std::int64_t{365} * 24 * 3600 * 1'000'000'000;

std::string protocol_prefix(std::string_view session_id) { return fmt::format("baton-{}-protocol-", session_id); }
std::string protocol_name(std::string_view session_id, std::uint64_t fingerprint) {
    return fmt::format("{}{:016x}", protocol_prefix(session_id), fingerprint);
}

std::string recipe_prefix(std::string_view session_id) { return fmt::format("baton-{}-recipe-", session_id); }
std::string recipe_name(std::string_view session_id, ActorNumber number) {
    return fmt::format("{}{}", recipe_prefix(session_id), number);
}

std::int64_t nanoseconds(Deadline deadline) noexcept {
    return deadline.is_never() ? 0 : deadline.at().time_since_epoch().count();
}
Deadline deadline_at(std::int64_t nanoseconds) noexcept {
    return nanoseconds <= 0 ? Deadline::never() : Deadline{Instant{Duration{nanoseconds}}};
}

std::int64_t nanoseconds(Instant at) noexcept { return at.time_since_epoch().count(); }
Instant instant_at(std::int64_t nanoseconds) noexcept {
    return Instant{Duration{std::max<std::int64_t>(nanoseconds, 0)}};
}

void put_seat(RosterEntry& entry, const Seat& seat) {
    entry.seat = seat.first;
    entry.seat_state = seat.state;
    entry.restart_due = nanoseconds(seat.due);
    entry.restart_order = seat.order;
    entry.restarts = seat.restarts;
    entry.restarts_in_a_row = seat.in_a_row;
    entry.restart_begun = nanoseconds(seat.begun);
    entry.restart_policy = static_cast<std::uint64_t>(seat.how.policy);
    for (std::size_t index = 0; index < std::min(seat.recent.size(), entry.restarts_at.size()); ++index)
        entry.restarts_at[index] = nanoseconds(seat.recent[index]);
    entry.failure = seat.failure;
}

}  // namespace

void Records::remove(std::string_view session_id) noexcept {
    for (const std::string& name : shared_objects_named(protocol_prefix(session_id))) remove_shared_object(name);
    for (const std::string& name : shared_objects_named(recipe_prefix(session_id))) remove_shared_object(name);
}

// ---- written ---------------------------------------------------------------------------------------

MemberRecord::State Records::state_of(const Member& member) noexcept {
    switch (member.state) {
        case Member::State::starting: return MemberRecord::starting;
        case Member::State::ready: return MemberRecord::ready;
        case Member::State::stopping: break;
    }
    return MemberRecord::stopping;
}

void Records::write(const Member& member, MemberRecord::State state) {
    RosterEntry entry;
    entry.id = member.id;
    entry.state = state;
    const auto flag = [&entry](bool is_set, std::uint64_t value) { entry.flags |= is_set ? value : 0; };
    flag(member.is_outsider(), MemberRecord::is_outsider);
    flag(member.owns_session, MemberRecord::owns_session);
    flag(member.has_joined, MemberRecord::has_joined);
    flag(member.was_asked_to_stop, MemberRecord::was_asked_to_stop);
    flag(member.stop.drains, MemberRecord::stop_drains);
    flag(member.is_told, MemberRecord::is_told);
    entry.pid = member.pid;
    entry.start_ticks = member.start_ticks;
    entry.parent = member.parent;
    entry.wave = member.wave;
    entry.fingerprint = member.has_joined ? fingerprint_of(member.protocol) : 0;
    entry.fingerprint_expected = member.fingerprint_expected;
    entry.stop_until = nanoseconds(member.stop.until);
    entry.stop = member.stop_number;
    entry.stop_until_before = nanoseconds(member.stop_before.until);
    entry.stop_drains_before = member.stop_before.drains;
    entry.asked_to_close = member.asked_to_close;
    entry.spawn_until = nanoseconds(member.spawn_deadline);
    entry.spawn_asker = member.spawn_request.asker;
    entry.spawn_ask = member.spawn_request.ask;
    entry.token = member.token;
    entry.linked_end = member.linked_end;
    entry.links = member.links;
    entry.ended_with = static_cast<std::uint64_t>(member.ended_with);
    entry.hung_after = member.kill_hung ? -member.hung_after.count() : member.hung_after.count();
    if (const Seat* seat = restarts_ == nullptr ? nullptr : restarts_->find(member.id);
        seat != nullptr && seat->life == member.id)
        put_seat(entry, *seat);
    if (!member.failure.empty()) entry.failure = member.failure;
    entry.name = member.name;
    entry.program = member.program;
    entry.address = member.address;
    roster_.write(entry);
}

void Records::write_between_lives(const Seat& seat, const Recipe& recipe) {
    RosterEntry entry;
    entry.id = seat.life;
    entry.state = MemberRecord::between_lives;
    entry.parent = seat.parent;
    entry.spawn_asker = recipe.asker.id;
    entry.spawn_ask = recipe.ask;
    entry.wave = recipe.wave;
    entry.name = seat.name;
    entry.program = recipe.program;
    put_seat(entry, seat);
    roster_.write(entry);
}

Result<void> Records::keep_recipe(ActorNumber number, const Recipe& recipe) {
    const std::string name = recipe_name(session_id_, number);
    remove_shared_object(name);
    const Buffer body = encoded_body(recipe);
    return copy_to_shared_object(std::as_bytes(std::span{body.data(), body.size()}), name);
}

void Records::forget_recipe(ActorNumber number) noexcept { remove_shared_object(recipe_name(session_id_, number)); }

void Records::write_free(ActorId id) {
    RosterEntry entry;
    entry.id = id;
    roster_.write(entry);
}

void Records::keep_protocol(std::uint64_t fingerprint, const ProtocolDescription& protocol) const {
    const std::string name = protocol_name(session_id_, fingerprint);
    if (has_shared_object(name)) return;
    // One that cannot be kept is asked for again when its actor has rejoined.
    const Buffer body = encoded_body(protocol);
    static_cast<void>(copy_to_shared_object(std::as_bytes(std::span{body.data(), body.size()}), name));
}

void Records::take_role(std::uint64_t generation, std::uint64_t pid, std::uint64_t start_ticks) {
    header().generation.store(0, std::memory_order_seq_cst);  // nobody, while it is written
    header().coordinator_pid.store(pid, std::memory_order_seq_cst);
    header().coordinator_start_ticks.store(start_ticks, std::memory_order_seq_cst);
    header().generation.store(generation, std::memory_order_seq_cst);
}

// ---- read ------------------------------------------------------------------------------------------

std::vector<RosterEntry> Records::read_members() const {
    std::vector<RosterEntry> entries;
    for (std::uint32_t number = coordinator_id.number + 1; number <= limits::actors_max; ++number)
        if (std::optional<RosterEntry> entry = roster_.read(number); entry) entries.push_back(std::move(*entry));
    return entries;
}

ProtocolDescription Records::protocol_of(std::uint64_t fingerprint) const {
    const Result<SharedObject> object = SharedObject::open(protocol_name(session_id_, fingerprint));
    if (!object || object->size() > limits::protocol_bytes_max + 4096) return {};
    std::string bytes(object->size(), '\0');
    if (!object->read(0, bytes)) return {};
    std::optional<ProtocolDescription> protocol =
        decoded<ProtocolDescription>(bytes, SessionTag::of(session_id_));
    return protocol && fingerprint_of(*protocol) == fingerprint ? std::move(*protocol) : ProtocolDescription{};
}

std::optional<Recipe> Records::recipe_of(ActorNumber number) const {
    const Result<SharedObject> object = SharedObject::open(recipe_name(session_id_, number));
    if (!object || object->size() > 4 * limits::message_bytes_max) return std::nullopt;
    std::string bytes(object->size(), '\0');
    if (!object->read(0, bytes)) return std::nullopt;
    return decoded<Recipe>(bytes, SessionTag::of(session_id_));
}

std::optional<Seat> Records::seat_of(const RosterEntry& entry, const Recipe& recipe) {
    if (!recipe.command.options.restart || entry.seat.number != entry.id.number ||
        entry.seat.incarnation == 0 || entry.seat.incarnation > entry.id.incarnation)
        return std::nullopt;
    Seat seat;
    seat.state = static_cast<Seat::State>(std::min<std::uint64_t>(entry.seat_state, Seat::given_up));
    seat.first = entry.seat;
    seat.life = entry.id;
    seat.parent = entry.parent;
    seat.name = recipe.name;
    seat.how = *recipe.command.options.restart;
    seat.order = entry.restart_order;
    seat.restarts = entry.restarts;
    seat.in_a_row = static_cast<std::uint32_t>(std::min<std::uint64_t>(entry.restarts_in_a_row, limits::restarts_max));
    for (const std::int64_t at : entry.restarts_at)
        if (at > 0) seat.recent.push_back(instant_at(at));
    seat.begun = instant_at(entry.restart_begun);
    seat.due = deadline_at(entry.restart_due);
    seat.failure = readable(entry.failure);
    return seat;
}

std::unique_ptr<Member> Records::member_of(const RosterEntry& entry) const {
    auto member = std::make_unique<Member>();
    member->id = entry.id;
    member->name = readable(entry.name, limits::name_bytes_max);
    member->program = readable(entry.program);
    if (!entry.has(MemberRecord::is_outsider) && member->program.empty()) member->program = member->name;
    member->pid = entry.pid;
    member->start_ticks = entry.start_ticks;
    member->parent = entry.parent;
    member->wave = entry.wave;
    member->has_joined = entry.has(MemberRecord::has_joined);
    member->address = entry.address;
    if (member->has_joined) member->protocol = protocol_of(entry.fingerprint);
    member->fingerprint_expected = entry.fingerprint_expected;
    member->spawn_request = {entry.spawn_asker, entry.spawn_ask};
    member->spawn_deadline = deadline_at(entry.spawn_until);
    member->was_asked_to_stop = entry.has(MemberRecord::was_asked_to_stop);
    const StopOrder before{deadline_at(entry.stop_until_before), entry.stop_drains_before};
    if (is_committed(entry)) member->stop = {deadline_at(entry.stop_until), entry.has(MemberRecord::stop_drains)};
    else member->stop = before;
    member->asked_to_close = entry.asked_to_close;
    member->is_told = entry.has(MemberRecord::is_told);
    member->owns_session = entry.has(MemberRecord::owns_session);
    member->token = entry.token;
    member->linked_end = entry.linked_end;
    member->links = entry.links;
    member->ended_with = static_cast<EndedWith>(std::min<std::uint64_t>(
        entry.ended_with, static_cast<std::uint64_t>(EndedWith::patience)));
    if (member->ended_with != EndedWith::nothing) member->failure = readable(entry.failure);
    member->kill_hung = entry.hung_after < 0;
    member->hung_after = Duration{std::clamp(entry.hung_after, -hung_after_max, hung_after_max)};
    if (member->kill_hung) member->hung_after = -member->hung_after;
    if (entry.state == MemberRecord::ready) member->state = Member::State::ready;
    if (entry.state == MemberRecord::stopping) member->state = Member::State::stopping;
    if (entry.spawn_asker.is_somebody()) member->watchers.insert(entry.spawn_asker);
    return member;
}

}  // namespace baton::detail::coordinator
