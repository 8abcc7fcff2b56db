#include "runtime/vitals/vitals.hpp"

#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "runtime/base/text.hpp"

namespace baton::detail {
namespace {

constexpr std::size_t region_bytes = std::size_t{limits::actors_max} * VitalsRow::bytes;
constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto in_one_order = std::memory_order_seq_cst;

std::string name_of_region(std::string_view session_id) { return fmt::format("baton-{}-vitals", session_id); }

// Cut between two characters.
void store_text(char (&out)[VitalsRow::text_bytes], std::string_view text) noexcept {
    std::size_t size = std::min(text.size(), VitalsRow::text_bytes - 1);
    if (size < text.size())
        while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
    std::memcpy(out, text.data(), size);
    out[size] = 0;
}

// Copied before it is looked at: its writer may go on writing, and need not be one of ours.
std::string load_text(const char (&in)[VitalsRow::text_bytes]) {
    char copy[VitalsRow::text_bytes];
    std::memcpy(copy, in, sizeof copy);
    return readable({copy, ::strnlen(copy, sizeof copy)});
}

// Of a number that this process alone writes.
template <class Number>
void add_one(std::atomic<Number>& number) noexcept {
    number.store(number.load(relaxed) + 1, std::memory_order_release);
}

void empty(Traffic& traffic) noexcept {
    traffic.peer.store(0, relaxed);
    traffic.sent_commands.store(0, relaxed);
    traffic.sent_bytes.store(0, relaxed);
    traffic.taken_commands.store(0, relaxed);
    traffic.taken_bytes.store(0, relaxed);
    traffic.answered.store(0, relaxed);
    traffic.heard.store(0, relaxed);
    traffic.kept_ask.store(0, relaxed);
    traffic.kept_for.store(0, relaxed);
}

}  // namespace

Result<Vitals> Vitals::create(std::string_view session_id) {
    Result<SharedObject> object = SharedObject::create(name_of_region(session_id), region_bytes);
    if (!object) return object.error();
    Result<Mapping> mapping = Mapping::map(*object, Mapping::Access::write, 0, region_bytes);
    if (!mapping) return mapping.error();
    return Vitals{std::move(*object), std::move(*mapping)};
}

Result<Vitals> Vitals::open(std::string_view session_id) {
    Result<SharedObject> object = SharedObject::open(name_of_region(session_id));
    if (!object) return object.error();
    if (object->size() != region_bytes)
        return Error{ErrorKind::corrupt, fmt::format("the shared memory {} has {} bytes, expected {}: it is of another "
                                                     "version of Baton", object->name(), object->size(), region_bytes)};
    Result<Mapping> mapping = Mapping::map(*object, Mapping::Access::read, 0, region_bytes);
    if (!mapping) return mapping.error();
    return Vitals{std::move(*object), std::move(*mapping)};
}

void Vitals::remove(std::string_view session_id) noexcept { remove_shared_object(name_of_region(session_id)); }

VitalsRow* Vitals::at(std::uint32_t number) const noexcept {
    if (number == 0 || number > limits::actors_max) return nullptr;
    const std::size_t offset = std::size_t{number - 1} * VitalsRow::bytes;
    if (!committed_[number]) committed_[number] = object_.has_content(offset);
    return committed_[number] ? reinterpret_cast<VitalsRow*>(mapping_.data() + offset) : nullptr;
}

Result<void> Vitals::prepare(ActorId actor) {
    if (actor.number == 0 || actor.number > limits::actors_max)
        return Error{ErrorKind::overloaded, "the session has no row left for another actor"};
    if (Result<void> committed =
            object_.commit(std::size_t{actor.number - 1} * VitalsRow::bytes, VitalsRow::bytes);
        !committed)
        return committed;
    committed_[actor.number] = true;
    VitalsRow* row = at(actor.number);
    row->life.id.store(0, relaxed);
    row->work.handled.store(0, relaxed);
    row->work.in_hand_since.store(0, relaxed);
    row->life.is_kept.store(0, relaxed);
    row->peers.count.store(0, relaxed);
    row->peers.reused.store(0, relaxed);
    row->life.has_exited.store(0, relaxed);
    row->life.pid.store(0, relaxed);
    row->waits.asks.store(0, relaxed);
    row->waits.ask.store(0, relaxed);
    row->waits.uncounted.store(0, relaxed);
    row->waits.room_of.store(0, relaxed);
    row->waits.room_seen.store(0, relaxed);
    row->work.taken_ever.store(0, relaxed);
    row->work.handled_ever.store(0, relaxed);
    row->in_hand[0] = 0;
    row->last_words[0] = 0;
    row->withdrawn.count.store(0, relaxed);
    for (std::atomic<std::uint64_t>& ask : row->withdrawn.asks) ask.store(0, relaxed);
    for (Traffic& traffic : row->traffic) empty(traffic);
    row->life.id.store(packed(actor), std::memory_order_release);
    return {};
}

void Vitals::note_exit(ActorId actor) noexcept {
    if (row_of(actor) != nullptr) at(actor.number)->life.has_exited.store(1, std::memory_order_release);
}

bool Vitals::has_exited(ActorId actor) const noexcept {
    const VitalsRow* row = row_of(actor);
    return row == nullptr || row->life.has_exited.load(std::memory_order_acquire) != 0;
}

bool Vitals::has_lived(ActorId actor) const noexcept {
    const VitalsRow* row = at(actor.number);
    return row != nullptr && actor.incarnation != 0 &&
           unpacked(row->life.id.load(std::memory_order_acquire)).incarnation >= actor.incarnation;
}

std::optional<std::string> Vitals::in_hand(ActorId actor) const {
    const VitalsRow* row = row_of(actor);
    if (row == nullptr || row->work.in_hand_since.load(relaxed) == 0) return std::nullopt;
    return load_text(row->in_hand);
}

std::string Vitals::last_words(ActorId actor) const {
    const VitalsRow* row = row_of(actor);
    return row == nullptr ? std::string() : load_text(row->last_words);
}

Vitals::Begun Vitals::has_begun(ActorId receiver, ActorId asker, std::uint64_t sequence) const noexcept {
    const VitalsRow* row = row_of(receiver);
    if (row == nullptr || row->life.is_kept.load(relaxed) == 0) return Begun::unknown;
    if (const Traffic* traffic = find_traffic(*row, asker); traffic != nullptr)
        return traffic->taken_commands.load(in_one_order) >= sequence ? Begun::yes : Begun::no;
    // It has taken nothing of this asker, if it had a place left to count that.
    return row->peers.count.load(in_one_order) < VitalsRow::peers_max ? Begun::no : Begun::unknown;
}

bool Vitals::holds_withdrawn(std::uint32_t number) const noexcept {
    const VitalsRow* row = at(number);
    if (row == nullptr || row->withdrawn.count.load(relaxed) == 0) return false;
    const ActorId asker = unpacked(row->life.id.load(std::memory_order_acquire));
    const std::uint64_t count =
        std::min<std::uint64_t>(row->peers.count.load(std::memory_order_acquire), VitalsRow::peers_max);
    for (std::uint64_t index = 0; index < count; ++index) {
        const Traffic& sent = row->traffic[index];
        const ActorId receiver = unpacked(sent.peer.load(std::memory_order_acquire));
        const VitalsRow* theirs = row_of(receiver);
        if (theirs == nullptr || has_exited(receiver) || theirs->life.is_kept.load(relaxed) == 0) continue;
        // A command is counted as taken, looked at, and its bytes are counted then.
        const Traffic* taken = find_traffic(*theirs, asker);
        const std::uint64_t looked_at = taken == nullptr ? 0 : taken->taken_bytes.load(std::memory_order_acquire);
        if (looked_at < sent.sent_bytes.load(relaxed)) return true;
    }
    return false;
}

const VitalsRow* Vitals::row_of(ActorId actor) const noexcept {
    const VitalsRow* row = at(actor.number);
    return row != nullptr && row->life.id.load(std::memory_order_acquire) == packed(actor) ? row : nullptr;
}

std::uint64_t Vitals::waiting(ActorId from, ActorId to) const noexcept {
    const VitalsRow* sender = row_of(from);
    const VitalsRow* receiver = row_of(to);
    if (sender == nullptr || receiver == nullptr || receiver->life.is_kept.load(relaxed) == 0) return 0;
    const Traffic* outgoing = find_traffic(*sender, to);
    if (outgoing == nullptr) return 0;
    const Traffic* incoming = find_traffic(*receiver, from);
    if (incoming == nullptr && receiver->peers.reused.load(relaxed) > 0 && has_exited(from)) return 0;
    const std::uint64_t taken = incoming == nullptr ? 0 : incoming->taken_commands.load(relaxed);
    const std::uint64_t sent = outgoing->sent_commands.load(std::memory_order_seq_cst);
    return sent > taken ? sent - taken : 0;
}

const Traffic* find_traffic(const VitalsRow& row, ActorId peer) noexcept {
    const std::uint64_t count = std::min<std::uint64_t>(row.peers.count.load(in_one_order), VitalsRow::peers_max);
    for (std::uint64_t index = 0; index < count; ++index)
        if (row.traffic[index].peer.load(in_one_order) == packed(peer)) return &row.traffic[index];
    return nullptr;
}

// The id is read after the ask was found: a row is cleared before it is given to another life.
bool is_withdrawn(const VitalsRow& row, ActorId asker, std::uint64_t ask) noexcept {
    if (row.withdrawn.count.load(in_one_order) == 0) return false;
    const bool is_found = std::ranges::any_of(row.withdrawn.asks, [ask](const std::atomic<std::uint64_t>& one) {
        return one.load(std::memory_order_acquire) == ask;
    });
    return is_found && row.life.id.load(std::memory_order_acquire) == packed(asker);
}

Result<OwnVitals> OwnVitals::open(const Vitals& vitals, ActorId me) {
    if (vitals.row_of(me) == nullptr)
        return Error{ErrorKind::gone, fmt::format("the session holds no row for actor {}", to_string(me))};
    Result<Mapping> mapping = Mapping::map(vitals.object_, Mapping::Access::write,
                                           std::size_t{me.number - 1} * VitalsRow::bytes, VitalsRow::bytes);
    if (!mapping) return mapping.error();
    OwnVitals own{vitals, std::move(*mapping)};
    own.row().life.pid.store(static_cast<std::uint64_t>(::getpid()), relaxed);
    own.row().life.is_kept.store(1, relaxed);
    return own;
}

void OwnVitals::begin(std::string_view command, std::int64_t now) noexcept {
    store_text(row().in_hand, command);
    row().work.in_hand_since.store(now, relaxed);
}

void OwnVitals::end() noexcept {
    add_one(row().work.handled);
    row().work.in_hand_since.store(0, relaxed);
}

void OwnVitals::begin_wait(Vitals::Wait wait) noexcept {
    row().waits.ask.store(wait.ask, std::memory_order_release);
    row().waits.asks.store(packed(wait.whom), std::memory_order_release);
}

void OwnVitals::end_wait() noexcept { row().waits.asks.store(0, relaxed); }

void OwnVitals::begin_room_wait(Vitals::Wait wait) noexcept {
    row().waits.room_seen.store(wait.ask, std::memory_order_release);
    row().waits.room_of.store(packed(wait.whom), std::memory_order_release);
}

void OwnVitals::end_room_wait() noexcept { row().waits.room_of.store(0, relaxed); }

void OwnVitals::count_answered(Traffic* traffic, ActorId peer) noexcept {
    if (traffic == nullptr || !is_of(*traffic, peer)) return add_one(row().waits.uncounted);
    add_one(traffic->answered);
}

void OwnVitals::count_heard(Traffic* traffic, ActorId peer) noexcept {
    if (traffic != nullptr && is_of(*traffic, peer)) add_one(traffic->heard);
}

void OwnVitals::begin_taken() noexcept { add_one(row().work.taken_ever); }

void OwnVitals::end_taken() noexcept { add_one(row().work.handled_ever); }

void OwnVitals::keep_answer(Traffic& traffic, std::uint64_t ask, ActorId whom) noexcept {
    traffic.kept_ask.store(0, std::memory_order_release);
    traffic.kept_for.store(packed(whom), std::memory_order_release);
    if (whom.is_somebody()) traffic.kept_ask.store(ask, std::memory_order_release);
}

void OwnVitals::keep_last_words(std::string_view words) noexcept { store_text(row().last_words, words); }

bool OwnVitals::withdraw(std::uint64_t ask, ActorId to) noexcept {
    const auto free = std::ranges::find(withdrawn_, 0U, &Withdrawn::ask);
    if (free == withdrawn_.end()) return false;
    *free = {ask, to};
    ++withdrawn_count_;
    row().withdrawn.asks[free - withdrawn_.begin()].store(ask, std::memory_order_release);
    row().withdrawn.count.store(withdrawn_count_, in_one_order);
    return true;
}

void OwnVitals::end_withdrawal(std::uint64_t ask) noexcept {
    if (withdrawn_count_ == 0) return;
    const auto found = std::ranges::find(withdrawn_, ask, &Withdrawn::ask);
    if (found != withdrawn_.end()) free_withdrawn(static_cast<std::size_t>(found - withdrawn_.begin()));
}

void OwnVitals::end_withdrawals_to(ActorId to) noexcept {
    for (std::size_t place = 0; withdrawn_count_ > 0 && place < withdrawn_.size(); ++place)
        if (withdrawn_[place].ask != 0 && withdrawn_[place].to == to) free_withdrawn(place);
}

void OwnVitals::free_withdrawn(std::size_t place) noexcept {
    withdrawn_[place] = {};
    --withdrawn_count_;
    row().withdrawn.asks[place].store(0, relaxed);
    row().withdrawn.count.store(withdrawn_count_, std::memory_order_release);
}

Traffic* OwnVitals::traffic_with(ActorId peer) noexcept {
    if (const Traffic* known = find_traffic(row(), peer); known != nullptr) return const_cast<Traffic*>(known);
    const std::uint64_t count = row().peers.count.load(relaxed);
    if (count < VitalsRow::peers_max) {
        Traffic& fresh = row().traffic[count];
        fresh.peer.store(packed(peer), relaxed);
        row().peers.count.store(count + 1, in_one_order);
        return &fresh;
    }
    for (Traffic& traffic : row().traffic) {
        if (!vitals_->has_exited(unpacked(traffic.peer.load(relaxed)))) continue;
        add_one(row().peers.reused);
        empty(traffic);
        traffic.peer.store(packed(peer), in_one_order);
        return &traffic;
    }
    return nullptr;
}

}  // namespace baton::detail
