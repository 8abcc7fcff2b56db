#pragma once
// Options: what the coordinator's program can be told on its command line. `baton serve` and `baton run` take the
// options of a session too, and hand them on; `baton --man` prints the manual page from this description.

#include <fmt/format.h>
#include <sys/types.h>

#include <CLI/CLI.hpp>
#include <cctype>
#include <charconv>
#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <baton/limits.hpp>
#include "runtime/base/text.hpp"

namespace baton::detail::coordinator {

// "1048576", "512M", "4GiB": at least one byte, and no more than 64 bits count. Nothing for everything else.
[[nodiscard]] inline std::optional<std::uint64_t> bytes_of(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number == 0) return std::nullopt;
    std::string unit{end, text.data() + text.size()};
    for (char& letter : unit) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    for (const std::string_view ending : {"IB", "B"})
        if (unit.ends_with(ending)) {
            unit.resize(unit.size() - ending.size());
            break;
        }
    constexpr std::string_view units = "KMGT";
    if (unit.size() > 1 || (!unit.empty() && units.find(unit[0]) == std::string_view::npos)) return std::nullopt;
    const std::size_t shift = unit.empty() ? 0 : 10 * (units.find(unit[0]) + 1);
    if (number > std::numeric_limits<std::uint64_t>::max() >> shift) return std::nullopt;
    return number << shift;
}

[[nodiscard]] inline CLI::Validator is_memory() {
    return {[](const std::string& text) {
                return bytes_of(text)
                           ? std::string()
                           : fmt::format("'{}' is not a number of bytes from 1: 536870912, 512M, 4G", printable(text));
            },
            ""};
}

struct SessionOptions {
    std::string memory;  // as typed; bytes_of() reads it. Empty: the coordinator's choice
    double stop_seconds = std::chrono::duration<double>(limits::stop_timeout).count();

    // As the coordinator's program takes them.
    [[nodiscard]] std::vector<std::string> arguments() const {
        std::vector<std::string> words{fmt::format("--stop-timeout={}", stop_seconds)};
        if (!memory.empty()) words.push_back("--memory=" + memory);
        return words;
    }
};

inline void add_session_options(CLI::App& app, SessionOptions& options) {
    const CLI::Validator is_timeout{[](const std::string& text) {
                                        double seconds = 0;  // nan is none either
                                        const bool is_fine = CLI::detail::lexical_cast(text, seconds) &&
                                                             seconds >= 0.1 && seconds <= 3600;
                                        return is_fine ? std::string()
                                                       : fmt::format("'{}' is not a number of seconds from 0.1 to 3600",
                                                                     printable(text));
                                    },
                                    ""};
    app.add_option(
           "--memory", options.memory,
           "how much shared memory the session's segments may take together, such as 512M or 4G (default: three "
           "quarters of what is free in /dev/shm)")
        ->check(is_memory())
        ->type_name("BYTES");
    app.add_option("--stop-timeout", options.stop_seconds,
                   "how long stopping everything may take at the end; actors that still run then are killed")
        ->check(is_timeout)
        ->capture_default_str()
        ->type_name("SECONDS");
}

struct Options {
    SessionOptions session;
    std::vector<std::string> script;  // its file, then its arguments
    pid_t serve_for = 0;
    int announce_fd = -1;
};

// SCRIPT and everything after it, which is the script's, whatever it looks like.
inline CLI::Option* add_script(CLI::App& app, std::vector<std::string>& script) {
    app.positionals_at_end();
    return app.add_option("SCRIPT", script, "a Python file or a program, followed by its arguments")->type_name("");
}

inline void describe_program(CLI::App& app, const std::string& name, Options& options) {
    app.name(name);
    app.set_help_flag("-h,--help", "print this help and exit");
    app.description(
        "Runs the coordinator of one Baton session: it starts and stops the actors and keeps the list of them.\n"
        "With a script it runs that in a session of its own and ends with the script's exit code; without one it\n"
        "keeps the session open until it is stopped. `baton run` and `baton serve` start this program.\n");
    add_script(app, options.script);
    add_session_options(app, options.session);
    app.add_option("--serve-for", options.serve_for, "the session ends when this process ends")->group("");
    app.add_option("--announce", options.announce_fd, "descriptor to which the session's folder is written")->group("");
    app.footer(
        fmt::format("Examples:\n"
                    "  {0} hello.py   # runs a script in a session of its own\n"
                    "  {0}            # keeps a session open, and says how to join it\n"
                    "\n"
                    "Exit codes: the script's, or 128 and the number of the signal that ended it; 3 if the session's\n"
                    "memory did not balance at its end; 64 for a usage error; 69 if no session could be started.\n",
                    name));
}

}  // namespace baton::detail::coordinator
