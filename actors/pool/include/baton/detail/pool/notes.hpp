#pragma once
// Notes: what came of the tasks of a batch so far, in memory that the pool may read while the worker writes it.
//
// | words    | content                                                                                              |
// | -------- | ---------------------------------------------------------------------------------------------------- |
// | 1        | what is noted: number of the batch (16 bits), tasks (24), bytes (24); written last                   |
// | 1        | when the batch was begun: nanoseconds since 1970                                                     |
// | the rest | for each task: when it was done, in nanoseconds since then (32 bits); and its result, encoded, or    |
// |          | 0xc1, with which no value begins, and an ErrorBody                                                   |
//
// The words of one batch are written by one worker, in order, and not changed once they are noted. What is read may
// have been written by anybody, so it is copied first and checked then. One thread on each side.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <baton/detail/pool/work.hpp>

namespace baton::detail::pool {

inline constexpr std::size_t notes_words = 8192;  // 64 KiB

// The worker's side.
class Notes {
public:
    Notes() = default;
    // Writes into these words, of which nobody reads anything but notes.
    explicit Notes(std::span<std::uint64_t, notes_words> words) noexcept : words_(words) {}

    void open(std::uint16_t batch, Timestamp started) noexcept;
    // Notes that a task was done `moment` nanoseconds after the start. Returns false, and notes nothing, if there is no
    // room.
    [[nodiscard]] bool note(std::uint32_t moment, std::string_view result) noexcept;
    [[nodiscard]] bool note(std::uint32_t moment, const ErrorBody& failure);

private:
    std::span<std::uint64_t> words_;
    std::uint16_t batch_ = 0;
    std::uint64_t tasks_ = 0;
    std::size_t bytes_ = 0;
};

// What came of the tasks behind the first `known` of that batch of `tasks` tasks, as the worker's Done will tell it.
// Empty if there are none, or if the words make no sense.
[[nodiscard]] std::optional<Done> read_notes(std::span<std::uint64_t, notes_words> words, std::uint16_t batch,
                                             std::size_t known, std::size_t tasks);

}  // namespace baton::detail::pool
