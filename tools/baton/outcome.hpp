#pragma once
// Outcome: what a subcommand hands back: text for stdout, troubles for stderr, and the exit code of the
// program. Nothing is printed before the session has been left, so a closed pipe leaves nobody waiting.

#include <optional>
#include <string>
#include <vector>

#include <baton/result.hpp>
#include <baton/text.hpp>

namespace baton::tool {

// As in sysexits.h if that has one. `baton --help` lists them.
namespace exit_code {
inline constexpr int done = 0;
inline constexpr int forced = 1;  // an actor had to be ended by a signal
inline constexpr int broken = 1;  // an invariant does not hold
inline constexpr int left = 1;    // a sweep could not remove something
inline constexpr int usage = 64;
inline constexpr int refused = 65;
inline constexpr int gone = 69;
inline constexpr int failed = 70;
inline constexpr int later = 75;
inline constexpr int unsupported = 76;
inline constexpr int interrupted = 130;
}  // namespace exit_code

struct Outcome {
    std::string text = {};
    std::vector<Error> troubles = {};  // that did not keep the rest from being done
    int code = exit_code::done;        // if there are no troubles; else the first one's, or:
    std::optional<int> code_with_troubles = {};
};

[[nodiscard]] int exit_code_of(ErrorKind kind) noexcept;

// "gone: no actor 'Eve' in this session", in one line whatever the text holds; `many` keeps the lines of a text that is
// our own in all of them. What a handler raised comes with where it was thrown, in the functions of the actor's author.
[[nodiscard]] std::string told(std::string_view kind, const Error& error, Lines lines = Lines::one);

// The error, with what was tried before it and what to do after it.
[[nodiscard]] Error explained(std::string_view tried, Error error, std::string_view advice = {});

}  // namespace baton::tool
