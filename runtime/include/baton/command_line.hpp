#pragma once
// Command line: how programs of the project read their options, report what is wrong with them and print their manual.
// It adds to CLI11 and hides nothing of it; a program that includes this links baton::command_line and has CLI11.
//
//     int main(int argc, char** argv) {
//         CLI::App app{"Counts the words of a file."};
//         std::string path;
//         app.add_option("file", path, "a text file")->required();
//         if (const auto code = baton::program::read_command_line(app, argc, argv, "word_count")) return *code;
//
// Thread rule: main's thread.

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <baton/limits.hpp>
#include <baton/program.hpp>

namespace baton::program {

// Reads the options. Returns nothing if the program is to go on; otherwise what main() returns: --help, --version or
// --man has been printed, or a usage error has been reported on stderr in one line (exit_usage).
[[nodiscard]] std::optional<int> read_command_line(CLI::App& app, int argc, const char* const* argv,
                                                   std::string_view program);
// What is wrong, in our words if CLI11's are long.
[[nodiscard]] std::string usage_problem(const CLI::App& app, const CLI::ParseError& error);

// ---- options that several programs have

// "1048576", "512M", "4GiB" in bytes: at least one, and no more than 64 bits count. Nothing for everything else.
[[nodiscard]] std::optional<std::uint64_t> bytes_of(std::string_view text);
// Accepts what bytes_of() reads.
[[nodiscard]] CLI::Validator is_memory();
// Accepts a number of seconds within these bounds; nan is none.
[[nodiscard]] CLI::Validator is_seconds(double min, double max);

// The options of every program that starts a session: --memory and --stop-timeout.
struct SessionOptions {
    std::string memory;  // as typed; bytes_of() reads it. Empty: the coordinator's choice
    double stop_seconds = std::chrono::duration<double>(limits::stop_timeout).count();

    // As the coordinator's program takes them.
    [[nodiscard]] std::vector<std::string> arguments() const;
};
// Both refer to `options` and `script`, which outlive the parsing.
void add_session_options(CLI::App& app, SessionOptions& options);
// SCRIPT and everything after it, which is the script's, whatever it looks like.
CLI::Option* add_script(CLI::App& app, std::vector<std::string>& script);

// ---- what help and manual show

enum class Positional { no, yes };
// The options, or the positional arguments, that are not hidden, in their order.
[[nodiscard]] std::vector<const CLI::Option*> shown_options(const CLI::App& app, Positional positional);
[[nodiscard]] std::vector<const CLI::App*> shown_commands(const CLI::App& app);
// "-a", "--all"
[[nodiscard]] std::vector<std::string> names_of(const CLI::Option& option);
[[nodiscard]] bool takes_value(const CLI::Option& option);

// The manual page of a program from the description that also makes its --help: roff for man(7), section 1. Names the
// program as the app is called. `version` stands at its foot, such as "baton 0.1.0".
[[nodiscard]] std::string man_page(const CLI::App& app, std::string_view version);

}  // namespace baton::program
