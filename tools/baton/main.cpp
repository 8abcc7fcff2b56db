// baton: the command line. Joins a session, looks or does one thing, and leaves.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <span>
#include <sstream>
#include <string_view>
#include <vector>

#include <baton/command_line.hpp>
#include <baton/program.hpp>
#include <baton/text.hpp>
#include <baton/version.hpp>
#include "tools/baton/command_line.hpp"
#include "tools/baton/completion.hpp"
#include "tools/baton/table.hpp"

namespace {

using namespace baton;
using namespace baton::tool;

std::string complaint(std::string_view kind, const Error& error, Lines lines = Lines::one) {
    return fmt::format("{} {}\n", painted("baton:", Paint::bold, colours_for(stderr)), told(kind, error, lines));
}

Result<Outcome> run(CommandLine& line) {
    if (line.alone) return line.alone();
    Result<SessionInfo> place = find_session(line.wishes.session);
    if (!place) return place.error();
    Result<std::unique_ptr<Visit>> visit = Visit::enter(std::move(*place));
    if (!visit) return visit.error();
    Result<Outcome> outcome = line.inside(**visit);
    if ((*visit)->session().was_interrupted()) {
        static_cast<void>((*visit)->session().close());
        // Not to be held up by what an actor that does not read has not taken yet.
        const Error why = outcome ? Error{ErrorKind::stopping, "by Ctrl-C"} : outcome.error();
        program::say(complaint("interrupted", why));
        std::_Exit(exit_code::interrupted);
    }
    return outcome;
}

int report(const Result<Outcome>& outcome, Lines refusal) {
    if (!outcome) {
        const ErrorKind kind = outcome.error().kind;
        program::say(complaint(name_of(kind), outcome.error(), kind == ErrorKind::refused ? refusal : Lines::one));
        return exit_code_of(kind);
    }
    program::print(outcome->text);
    for (const Error& trouble : outcome->troubles) program::say(complaint(name_of(trouble.kind), trouble));
    if (outcome->troubles.empty()) return outcome->code;
    return outcome->code_with_troubles.value_or(exit_code_of(outcome->troubles.front().kind));
}

// The place of the word that names the subcommand; the number of words if there is none.
std::size_t place_of_command(std::span<const std::string_view> words) {
    for (std::size_t index = 0; index < words.size(); ++index)
        if (!words[index].starts_with('-') && (index == 0 || words[index - 1] != "--session")) return index;
    return words.size();
}

// "there is no command 'pss'; ..." if the word that should name one names none.
std::string unknown_command(const CLI::App& app, std::span<const std::string_view> words) {
    const std::size_t place = place_of_command(words);
    if (place == words.size()) return {};
    for (const CLI::App* sub : program::shown_commands(app))
        if (sub->get_name() == words[place]) return {};
    return no_such_command(app, words[place]);
}

// Cuts off what stands behind the "--" of `baton spawn`: the words of the program. CLI11 would take those that begin
// with '-' for options of ours if other arguments stand before the "--".
std::vector<std::string> cut_off_arguments(std::vector<std::string_view>& words) {
    const std::size_t place = place_of_command(words);
    const auto mark = std::find(words.begin(), words.end(), "--");
    if (place == words.size() || words[place] != "spawn" || mark == words.end()) return {};
    std::vector<std::string> arguments(mark + 1, words.end());
    words.erase(mark, words.end());
    return arguments;
}

// `baton --man [baton-sync]`, `baton --completion`: for the build, which installs what they print; not in the help.
std::optional<std::string> manual(const CLI::App& app, std::span<const std::string_view> words) {
    const std::string version = std::string("baton ") + version_text;
    if (words.size() == 1 && words[0] == "--completion") return bash_completion(app);
    if (words.size() == 1 && words[0] == "--man") return program::man_page(app, version);
    if (words.size() != 2 || words[0] != "--man" || words[1] != "baton-sync") return std::nullopt;
    CLI::App sync;  // an actor, which has no options of CLI11's
    bool describes = false;
    sync.name("baton-sync");
    sync.description(
        "Keeps the locks, barriers, queues and other primitives of a Baton session.\n"
        "It is an actor: scripts and programs that use baton.sync or baton::sync start it in their session.\n");
    sync.set_help_flag("-h,--help", "print what it is and how to start it, and exit");
    sync.add_flag("--describe", describes, "print the commands that it accepts");
    return program::man_page(sync, version);
}

}  // namespace

int main(int argc, char** argv) {
    program::begin();
    CLI::App app;
    CommandLine line;
    describe_program(app, line);
    std::vector<std::string_view> words(argv + std::min(argc, 1), argv + argc);
    if (const std::optional<std::string> text = manual(app, words); text) {
        program::print(*text);
        return program::end("baton", 0);
    }
    try {
        const std::vector<std::string> arguments = cut_off_arguments(words);
        app.parse(std::vector<std::string>(words.rbegin(), words.rend()));  // it takes them from the end
        line.spawn.arguments.insert(line.spawn.arguments.end(), arguments.begin(), arguments.end());
    } catch (const CLI::Success& asked) {  // for help or the version
        std::ostringstream out;
        const int code = app.exit(asked, out);
        program::print(out.str());
        return program::end("baton", code);
    } catch (const CLI::ParseError& error) {
        if (words.empty()) {
            program::say(app.help());
            return exit_code::usage;
        }
        std::string name = "baton";
        for (const CLI::App* sub : app.get_subcommands()) name += " " + sub->get_name();
        constexpr std::size_t shown_bytes_max = 500;
        const std::string unknown = app.get_subcommands().empty() ? unknown_command(app, words) : std::string();
        const std::string text =
            fmt::format("{}; see `{} --help`",
                        readable(unknown.empty() ? program::usage_problem(app, error) : unknown, shown_bytes_max),
                        name);
        program::say(complaint("usage error", {ErrorKind::refused, text}));
        return exit_code::usage;
    }
    const Result<Outcome> outcome = run(line);
    return program::end("baton", report(outcome, line.refusal));
}
