#pragma once
// Reads the options of a program and reports what is wrong with them in one line, with exit code 64 (EX_USAGE of
// sysexits.h), as all programs of the project do. The door to CLI11 for programs that need no more than this.

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/say.hpp"
#include "runtime/base/text.hpp"
#include "runtime/process/output.hpp"

namespace baton::detail {

inline constexpr int exit_usage = 64;

// Prints one line on stderr; returns exit_usage.
[[nodiscard]] inline int complain_of_usage(std::string_view program, std::string_view what) {
    constexpr std::size_t shown_bytes_max = 500;
    say(fmt::format("{0}: usage error: {1}; see `{0} --help`\n", program, printable(readable(what, shown_bytes_max))));
    return exit_usage;
}

// What is wrong, in our words if CLI11's are long.
[[nodiscard]] inline std::string usage_problem(const CLI::App& app, const CLI::ParseError& error) {
    if (dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr) return error.what();
    const std::vector<std::string> unknown = app.remaining(true);
    const auto option =
        std::find_if(unknown.begin(), unknown.end(), [](const std::string& word) { return word.starts_with('-'); });
    if (option != unknown.end()) return fmt::format("there is no option '{}'", *option);
    return unknown.empty() ? error.what() : fmt::format("'{}' is one argument too many", unknown.front());
}

// Nothing if the program is to go on; otherwise what main() returns: --help or --version has been printed, or something
// is wrong.
[[nodiscard]] inline std::optional<int> read_command_line(CLI::App& app, int argc, const char* const* argv,
                                                          std::string_view program) {
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& asked) {
        std::ostringstream out;
        const int code = app.exit(asked, out);
        print_output(out.str());
        return code_with_output(program, code);
    } catch (const CLI::ParseError& error) {
        return complain_of_usage(program, usage_problem(app, error));
    }
    return std::nullopt;
}

}  // namespace baton::detail
