#pragma once
// Board: how far each worker of a pool has come with the batches in its hands, and how far it may go on: memory that
// the pool shares with its workers, so that what has not begun can be taken back, and what is done be known, without a
// message.
//
// A worker is one thread and answers when a batch is done; while a task runs it can't be asked. So it says before each
// task that it begins, and the pool says where the batch ends; both by compare-and-swap on the same word:
//
// | word               | from                        | to                       | by                        |
// | laid               | anything                    | (batch, count, 0)        | the pool, before the Run  |
// | task begun         | (batch, end, n), n < end    | (batch, end, n + 1)      | the worker                |
// | taken back         | (batch, end, n)             | (batch, n, n)            | the pool                  |
//
// A task is begun by one or taken back by the other, never both. After each task the worker notes what came of it
// (notes.hpp), and begins no other if there is no room for that: so a long task does not hold back the results of those
// before it.
//
// A place has a word and notes for each of the two batches that a worker may have in hand; the number of a batch says
// which, and tells it from earlier ones, even those of a former worker of that seat. They are used again for the next
// batch but one, which is sent when this one's Done has come: nobody reads what is being overwritten. If there is no
// memory for a board, nothing is taken back or known early. What workers write is read with care. One thread on each
// side.

#include <atomic>
#include <cstdint>
#include <optional>

#include <baton/detail/pool/notes.hpp>
#include <baton/context.hpp>

namespace baton::detail::pool {

namespace board_word {

// A place: two words, at the start of a line of the cache, and two batches' notes.
inline constexpr std::uint64_t notes_begin = 8;
inline constexpr std::uint64_t words_per_place = notes_begin + 2 * notes_words;
inline constexpr int count_bits = 24;
inline constexpr std::uint64_t count_mask = (std::uint64_t{1} << count_bits) - 1;
static_assert(batch_tasks_max <= count_mask);

[[nodiscard]] constexpr std::uint64_t of(std::uint16_t batch, std::uint64_t end, std::uint64_t begun) noexcept {
    return std::uint64_t{batch} << (2 * count_bits) | (end & count_mask) << count_bits | (begun & count_mask);
}
[[nodiscard]] constexpr std::uint16_t batch_of(std::uint64_t word) noexcept {
    return static_cast<std::uint16_t>(word >> (2 * count_bits));
}
[[nodiscard]] constexpr std::uint64_t end_of(std::uint64_t word) noexcept { return word >> count_bits & count_mask; }
[[nodiscard]] constexpr std::uint64_t begun_of(std::uint64_t word) noexcept { return word & count_mask; }

// The worker's step. False if the task has been taken back.
[[nodiscard]] inline bool begin(std::atomic_ref<std::uint64_t> word, std::uint16_t batch, std::uint64_t task) noexcept {
    std::uint64_t seen = word.load(std::memory_order_relaxed);
    do {
        if (batch_of(seen) != batch || begun_of(seen) != task || task >= end_of(seen)) return false;
    } while (!word.compare_exchange_weak(seen, of(batch, end_of(seen), task + 1)));
    return true;
}
// The pool's step: how many of the first `count` tasks have begun; the others never will. All of them if the word makes
// no sense.
[[nodiscard]] inline std::uint64_t take_back(std::atomic_ref<std::uint64_t> word, std::uint16_t batch,
                                             std::uint64_t count) noexcept {
    std::uint64_t seen = word.load(std::memory_order_relaxed);
    do {
        if (batch_of(seen) != batch || end_of(seen) != count || begun_of(seen) > count) return count;
    } while (!word.compare_exchange_weak(seen, of(batch, begun_of(seen), begun_of(seen))));
    return begun_of(seen);
}

using Words = std::span<std::uint64_t, words_per_place>;

[[nodiscard]] inline std::span<std::uint64_t, notes_words> notes_of(Words place, std::uint16_t batch) {
    return std::span<std::uint64_t, notes_words>{place.subspan(notes_begin + batch % 2 * notes_words, notes_words)};
}

}  // namespace board_word

// The pool's side.
class Board {
public:
    // Makes a fresh place for each worker. Without memory for them there is no board.
    void open(Context& context, std::size_t places);
    void close() noexcept;
    // For the worker that takes that place.
    [[nodiscard]] std::optional<Slice> share(std::size_t place);
    // A batch is about to go there; returns its number, 0 if there is no board.
    [[nodiscard]] std::uint16_t lay(std::size_t place, std::size_t tasks);
    // The last one did not go there.
    void forget_last(std::size_t place) noexcept;
    // How many tasks of that batch have begun; the others never will.
    [[nodiscard]] std::size_t take_back(std::size_t place, std::uint16_t batch, std::size_t tasks);
    // What came of those behind the first `known` that are done by now. Empty if there are none.
    [[nodiscard]] std::optional<Done> read(std::size_t place, std::uint16_t batch, std::size_t known,
                                           std::size_t tasks);

private:
    [[nodiscard]] board_word::Words words(std::size_t place);
    [[nodiscard]] std::atomic_ref<std::uint64_t> word(std::size_t place, std::uint16_t batch);
    std::optional<Loan> lent_;
    Slice own_;  // never sent: the pool's own view
    std::vector<std::uint16_t> last_batches_;  // of each place
};

// A worker's.
class Place {
public:
    void take(std::optional<Slice> slice) {
        slice_ = slice ? std::move(*slice) : Slice{};
        words_ = slice_ ? slice_.as<std::uint64_t>() : std::span<std::uint64_t>{};
        if (words_.size() != board_word::words_per_place) words_ = {};
    }
    // The first task of that batch comes next; what comes of it is to be noted there.
    [[nodiscard]] Notes open(std::uint16_t batch, Timestamp started) {
        batch_ = words_.empty() ? 0 : batch;
        if (batch_ == 0) return Notes{};
        Notes notes{board_word::notes_of(board_word::Words{words_}, batch_)};
        notes.open(batch_, started);
        return notes;
    }
    // False if it has been taken back.
    [[nodiscard]] bool begin(std::size_t task) const noexcept {
        return batch_ == 0 || board_word::begin(std::atomic_ref{words_[batch_ % 2]}, batch_, task);
    }

private:
    Slice slice_;
    std::span<std::uint64_t> words_;  // a whole place, or nothing
    std::uint16_t batch_ = 0;
};

}  // namespace baton::detail::pool
