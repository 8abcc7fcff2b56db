#include <baton/command_line.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>
#include <sstream>

#include <baton/text.hpp>
#include <baton/version.hpp>

namespace baton::program {
namespace {

constexpr std::size_t shown_bytes_max = 500;  // of what was typed

int complain_of_usage(std::string_view program, std::string_view what) {
    say(fmt::format("{0}: usage error: {1}; see `{0} --help`\n", program, printable(readable(what, shown_bytes_max))));
    return exit_usage;
}

}  // namespace

std::string usage_problem(const CLI::App& app, const CLI::ParseError& error) {
    if (dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr) return error.what();
    const std::vector<std::string> unknown = app.remaining(true);
    const auto option =
        std::find_if(unknown.begin(), unknown.end(), [](const std::string& word) { return word.starts_with('-'); });
    if (option != unknown.end()) return fmt::format("there is no option '{}'", *option);
    return unknown.empty() ? error.what() : fmt::format("'{}' is one argument too many", unknown.front());
}

std::optional<int> read_command_line(CLI::App& app, int argc, const char* const* argv, std::string_view program) {
    if (argc == 2 && std::string_view(argv[1]) == "--man") {
        if (app.get_name().empty()) app.name(std::string(program));
        print(man_page(app, std::string("baton ") + version_text));
        return end(program, 0);
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& asked) {
        std::ostringstream out;
        const int code = app.exit(asked, out);
        print(out.str());
        return end(program, code);
    } catch (const CLI::ParseError& error) {
        return complain_of_usage(program, usage_problem(app, error));
    }
    return std::nullopt;
}

std::optional<std::uint64_t> bytes_of(std::string_view text) {
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

CLI::Validator is_memory() {
    return {[](const std::string& text) {
                return bytes_of(text)
                           ? std::string()
                           : fmt::format("'{}' is not a number of bytes from 1: 536870912, 512M, 4G", printable(text));
            },
            ""};
}

CLI::Validator is_seconds(double min, double max) {
    return {[min, max](const std::string& text) {
                double seconds = 0;
                const bool is_fine = CLI::detail::lexical_cast(text, seconds) && seconds >= min && seconds <= max;
                return is_fine ? std::string()
                               : fmt::format("'{}' is not a number of seconds from {} to {}", printable(text), min,
                                             max);
            },
            ""};
}

std::vector<std::string> SessionOptions::arguments() const {
    std::vector<std::string> words{fmt::format("--stop-timeout={}", stop_seconds)};
    if (!memory.empty()) words.push_back("--memory=" + memory);
    return words;
}

void add_session_options(CLI::App& app, SessionOptions& options) {
    app.add_option(
           "--memory", options.memory,
           "how much shared memory the session's segments may take together, such as 512M or 4G (default: three "
           "quarters of what is free in /dev/shm)")
        ->check(is_memory())
        ->type_name("BYTES");
    app.add_option("--stop-timeout", options.stop_seconds,
                   "how long stopping everything may take at the end; actors that still run then are killed")
        ->check(is_seconds(0.1, 3600))
        ->capture_default_str()
        ->type_name("SECONDS");
}

CLI::Option* add_script(CLI::App& app, std::vector<std::string>& script) {
    app.positionals_at_end();
    return app.add_option("SCRIPT", script, "a Python file or a program, followed by its arguments")->type_name("");
}

}  // namespace baton::program
