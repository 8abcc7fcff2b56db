#pragma once
// say: text on stderr, as far as stderr takes it. All that Baton itself writes there goes through here.
//
// stderr belongs to the program that started the process. It may be closed, full, a pipe whose reader has gone, or a
// pipe or terminal that nobody reads. None of that may end or hold up the process: say() never throws, raises no
// signal, and waits for limits::say_wait at most. What could not be written is counted, and the count is written as a
// line of its own as soon as stderr takes text again.
//
// A line of up to 4,096 bytes stays whole on a pipe, however many processes write to it. The flags of the descriptor
// are not touched, since others share them. Thread rule: any thread.

#include <cstdint>
#include <string_view>

namespace baton::detail {

// Writes `text` as it is; the caller ends it with a newline.
void say(std::string_view text) noexcept;

// From here on nothing is written: for a process whose descriptor 2 was closed when it started and is somebody else's
// now.
void say_nothing() noexcept;

// How many texts could not be written and have not been told yet.
[[nodiscard]] std::uint64_t unsaid() noexcept;

}  // namespace baton::detail
