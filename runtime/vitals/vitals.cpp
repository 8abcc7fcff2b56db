#include "runtime/vitals/vitals.hpp"

#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "runtime/base/text.hpp"

namespace baton::detail {
namespace {

constexpr std::size_t rows_bytes = std::size_t{limits::actors_max} * VitalsRow::bytes;
constexpr std::size_t sender_sets_bytes =
    ((limits::actors_max + 1) * sizeof(SenderSet) / VitalsRow::page_bytes + 1) * VitalsRow::page_bytes;
constexpr std::size_t region_bytes = rows_bytes + sender_sets_bytes;
constexpr std::uint32_t page_of(std::uint32_t number) { return number / VitalsRow::places_per_page; }
constexpr std::size_t offset_of(std::uint32_t number) { return std::size_t{number - 1} * VitalsRow::bytes; }
constexpr std::size_t offset_of_page(std::uint32_t number, std::uint32_t page) {
    return offset_of(number) + VitalsRow::header_bytes + page * VitalsRow::page_bytes;
}
constexpr std::size_t offset_of_senders(std::uint32_t number) { return rows_bytes + number * sizeof(SenderSet); }
constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto in_one_order = std::memory_order_seq_cst;

std::string name_of_region(std::string_view session_id) { return fmt::format("baton-{}-vitals", session_id); }

// Cut between two characters.
void store_text(char (&out)[VitalsRow::text_bytes], std::string_view text) noexcept {
    std::size_t size = std::min(text.size(), VitalsRow::text_bytes - 1);
    if (size < text.size())
        while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
    std::copy_n(text.begin(), size, out);
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

Result<Vitals> Vitals::open(std::string_view session_id, Use use) {
    Result<SharedObject> object = SharedObject::open(name_of_region(session_id));
    if (!object) return object.error();
    if (object->size() != region_bytes)
        return Error{ErrorKind::corrupt, fmt::format("the shared memory {} has {} bytes, expected {}: it is of another "
                                                     "version of Baton", object->name(), object->size(), region_bytes)};
    const auto access = use == Use::reads ? Mapping::Access::read : Mapping::Access::write;
    Result<Mapping> mapping = Mapping::map(*object, access, 0, region_bytes);
    if (!mapping) return mapping.error();
    return Vitals{std::move(*object), std::move(*mapping)};
}

void Vitals::remove(std::string_view session_id) noexcept { remove_shared_object(name_of_region(session_id)); }

VitalsRow* Vitals::at(std::uint32_t number) const noexcept {
    if (number == 0 || number > limits::actors_max) return nullptr;
    const std::size_t offset = offset_of(number);
    if (!committed_[number]) committed_[number] = object_.has_content(offset);
    return committed_[number] ? reinterpret_cast<VitalsRow*>(mapping_.data() + offset) : nullptr;
}

SenderSet& Vitals::senders_of(std::uint32_t number) const noexcept {
    return *reinterpret_cast<SenderSet*>(mapping_.data() + offset_of_senders(number));
}

bool Vitals::is_committed(std::uint32_t number, std::uint32_t page) const noexcept {
    std::uint32_t& known = committed_pages_[number];
    const std::uint32_t bit = std::uint32_t{1} << page;
    if ((known & bit) == 0 && object_.has_content(offset_of_page(number, page))) known |= bit;
    return (known & bit) != 0;
}

Result<void> Vitals::prepare(ActorId actor, std::string_view name) {
    if (actor.number == 0 || actor.number > limits::actors_max)
        return Error{ErrorKind::overloaded, "the session has no row left for another actor"};
    if (Result<void> committed = object_.commit(offset_of_senders(actor.number), sizeof(SenderSet)); !committed)
        return committed;
    if (Result<void> committed = object_.commit(offset_of(actor.number), VitalsRow::header_bytes); !committed)
        return committed;
    committed_[actor.number] = true;
    VitalsRow* row = at(actor.number);
    row->life.id.store(0, relaxed);
    row->work.handled.store(0, relaxed);
    row->work.in_hand_since.store(0, relaxed);
    row->life.is_kept.store(0, relaxed);
    row->peers.pages.store(0, relaxed);
    row->peers.lacking.store(0, relaxed);
    row->life.has_exited.store(0, relaxed);
    row->life.pid.store(0, relaxed);
    row->waits.asks.store(0, relaxed);
    row->waits.ask.store(0, relaxed);
    row->waits.uncounted.store(0, relaxed);
    row->waits.room_of.store(0, relaxed);
    row->waits.room_seen.store(0, relaxed);
    row->work.taken_ever.store(0, relaxed);
    row->work.handled_ever.store(0, relaxed);
    store_text(row->name, name);
    row->in_hand[0] = 0;
    row->last_words[0] = 0;
    row->withdrawn.count.store(0, relaxed);
    for (std::atomic<std::uint64_t>& ask : row->withdrawn.asks) ask.store(0, relaxed);
    for (std::atomic<std::uint64_t>& word : senders_of(actor.number).words) word.store(0, relaxed);
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

std::optional<std::string> Vitals::name_of(ActorId actor) const {
    const VitalsRow* row = row_of(actor);
    if (row == nullptr || row->life.is_kept.load(relaxed) == 0 || has_exited(actor)) return std::nullopt;
    std::string name = load_text(row->name);
    return name.empty() ? std::nullopt : std::optional{std::move(name)};
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
    // It has taken nothing of this asker, if it could make a place to count that.
    return row->peers.lacking.load(in_one_order) == 0 ? Begun::no : Begun::unknown;
}

bool Vitals::holds_withdrawn(std::uint32_t number) const noexcept {
    const VitalsRow* row = at(number);
    if (row == nullptr || row->withdrawn.count.load(relaxed) == 0) return false;
    const ActorId asker = unpacked(row->life.id.load(std::memory_order_acquire));
    const std::uint64_t pages = row->peers.pages.load(std::memory_order_acquire);
    for (std::uint32_t place = 0; place <= limits::actors_max; ++place) {
        if ((pages >> page_of(place) & 1) == 0 || !is_committed(number, page_of(place))) continue;
        const Traffic& sent = row->traffic[place];
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
    const std::uint64_t taken = incoming == nullptr ? 0 : incoming->taken_commands.load(relaxed);
    const std::uint64_t sent = outgoing->sent_commands.load(std::memory_order_seq_cst);
    return sent > taken ? sent - taken : 0;
}

std::vector<ActorId> Vitals::senders_to(ActorId actor) const {
    std::vector<ActorId> senders;
    if (row_of(actor) == nullptr) return senders;
    const SenderSet& set = senders_of(actor.number);
    for (std::uint32_t index = 0; index < SenderSet::words_max; ++index)
        for (std::uint64_t bits = set.words[index].load(in_one_order); bits != 0; bits &= bits - 1) {
            const VitalsRow* row = at(index * 64 + static_cast<std::uint32_t>(std::countr_zero(bits)));
            if (row != nullptr) senders.push_back(unpacked(row->life.id.load(std::memory_order_acquire)));
        }
    return senders;
}

void account_for(const Vitals& vitals, ActorId from, ActorId to) noexcept {
    const VitalsRow* const sender = vitals.row_of(from);
    const Traffic* const outgoing = sender == nullptr ? nullptr : vitals.find_traffic(*sender, to);
    if (outgoing == nullptr) return;
    // The coordinator maps all rows writable.
    auto& sent = const_cast<std::atomic<std::uint64_t>&>(outgoing->sent_commands);
    sent.store(sent.load(relaxed) - vitals.waiting(from, to), std::memory_order_seq_cst);
}

// The life of the row is the caller's to know.
const Traffic* Vitals::find_traffic(const VitalsRow& row, ActorId peer) const noexcept {
    if (peer.number == 0 || peer.number > limits::actors_max) return nullptr;
    if ((row.peers.pages.load(in_one_order) >> page_of(peer.number) & 1) == 0) return nullptr;
    const auto offset = static_cast<std::size_t>(reinterpret_cast<const std::byte*>(&row) - mapping_.data());
    const auto number = static_cast<std::uint32_t>(offset / VitalsRow::bytes + 1);
    if (!is_committed(number, page_of(peer.number))) return nullptr;
    const Traffic& traffic = row.traffic[peer.number];
    return traffic.peer.load(in_one_order) == packed(peer) ? &traffic : nullptr;
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
                                           offset_of(me.number), VitalsRow::bytes);
    if (!mapping) return mapping.error();
    Result<Mapping> sets = Mapping::map(vitals.object_, Mapping::Access::write, rows_bytes, sender_sets_bytes);
    if (!sets) return sets.error();
    OwnVitals own{vitals, me, std::move(*mapping), std::move(*sets)};
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

// What the last life of this row has left in the page is not ours.
Result<void> OwnVitals::make_page(std::uint32_t page) {
    const std::uint64_t bit = std::uint64_t{1} << page;
    if ((pages_ & bit) != 0) return {};
    Result<void> committed = vitals_->object_.commit(offset_of_page(me_.number, page), VitalsRow::page_bytes);
    if (!committed) return committed;
    for (std::uint32_t place = 0; place < VitalsRow::places_per_page; ++place)
        empty(row().traffic[page * VitalsRow::places_per_page + place]);
    row().peers.pages.store(pages_ |= bit, in_one_order);
    return {};
}

Traffic* OwnVitals::traffic_with(ActorId peer) noexcept {
    if (peer.number == 0 || peer.number > limits::actors_max) return nullptr;
    if (!make_page(page_of(peer.number))) {
        row().peers.lacking.store(row().peers.lacking.load(relaxed) + 1, in_one_order);
        return nullptr;
    }
    Traffic& place = row().traffic[peer.number];
    const ActorId holder = unpacked(place.peer.load(relaxed));
    if (holder == peer) return &place;
    // A process that speaks under an id that is not a member's does not displace a member.
    if (holder.is_somebody() && vitals_->row_of(holder) != nullptr) return nullptr;
    place.peer.store(0, in_one_order);
    empty(place);
    place.peer.store(packed(peer), in_one_order);
    return &place;
}

Result<void> OwnVitals::begin_sending(ActorId to) {
    const VitalsRow* const theirs = vitals_->row_of(to);
    if (theirs == nullptr) return {};  // no member, or not any more
    if (Result<void> made = make_page(page_of(to.number)); !made) return made;
    const std::uint32_t page = page_of(me_.number);
    if ((theirs->peers.pages.load(std::memory_order_acquire) >> page & 1) == 0) {
        Result<void> committed = vitals_->object_.commit(offset_of_page(to.number, page), VitalsRow::page_bytes);
        if (!committed) return committed;
    }
    auto& set = *reinterpret_cast<SenderSet*>(sender_sets_.data() + to.number * sizeof(SenderSet));
    // In one order with the life of the receiver and the coordinator's look, as what is counted after it.
    set.words[me_.number / 64].fetch_or(std::uint64_t{1} << me_.number % 64, in_one_order);
    return {};
}

}  // namespace baton::detail
