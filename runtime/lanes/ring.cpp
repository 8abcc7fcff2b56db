#include "runtime/lanes/ring.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/base/check.hpp"

namespace baton::detail {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
// A side that writes one word and then looks at another, while the other side does it the other way round, does both in
// one order, so that one of the two sees what the other has written.
constexpr auto in_one_order = std::memory_order_seq_cst;

constexpr std::size_t page_bytes = 4096;
// A writer that asked for room and then wrote nothing leaves a chunk without records.
constexpr int jumps_in_a_row_max = 64;
constexpr std::size_t first_chunk_bytes = RingPlace::chunk_unit_bytes;  // two of them are a page
constexpr std::size_t chunk_bytes_max = std::size_t{4} << 20;
static_assert(2 * first_chunk_bytes == page_bytes);
static_assert(chunk_bytes_max <= (std::size_t{1} << RingPlace::at_bits) * RingPlace::record_unit_bytes);

// What stands at the start of a chunk, and before each record.
struct ChunkHead {
    std::uint32_t bytes = 0;
    std::uint32_t lap = 0;
};
enum class RecordKind : std::uint32_t { data = 1, jump = 2 };
struct RecordHead {
    std::uint32_t bytes = 0;
    std::uint32_t kind = 0;
};
struct Jump {
    RecordHead head;
    std::uint32_t unit = 0;
    std::uint32_t reserved = 0;
};

constexpr std::size_t rounded(std::size_t bytes) noexcept {
    return (bytes + RingPlace::record_unit_bytes - 1) & ~(RingPlace::record_unit_bytes - 1);
}
constexpr std::size_t record_bytes_of(std::size_t bytes) noexcept { return sizeof(RecordHead) + rounded(bytes); }

// Copied once; the compiler may not read it again.
template <class Head>
Head copy_of(const std::byte* from) noexcept {
    Head head;
    std::memcpy(&head, from, sizeof head);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return head;
}
template <class Head>
void put(std::byte* to, const Head& head) noexcept {
    std::memcpy(to, &head, sizeof head);
}

// What a reader needs of a chunk whose records it has read: the page of its head, and [jump, end), the pages behind
// that one in which the jump lies.
struct KeptPages {
    std::size_t jump;
    std::size_t end;
    explicit KeptPages(std::size_t jump_at) noexcept
        : jump(std::max(page_bytes, jump_at / page_bytes * page_bytes)),
          end(std::max(page_bytes, (jump_at + sizeof(Jump) + page_bytes - 1) / page_bytes * page_bytes)) {}
};

std::size_t offset_of(std::uint32_t unit) noexcept { return std::size_t{unit} * RingPlace::chunk_unit_bytes; }

}  // namespace

// ---- the writer --------------------------------------------------------------------------------------

std::byte* RingWriter::reserve(std::size_t bytes) {
    check(bytes <= ring_record_bytes_max, "a record is no larger than a ring takes");
    memory_.is_short = false;
    const std::size_t needed = record_bytes_of(bytes);
    if (chunk_.bytes == 0 && !begin()) return nullptr;
    // There is always room for the jump.
    if (at_ + needed + sizeof(Jump) > chunk_.bytes && !jump(needed)) return nullptr;
    return chunk_data_ + at_ + sizeof(RecordHead);
}

void RingWriter::commit(std::size_t bytes) noexcept {
    put(chunk_data_ + at_, RecordHead{static_cast<std::uint32_t>(bytes), static_cast<std::uint32_t>(RecordKind::data)});
    at_ += record_bytes_of(bytes);
    published_ = {chunk_.unit, lap_, static_cast<std::uint32_t>(at_ / RingPlace::record_unit_bytes)};
    words_->written.store(published_.word(), in_one_order);
}

bool RingWriter::begin() {
    memory_.is_short = !area_->commit(0, page_bytes);
    if (memory_.is_short) return false;
    std::byte* const data = area_->enter(0, first_chunk_bytes);
    if (data == nullptr) return false;
    chunk_ = {0, first_chunk_bytes};
    chunk_data_ = data;
    free_.push_back({1, first_chunk_bytes});
    end_ = 2;
    put(data, ChunkHead{chunk_.bytes, lap_});
    at_ = sizeof(ChunkHead);
    return true;
}

bool RingWriter::jump(std::size_t bytes) {
    const std::optional<Chunk> next = next_chunk(bytes + sizeof(ChunkHead) + sizeof(Jump));
    return next && jump_to(*next);
}

bool RingWriter::jump_to(Chunk next) {
    put(chunk_data_ + at_, Jump{{sizeof(Jump) - sizeof(RecordHead), static_cast<std::uint32_t>(RecordKind::jump)},
                                next.unit});
    std::byte* const data = area_->enter(offset_of(next.unit), next.bytes);
    if (data == nullptr) {  // nobody has seen the jump
        free_.push_back(next);
        chunk_data_ = area_->enter(offset_of(chunk_.unit), chunk_.bytes);
        check(chunk_data_ != nullptr, "memory that was mapped before can be entered again");
        return false;
    }
    used_.push_back({chunk_, lap_, at_});
    chunk_ = next;
    chunk_data_ = data;
    lap_ = RingPlace::next_lap(lap_);
    put(data, ChunkHead{chunk_.bytes, lap_});
    at_ = sizeof(ChunkHead);
    return true;
}

// The smallest that is free, or a new one. A ring whose reader keeps up stays as small as it is.
std::optional<RingWriter::Chunk> RingWriter::next_chunk(std::size_t bytes) {
    collect_read();
    auto best = free_.end();
    for (auto one = free_.begin(); one != free_.end(); ++one)
        if (one->bytes >= bytes && (best == free_.end() || one->bytes < best->bytes)) best = one;
    if (best == free_.end()) return fresh_chunk(bytes);
    const Chunk chunk = *best;
    free_.erase(best);
    return chunk;
}

std::optional<RingWriter::Chunk> RingWriter::fresh_chunk(std::size_t bytes) {
    std::size_t wanted = std::min(2 * std::size_t{chunk_.bytes}, chunk_bytes_max);
    while (wanted < bytes) wanted *= 2;
    const auto again = std::ranges::find_if(given_back_, [&](Chunk one) { return one.bytes >= bytes; });
    if (again != given_back_.end()) {
        const Chunk chunk = *again;
        memory_.is_short = !area_->commit(offset_of(chunk.unit), chunk.bytes);
        if (memory_.is_short) return std::nullopt;
        given_back_.erase(again);
        memory_.has_grown = true;
        return chunk;
    }
    // Where this much cannot be had, as much as the record needs may do.
    for (const std::size_t size : {wanted, (bytes + page_bytes - 1) / page_bytes * page_bytes}) {
        if (offset_of(end_) + size > area_->bytes_max()) continue;
        memory_.is_short = !area_->commit(offset_of(end_), size);
        if (memory_.is_short) continue;
        const Chunk chunk{end_, static_cast<std::uint32_t>(size)};
        end_ += static_cast<std::uint32_t>(size / RingPlace::chunk_unit_bytes);
        memory_.has_grown = true;
        return chunk;
    }
    return used_.empty() && forget_places() ? fresh_chunk(bytes) : std::nullopt;
}

// An area whose places have become too small for what is to be written is laid out anew, once the reader has left all
// of them but the one that is being filled. False if there was nothing to forget.
bool RingWriter::forget_places() noexcept {
    const std::uint32_t behind = chunk_.unit + static_cast<std::uint32_t>(chunk_.bytes / RingPlace::chunk_unit_bytes);
    if (memory_.is_short || end_ <= std::max(behind, 2U)) return false;
    for (const Chunk one : free_)
        if (one.unit > 1) area_->give_back(offset_of(one.unit), one.bytes);
    std::erase_if(free_, [](Chunk one) { return one.unit > 1; });
    given_back_.clear();
    constexpr auto most = static_cast<std::uint32_t>(chunk_bytes_max / RingPlace::chunk_unit_bytes);
    for (std::uint32_t unit = 2; unit < chunk_.unit; unit += most) {
        const std::uint32_t units = std::min(most, chunk_.unit - unit);
        given_back_.push_back({unit, units * static_cast<std::uint32_t>(RingPlace::chunk_unit_bytes)});
    }
    end_ = std::max(behind, 2U);
    return true;
}

// A reader that writes nonsense frees nothing.
void RingWriter::collect_read() noexcept {
    const RingPlace read = RingPlace::of(words_->read.load(in_one_order));
    const auto reached = std::ranges::find_if(used_, [&](const Used& one) { return one.lap == read.lap; });
    if (reached == used_.end() && read.lap != lap_) return;
    for (auto one = used_.begin(); one != reached; ++one) {
        if (one->is_trimmed) give_back(*one);
        else free_.push_back(one->chunk);
    }
    used_.erase(used_.begin(), reached);
}

bool RingWriter::is_empty() const noexcept {
    return words_->read.load(std::memory_order_acquire) == published_.word();
}

bool RingWriter::ask_for_room(std::size_t bytes) {
    words_->wants_room.store(1, in_one_order);
    if (reserve(bytes) == nullptr) return true;
    words_->wants_room.store(0, relaxed);
    return false;
}

void RingWriter::trim() noexcept {
    collect_read();
    std::erase_if(free_, [this](Chunk one) {
        if (one.bytes <= first_chunk_bytes) return false;
        area_->give_back(offset_of(one.unit), one.bytes);
        given_back_.push_back(one);
        return true;
    });
    if (chunk_.bytes > first_chunk_bytes && is_empty()) leave_for_first_page();
    memory_.has_grown = chunk_.bytes > first_chunk_bytes || !used_.empty();
}

// The reader stands before the jump, which nobody has published: it finds it with the next record.
void RingWriter::leave_for_first_page() noexcept {
    const auto next = std::ranges::find_if(free_, [](Chunk one) { return one.bytes == first_chunk_bytes; });
    if (next == free_.end()) return;
    const Chunk first = *next;
    free_.erase(next);
    if (!jump_to(first)) return;
    Used& left = used_.back();
    left.is_trimmed = true;
    const KeptPages kept{left.jump_at};
    const std::size_t start = offset_of(left.chunk.unit);
    if (kept.jump > page_bytes) area_->give_back(start + page_bytes, kept.jump - page_bytes);
    if (left.chunk.bytes > kept.end) area_->give_back(start + kept.end, left.chunk.bytes - kept.end);
}

// What it kept when it was trimmed.
void RingWriter::give_back(const Used& left) noexcept {
    const KeptPages kept{left.jump_at};
    const std::size_t start = offset_of(left.chunk.unit);
    area_->give_back(start, page_bytes);
    if (kept.end > kept.jump) area_->give_back(start + kept.jump, kept.end - kept.jump);
    given_back_.push_back(left.chunk);
}

// ---- the reader --------------------------------------------------------------------------------------

RingReader::RingReader(RingWords& words, RingArea& area, RingPlace from)
    : words_(&words),
      area_(&area),
      unit_(from.chunk),
      lap_(from.lap),
      at_(std::size_t{from.at} * RingPlace::record_unit_bytes),
      published_lap_(from.lap),
      written_(from) {}

Error RingReader::corrupt(std::string_view what) {
    corrupt_ = Error{ErrorKind::corrupt, fmt::format("the lane holds {}", what)};
    return *corrupt_;
}

// What is written by now. Within the chunk that is being read it can be checked here; of another one when it is
// entered.
Result<void> RingReader::look() {
    const RingPlace written = RingPlace::of(words_->written.load(in_one_order));
    if (written.lap == lap_) {
        const std::size_t end = std::size_t{written.at} * RingPlace::record_unit_bytes;
        if (written.chunk != unit_ || end < at_) return corrupt("a place that goes back");
    }
    written_ = written;
    return {};
}

Result<void> RingReader::enter(std::uint32_t unit, std::uint32_t lap) {
    const std::size_t offset = offset_of(unit);
    if (offset + first_chunk_bytes > area_->bytes_max()) return corrupt("a chunk outside its memory");
    const std::byte* const start = area_->enter(offset, sizeof(ChunkHead));
    if (start == nullptr) return Error{ErrorKind::overloaded, "the memory of the lane cannot be mapped"};
    const auto head = copy_of<ChunkHead>(start);
    const bool is_sized = head.bytes >= first_chunk_bytes && head.bytes % RingPlace::chunk_unit_bytes == 0 &&
                          head.bytes <= chunk_bytes_max && offset + head.bytes <= area_->bytes_max();
    if (!is_sized || head.lap != lap) return corrupt("a chunk that is none");
    std::byte* const data = area_->enter(offset, head.bytes);
    if (data == nullptr) return Error{ErrorKind::overloaded, "the memory of the lane cannot be mapped"};
    unit_ = unit;
    lap_ = lap;
    chunk_data_ = data;
    chunk_bytes_ = head.bytes;
    at_ = std::max(at_, sizeof(ChunkHead));
    return {};
}

std::size_t RingReader::end_of_readable() const noexcept {
    const std::size_t written = std::size_t{written_.at} * RingPlace::record_unit_bytes;
    return written_.lap == lap_ ? std::min(written, chunk_bytes_) : chunk_bytes_;
}

Result<std::optional<std::string_view>> RingReader::peek() {
    if (corrupt_) return *corrupt_;
    for (int jumps = 0;;) {
        const bool is_known = written_.lap != lap_ || std::size_t{written_.at} * RingPlace::record_unit_bytes > at_;
        if (!is_known) {
            if (Result<void> looked = look(); !looked) return looked.error();
            const bool is_more = written_.lap != lap_ || std::size_t{written_.at} * RingPlace::record_unit_bytes > at_;
            if (!is_more) return std::optional<std::string_view>{};
        }
        if (chunk_bytes_ == 0)
            if (Result<void> entered = enter(unit_, lap_); !entered) return entered.error();
        const std::size_t left = end_of_readable() - std::min(at_, end_of_readable());
        if (left < sizeof(RecordHead)) return corrupt("half a record");
        const auto head = copy_of<RecordHead>(chunk_data_ + at_);
        if (head.bytes > ring_record_bytes_max || record_bytes_of(head.bytes) > left)
            return corrupt("a record that is larger than its chunk");
        if (head.kind == static_cast<std::uint32_t>(RecordKind::data)) {
            record_bytes_ = record_bytes_of(head.bytes);
            return std::optional{std::string_view(
                reinterpret_cast<const char*>(chunk_data_ + at_ + sizeof(RecordHead)), head.bytes)};
        }
        if (head.kind != static_cast<std::uint32_t>(RecordKind::jump) || record_bytes_of(head.bytes) != sizeof(Jump) ||
            written_.lap == lap_)
            return corrupt("a record that is none");
        if (++jumps > jumps_in_a_row_max) return corrupt("jumps without end");
        const auto jump = copy_of<Jump>(chunk_data_ + at_);
        const std::size_t here = std::exchange(at_, 0);
        if (Result<void> entered = enter(jump.unit, RingPlace::next_lap(lap_)); !entered) {
            at_ = here;  // later it may be had
            chunk_data_ = area_->enter(offset_of(unit_), chunk_bytes_);
            check(chunk_data_ != nullptr, "memory that was mapped before can be entered again");
            return entered.error();
        }
        if (written_.lap == lap_ && written_.chunk != unit_) return corrupt("a place in another chunk");
    }
}

bool RingReader::release() noexcept {
    at_ += record_bytes_;
    record_bytes_ = 0;
    const RingPlace read{unit_, lap_, static_cast<std::uint32_t>(at_ / RingPlace::record_unit_bytes)};
    if (published_lap_ == lap_) {
        words_->read.store(read.word(), std::memory_order_release);
        return false;
    }
    // A chunk has become free. Its writer first says that it waits and then looks at `read`.
    published_lap_ = lap_;
    words_->read.store(read.word(), in_one_order);
    return words_->wants_room.load(in_one_order) != 0 && words_->wants_room.exchange(0, in_one_order) != 0;
}

bool RingReader::is_empty() noexcept {
    if (corrupt_) return true;
    const RingPlace written = RingPlace::of(words_->written.load(in_one_order));
    return written == RingPlace{unit_, lap_, static_cast<std::uint32_t>(at_ / RingPlace::record_unit_bytes)};
}

}  // namespace baton::detail
