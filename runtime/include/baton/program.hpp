#pragma once
// What the main() of a program needs around its session: a start that does not depend on who started it, output that is
// not lost without a word, and exit codes. run_actor() and run_scenario() do all of this themselves; this is for
// programs that do something else as well, such as a command line.
//
//     int main() {
//         baton::program::begin();
//         baton::program::print("42\n");
//         return baton::program::end("answer", 0);
//     }
//
// Thread rule: begin() before there is a second thread, end() when no other thread prints any more; the others in any.

#include <baton/limits.hpp>

#include <cstddef>
#include <string_view>

namespace baton::program {

// Those of sysexits.h, as all programs of the project use them; and what a shell reports after SIGPIPE.
inline constexpr int exit_usage = 64;
inline constexpr int exit_output_lost = 74;
inline constexpr int exit_reader_gone = 141;  // `... | head -n 1`

// Makes the process independent of what it has inherited (docs/processes.md): descriptors 0, 1 and 2 are open, no
// signal is blocked or ignored for no reason, a write to nobody is an error and not a signal, and the soft limit on
// descriptors is raised.
void begin() noexcept;
// The part of begin() that is harmless to a program of somebody else: for a library that is loaded into one. Signals
// stay as they are.
void begin_library() noexcept;

// Prints to stdout and flushes it; never throws. end() reports what could not be written.
void print(std::string_view text) noexcept;
// Returns the exit code for main(): `code` if everything that was printed to stdout has been taken. Otherwise
// exit_output_lost, after saying so on stderr in the name of `program`, or exit_reader_gone, in silence.
[[nodiscard]] int end(std::string_view program, int code) noexcept;

// Writes `text`, which ends with a newline, to stderr as far as stderr takes it: one that is closed, full or unread
// neither ends nor holds up the process. A line of up to 4,096 bytes stays whole, however many processes write.
void say(std::string_view text) noexcept;
// From here on say() writes nothing: for a process whose descriptor 2 was closed when it started and is another file's
// now.
void say_nothing() noexcept;

// How many processors this process can keep busy at once, at least 1: those that it is bound to, and no more than its
// cgroups have time for. Read from the kernel at each call.
[[nodiscard]] std::size_t usable_cores();

}  // namespace baton::program
