#include "runtime/roster/roster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

namespace baton::detail {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto sequential = std::memory_order_seq_cst;
// A writer that is disturbed as often as this is dead, in the middle of a record.
constexpr int reads_max = 64;
constexpr std::uint64_t alignment = 8;

std::string name_of(std::string_view session_id) { return fmt::format("baton-{}-roster", session_id); }

std::uint64_t packed_id(ActorId id) noexcept { return std::uint64_t{id.number} << 32 | id.incarnation; }
ActorId unpacked_id(std::uint64_t id) noexcept {
    return {static_cast<std::uint32_t>(id >> 32), static_cast<std::uint32_t>(id)};
}

template <std::size_t Size>
void store_text(char (&into)[Size], std::string_view text) noexcept {
    const std::size_t size = std::min(text.size(), Size - 1);
    std::memcpy(into, text.data(), size);
    into[size] = 0;
}
template <std::size_t Size>
std::string load_text(const char (&from)[Size]) {
    return {from, ::strnlen(from, Size)};
}

std::uint64_t padded(std::uint64_t bytes) noexcept { return (bytes + alignment - 1) / alignment * alignment; }

Result<void> check_format(const RosterHeader& header, const std::string& name) {
    const std::uint64_t version = header.version.load(relaxed);
    if (header.magic.load(relaxed) == RosterHeader::magic_word && version == RosterHeader::version_word) return {};
    return Error{ErrorKind::corrupt,
                 fmt::format("the roster {} is of version {}, expected {}: it is of another version "
                             "of Baton",
                             name, version, RosterHeader::version_word)};
}

}  // namespace

Result<void> RosterRegion::create(std::string_view session_id, const Anchor& anchor) {
    Result<SharedObject> object = SharedObject::create(name_of(session_id), roster_bytes);
    if (!object) return object.error();
    if (Result<void> committed = object->commit(0, RosterHeader::bytes); !committed) return committed;
    Result<Mapping> mapping = Mapping::map(*object, Mapping::Access::write, 0, RosterHeader::bytes);
    if (!mapping) return mapping.error();
    auto& header = *reinterpret_cast<RosterHeader*>(mapping->data());
    header.anchor_pid.store(anchor.pid, relaxed);
    header.anchor_start_ticks.store(anchor.start_ticks, relaxed);
    header.anchor_version.store(anchor.version, relaxed);
    header.version.store(RosterHeader::version_word, relaxed);
    header.magic.store(RosterHeader::magic_word, sequential);
    return {};
}

Result<RosterRegion> RosterRegion::open(std::string_view session_id, Use use) {
    Result<SharedObject> object = SharedObject::open(name_of(session_id));
    if (!object) return object.error();
    if (object->size() != roster_bytes)
        return Error{ErrorKind::corrupt,
                     fmt::format("the roster {} has {} bytes, expected {}: it is of another version of Baton",
                                 object->name(), object->size(), roster_bytes)};
    const auto access = use == Use::writes ? Mapping::Access::write : Mapping::Access::read;
    Result<Mapping> mapping = Mapping::map(*object, access, 0, roster_bytes);
    if (!mapping) return mapping.error();
    RosterRegion roster{std::move(*object), std::move(*mapping)};
    if (Result<void> fits = check_format(roster.header(), roster.object_.name()); !fits) return fits.error();
    return roster;
}

void RosterRegion::remove(std::string_view session_id) noexcept { remove_shared_object(name_of(session_id)); }

RosterHeader& RosterRegion::header() const noexcept { return *reinterpret_cast<RosterHeader*>(mapping_.data()); }

// ---- members ---------------------------------------------------------------------------------------

MemberRecord* RosterRegion::record(std::uint32_t number) const noexcept {
    const std::size_t offset = roster_records_offset + number * MemberRecord::bytes;
    if (number > limits::actors_max || !object_.has_content(offset)) return nullptr;
    return reinterpret_cast<MemberRecord*>(mapping_.data() + offset);
}

Result<void> RosterRegion::prepare(std::uint32_t number) {
    return object_.commit(roster_records_offset + number * MemberRecord::bytes, MemberRecord::bytes);
}

void RosterRegion::write(const RosterEntry& entry) noexcept {
    auto& to = *reinterpret_cast<MemberRecord*>(mapping_.data() + roster_records_offset +
                                                entry.id.number * MemberRecord::bytes);
    // A predecessor may have died in the middle of it.
    const std::uint64_t before = to.changes.load(relaxed) | 1;
    to.changes.store(before, sequential);
    to.id.store(packed_id(entry.id), relaxed);
    to.state.store(entry.state, relaxed);
    to.flags.store(entry.flags, relaxed);
    to.pid.store(entry.pid, relaxed);
    to.start_ticks.store(entry.start_ticks, relaxed);
    to.parent.store(packed_id(entry.parent), relaxed);
    to.wave.store(entry.wave, relaxed);
    to.fingerprint.store(entry.fingerprint, relaxed);
    to.fingerprint_expected.store(entry.fingerprint_expected, relaxed);
    to.stop_until.store(entry.stop_until, relaxed);
    to.spawn_until.store(entry.spawn_until, relaxed);
    to.spawn_asker.store(packed_id(entry.spawn_asker), relaxed);
    to.spawn_ask.store(entry.spawn_ask, relaxed);
    to.token.store(entry.token, relaxed);
    to.linked_end.store(packed_id(entry.linked_end), relaxed);
    for (std::size_t index = 0; index < limits::links_max; ++index)
        to.links[index].store(index < entry.links.size() ? packed_id(entry.links[index]) : 0, relaxed);
    to.stop.store(entry.stop, relaxed);
    to.stop_until_before.store(entry.stop_until_before, relaxed);
    to.stop_drains_before.store(entry.stop_drains_before ? 1 : 0, relaxed);
    to.asked_to_close.store(entry.asked_to_close ? 1 : 0, relaxed);
    to.ended_with.store(entry.ended_with, relaxed);
    to.seat.store(packed_id(entry.seat), relaxed);
    to.seat_state.store(entry.seat_state, relaxed);
    to.hung_after.store(entry.hung_after, relaxed);
    to.restart_due.store(entry.restart_due, relaxed);
    to.restart_order.store(entry.restart_order, relaxed);
    to.restarts.store(entry.restarts, relaxed);
    to.restarts_in_a_row.store(entry.restarts_in_a_row, relaxed);
    to.restart_begun.store(entry.restart_begun, relaxed);
    to.restart_policy.store(entry.restart_policy, relaxed);
    for (std::size_t index = 0; index < entry.restarts_at.size(); ++index)
        to.restarts_at[index].store(entry.restarts_at[index], relaxed);
    store_text(to.failure, entry.failure);
    store_text(to.name, entry.name);
    store_text(to.program, entry.program);
    store_text(to.address, entry.address);
    to.changes.store(before + 1, sequential);
}

std::optional<RosterEntry> RosterRegion::read(std::uint32_t number) const {
    const MemberRecord* const from = record(number);
    if (from == nullptr) return std::nullopt;
    RosterEntry entry;
    for (int reads = 0; reads < reads_max; ++reads) {
        const std::uint64_t before = from->changes.load(sequential);
        entry.id = unpacked_id(from->id.load(relaxed));
        const std::uint64_t state = from->state.load(relaxed);
        entry.state = static_cast<MemberRecord::State>(std::min<std::uint64_t>(state, MemberRecord::between_lives));
        entry.flags = from->flags.load(relaxed);
        entry.pid = from->pid.load(relaxed);
        entry.start_ticks = from->start_ticks.load(relaxed);
        entry.parent = unpacked_id(from->parent.load(relaxed));
        entry.wave = from->wave.load(relaxed);
        entry.fingerprint = from->fingerprint.load(relaxed);
        entry.fingerprint_expected = from->fingerprint_expected.load(relaxed);
        entry.stop_until = from->stop_until.load(relaxed);
        entry.spawn_until = from->spawn_until.load(relaxed);
        entry.spawn_asker = unpacked_id(from->spawn_asker.load(relaxed));
        entry.spawn_ask = from->spawn_ask.load(relaxed);
        entry.token = from->token.load(relaxed);
        entry.linked_end = unpacked_id(from->linked_end.load(relaxed));
        entry.links.clear();
        for (const std::atomic<std::uint64_t>& link : from->links)
            if (const ActorId other = unpacked_id(link.load(relaxed)); other.is_somebody())
                entry.links.push_back(other);
        entry.stop = from->stop.load(relaxed);
        entry.stop_until_before = from->stop_until_before.load(relaxed);
        entry.stop_drains_before = from->stop_drains_before.load(relaxed) != 0;
        entry.asked_to_close = from->asked_to_close.load(relaxed) != 0;
        entry.ended_with = from->ended_with.load(relaxed);
        entry.seat = unpacked_id(from->seat.load(relaxed));
        entry.seat_state = from->seat_state.load(relaxed);
        entry.hung_after = from->hung_after.load(relaxed);
        entry.restart_due = from->restart_due.load(relaxed);
        entry.restart_order = from->restart_order.load(relaxed);
        entry.restarts = from->restarts.load(relaxed);
        entry.restarts_in_a_row = from->restarts_in_a_row.load(relaxed);
        entry.restart_begun = from->restart_begun.load(relaxed);
        entry.restart_policy = from->restart_policy.load(relaxed);
        for (std::size_t index = 0; index < entry.restarts_at.size(); ++index)
            entry.restarts_at[index] = from->restarts_at[index].load(relaxed);
        entry.failure = load_text(from->failure);
        entry.name = load_text(from->name);
        entry.program = load_text(from->program);
        entry.address = load_text(from->address);
        if (from->changes.load(sequential) == before && before % 2 == 0) break;
    }
    // What a dead coordinator has left half written is read as it is: all of it was about the same life, because a
    // number is given to another one in a record that is free.
    if (entry.id.number != number || entry.id.incarnation == 0) return std::nullopt;
    return entry;
}

// ---- the journal -----------------------------------------------------------------------------------

void RosterRegion::copy_in(std::uint64_t at, std::string_view bytes) noexcept {
    const std::size_t place = at % journal_bytes;
    const std::size_t first = std::min(bytes.size(), journal_bytes - place);
    std::byte* const ring = mapping_.data() + roster_journal_offset;
    std::memcpy(ring + place, bytes.data(), first);
    std::memcpy(ring, bytes.data() + first, bytes.size() - first);
}

void RosterRegion::copy_out(std::uint64_t at, std::span<char> bytes) const noexcept {
    const std::size_t place = at % journal_bytes;
    const std::size_t first = std::min(bytes.size(), journal_bytes - place);
    const std::byte* const ring = mapping_.data() + roster_journal_offset;
    std::memcpy(bytes.data(), ring + place, first);
    std::memcpy(bytes.data() + first, ring, bytes.size() - first);
}

bool RosterRegion::append(std::uint32_t kind, std::string_view record) {
    const std::uint64_t size = sizeof(JournalEntry) + padded(record.size());
    if (size > journal_bytes / 2) return false;
    const std::uint64_t head = header().journal_head.load(relaxed);
    std::uint64_t tail = header().journal_tail.load(relaxed);
    if (tail > head || head - tail > journal_bytes) tail = head;
    while (head + size - tail > journal_bytes) {
        JournalEntry oldest;
        copy_out(tail, {reinterpret_cast<char*>(&oldest), sizeof oldest});
        const std::uint64_t next = tail + sizeof oldest + padded(oldest.bytes);
        tail = next > head ? head : next;
    }
    header().journal_tail.store(tail, sequential);
    if (head < journal_bytes) {
        // Once around, all of it is there.
        const std::size_t end = static_cast<std::size_t>(std::min<std::uint64_t>(head + size, journal_bytes));
        if (!object_.commit(roster_journal_offset + head, end - head)) return false;
        if (head + size > journal_bytes && !object_.commit(roster_journal_offset, head + size - journal_bytes))
            return false;
    }
    const JournalEntry entry{kind, static_cast<std::uint32_t>(record.size())};
    copy_in(head, {reinterpret_cast<const char*>(&entry), sizeof entry});
    copy_in(head + sizeof entry, record);
    header().journal_head.store(head + size, sequential);
    return true;
}

void RosterRegion::read_journal(const std::function<void(std::uint32_t, std::string_view)>& take) const {
    const std::uint64_t head = header().journal_head.load(sequential);
    std::uint64_t at = header().journal_tail.load(sequential);
    if (at > head || head - at > journal_bytes) return;
    std::vector<char> record;
    while (head - at >= sizeof(JournalEntry)) {
        JournalEntry entry;
        copy_out(at, {reinterpret_cast<char*>(&entry), sizeof entry});
        const std::uint64_t size = sizeof entry + padded(entry.bytes);
        if (size > head - at) return;
        record.resize(entry.bytes);
        copy_out(at + sizeof entry, record);
        take(entry.kind, {record.data(), record.size()});
        at += size;
    }
}

// ---- the role --------------------------------------------------------------------------------------

Result<RoleView> RoleView::open(std::string_view session_id) {
    Result<SharedObject> object = SharedObject::open(name_of(session_id));
    if (!object) return object.error();
    if (object->size() != roster_bytes)
        return Error{ErrorKind::corrupt, fmt::format("the roster {} is of another version of Baton", object->name())};
    Result<Mapping> mapping = Mapping::map(*object, Mapping::Access::read, 0, RosterHeader::bytes);
    if (!mapping) return mapping.error();
    if (Result<void> fits = check_format(*reinterpret_cast<RosterHeader*>(mapping->data()), object->name()); !fits)
        return fits.error();
    return RoleView{std::move(*mapping)};
}

RoleView::Holder RoleView::holder() const noexcept {
    const auto& header = *reinterpret_cast<const RosterHeader*>(mapping_.data());
    for (int reads = 0; reads < reads_max; ++reads) {
        const std::uint64_t generation = header.generation.load(sequential);
        const Holder holder{
            {header.coordinator_pid.load(sequential), header.coordinator_start_ticks.load(sequential)}, generation};
        if (header.generation.load(sequential) == generation) return holder;
    }
    return {};
}

RoleView::Process RoleView::anchor() const noexcept {
    const auto& header = *reinterpret_cast<const RosterHeader*>(mapping_.data());
    return {header.anchor_pid.load(relaxed), header.anchor_start_ticks.load(relaxed)};
}

bool RoleView::is_over() const noexcept {
    return reinterpret_cast<const RosterHeader*>(mapping_.data())->is_over.load(sequential) != 0;
}

}  // namespace baton::detail
