#pragma once
// Ring: records of bytes from one writer to one reader, in memory that both have mapped. No locks and no waiting: a
// full ring says so, an empty one too.
//
// The data is a chain of chunks. A chunk is filled from its start to its end; the last record in it is a jump, which
// names the next one. What the reader has left is used again, so a ring that is read quickly alternates between two
// small chunks, and one that is not grows, by chunks that double, until its area is full. The bytes between `read` and
// `written` are thus exactly what is on its way, and each of these words names its place completely: a third process
// can read on in a dead reader's ring from them alone.
//
// A record is published by one release store of `written`. A writer that dies before it has written nothing; there is
// no state to repair. Each side keeps its own place in private memory and never reads it back.
//
// Everything in shared memory is hostile: words and record headers are copied once, and the copy is checked. The
// payload stays writable by the other process while it is read; who checks it copies it first. One thread on each side.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <baton/result.hpp>

namespace baton::detail {

// A place in a ring's area, as one word. Laps tell apart two visits to one chunk; they may wrap around.
struct RingPlace {
    static constexpr std::size_t chunk_unit_bytes = 2048;
    static constexpr std::size_t record_unit_bytes = 8;
    static constexpr unsigned at_bits = 20;
    static constexpr unsigned lap_bits = 26;
    static constexpr unsigned chunk_bits = 64 - at_bits - lap_bits;

    std::uint32_t chunk = 0;  // its offset in the area, in units of chunk_unit_bytes
    std::uint32_t lap = 0;
    std::uint32_t at = 0;     // in the chunk, in units of record_unit_bytes

    [[nodiscard]] static constexpr RingPlace of(std::uint64_t word) noexcept {
        return {static_cast<std::uint32_t>(word >> (at_bits + lap_bits)),
                static_cast<std::uint32_t>(word >> at_bits) & ((1U << lap_bits) - 1),
                static_cast<std::uint32_t>(word) & ((1U << at_bits) - 1)};
    }
    [[nodiscard]] constexpr std::uint64_t word() const noexcept {
        return std::uint64_t{chunk} << (at_bits + lap_bits) | std::uint64_t{lap} << at_bits | at;
    }
    [[nodiscard]] static constexpr std::uint32_t next_lap(std::uint32_t lap) noexcept {
        return (lap + 1) & ((1U << lap_bits) - 1);
    }
    bool operator==(const RingPlace&) const = default;
};

// In shared memory, all zero at first. Each word in a cache line of its own.
struct RingWords {
    alignas(64) std::atomic<std::uint64_t> written;     // by the writer
    alignas(64) std::atomic<std::uint64_t> read;        // by the reader
    alignas(64) std::atomic<std::uint32_t> wants_room;  // 1: the writer waits; set by it, cleared by the reader
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

// The memory in which a ring's chunks lie. Its owner maps it as it is needed.
class RingArea {
public:
    virtual ~RingArea() = default;
    [[nodiscard]] virtual std::size_t bytes_max() const noexcept = 0;
    // These bytes, until the next enter(); nullptr if they cannot be had.
    [[nodiscard]] virtual std::byte* enter(std::size_t offset, std::size_t bytes) noexcept = 0;
    // For the writer, whole pages: from then on touching them cannot fail. False if memory or the budget is short.
    [[nodiscard]] virtual bool commit(std::size_t offset, std::size_t bytes) noexcept = 0;
    // They are nobody's any more.
    virtual void give_back(std::size_t offset, std::size_t bytes) noexcept = 0;
};

// What a record may hold at most; a larger one is corrupt.
inline constexpr std::size_t ring_record_bytes_max = (std::size_t{1} << 20) + (std::size_t{64} << 10);

class RingWriter {
public:
    // Of a ring that nobody has written yet.
    RingWriter(RingWords& words, RingArea& area) : words_(&words), area_(&area) {}

    // Room for a record of that many bytes; nothing if the ring is full. Valid until commit() or the next reserve().
    [[nodiscard]] std::byte* reserve(std::size_t bytes);
    // Publishes a record in the room, of no more than what was reserved.
    void commit(std::size_t bytes) noexcept;
    // True if the reader has taken everything.
    [[nodiscard]] bool is_empty() const noexcept;
    // The next reserve() may find what the last one did not, without the reader doing anything: memory was short.
    [[nodiscard]] bool lacks_memory() const noexcept { return memory_.is_short; }
    // For the time before it sleeps: true if the ring is still full, and the reader will say so when it frees a chunk.
    [[nodiscard]] bool ask_for_room(std::size_t bytes);
    // Gives back the memory of chunks that are not in use, except for the first page. Of a ring that is empty, the
    // chunk that is being filled goes, too, but for the pages in which the reader finds its way to the first page:
    // they follow when it has gone there.
    void trim() noexcept;
    // True if it may have memory beyond its first page.
    [[nodiscard]] bool has_grown() const noexcept { return memory_.has_grown; }
    // Changes with each record.
    [[nodiscard]] RingPlace published() const noexcept { return published_; }

private:
    struct Chunk {
        std::uint32_t unit = 0;
        std::uint32_t bytes = 0;  // 0: none
    };
    struct Used {
        Chunk chunk;
        std::uint32_t lap = 0;
        std::size_t jump_at = 0;
        bool is_trimmed = false;  // has its head and its jump only
    };
    [[nodiscard]] bool begin();
    [[nodiscard]] bool jump(std::size_t bytes);
    [[nodiscard]] bool jump_to(Chunk next);
    void leave_for_first_page() noexcept;
    void give_back(const Used& left) noexcept;
    [[nodiscard]] std::optional<Chunk> next_chunk(std::size_t bytes);
    [[nodiscard]] std::optional<Chunk> fresh_chunk(std::size_t bytes);
    [[nodiscard]] bool forget_places() noexcept;
    void collect_read() noexcept;

    RingWords* words_;
    RingArea* area_;
    Chunk chunk_;                      // being filled
    std::byte* chunk_data_ = nullptr;
    std::size_t at_ = 0;               // behind the last record, in bytes
    RingPlace published_;
    std::uint32_t lap_ = 0;            // of chunk_
    std::deque<Used> used_;            // before chunk_, that the reader may not have left; the oldest first
    std::vector<Chunk> free_;          // committed
    std::vector<Chunk> given_back_;    // places without memory
    std::uint32_t end_ = 0;            // of all places, in units
    struct Memory {
        bool is_short = false;   // for the chunk that was wanted last
        bool has_grown = false;  // beyond the first page
    } memory_;
};

class RingReader {
public:
    // From the beginning of a ring, or from where another reader stopped.
    RingReader(RingWords& words, RingArea& area, RingPlace from = {});

    // The next record; nothing if there is none now; `corrupt` if the ring holds what no writer of ours writes, and
    // from then on for ever. The bytes are valid until the next peek(), even if they have been released by then, as the
    // writer gets back a chunk when a record of the next one is released. A hostile writer may change them at any time.
    [[nodiscard]] Result<std::optional<std::string_view>> peek();
    // It has been taken: whoever reads on, reads on behind it. True if the writer is to be woken, because it waits for
    // room.
    [[nodiscard]] bool release() noexcept;
    // True if nothing that was written before this call is unread. Of a corrupt ring, always.
    [[nodiscard]] bool is_empty() noexcept;

private:
    [[nodiscard]] Error corrupt(std::string_view what);
    [[nodiscard]] Result<void> look();
    [[nodiscard]] Result<void> enter(std::uint32_t unit, std::uint32_t lap);
    [[nodiscard]] std::size_t end_of_readable() const noexcept;

    RingWords* words_;
    RingArea* area_;
    std::uint32_t unit_ = 0;           // of the chunk being read
    std::uint32_t lap_ = 0;
    std::size_t at_ = 0;               // of the next record, in bytes
    std::size_t chunk_bytes_ = 0;      // 0: not entered yet
    std::byte* chunk_data_ = nullptr;
    std::size_t record_bytes_ = 0;     // of the one that was peeked at, with its header
    std::uint32_t published_lap_ = 0;
    RingPlace written_;                // as last seen and checked
    std::optional<Error> corrupt_;
};

}  // namespace baton::detail
