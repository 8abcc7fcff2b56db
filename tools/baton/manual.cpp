#include "tools/baton/manual.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>
#include <vector>

namespace baton::tool {
namespace {

// ---- what both say of an option

bool is_shown(const CLI::Option& option) { return !option.get_group().empty(); }
bool takes_value(const CLI::Option& option) {
    return option.get_items_expected_max() > 0 && option.get_type_size() != 0;
}

std::vector<const CLI::Option*> options_of(const CLI::App& app, bool positional) {
    std::vector<const CLI::Option*> options;
    for (const CLI::Option* one : app.get_options())
        if (is_shown(*one) && one->get_positional() == positional) options.push_back(one);
    return options;
}

// "-a", "--all"
std::vector<std::string> names_of(const CLI::Option& option) {
    std::vector<std::string> names;
    for (const std::string& name : option.get_snames()) names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
    return names;
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
    return app.get_subcommands(
        [](const CLI::App* sub) { return !sub->get_name().empty() && !sub->get_group().empty(); });
}

// ---- roff

// As it stands, whatever it holds.
std::string literal(std::string_view text) {
    std::string out;
    bool begins_line = true;
    for (const char letter : text) {
        if (begins_line && (letter == '.' || letter == '\'')) out += "\\&";
        if (letter == '\\') out += "\\e";
        else if (letter == '-') out += "\\-";
        else out += letter;
        begins_line = letter == '\n';
    }
    return out;
}

std::string without_end(std::string_view text, std::string_view letters) {
    const std::size_t last = text.find_last_not_of(letters);
    return std::string(text.substr(0, last == std::string_view::npos ? 0 : last + 1));
}

// Lines as they are, such as tables and examples.
std::string preformatted(std::string_view text) {
    const std::string lines = without_end(text, "\n ");
    return lines.empty() ? std::string() : fmt::format(".PP\n.nf\n{}\n.fi\n", literal(lines));
}

std::string synopsis(const CLI::App& app, const std::string& name) {
    std::string text = fmt::format("\\fB{}\\fR", literal(name));
    if (!options_of(app, false).empty()) text += " [\\fIOPTIONS\\fR]";
    for (const CLI::Option* one : options_of(app, true)) {
        const bool are_many = one->get_items_expected_max() > 1;
        const std::string word = fmt::format("\\fI{}\\fR{}", literal(one->get_name(true)), are_many ? " ..." : "");
        text += one->get_required() ? " " + word : " [" + word + "]";
    }
    if (!commands_of(app).empty()) text += " \\fICOMMAND\\fR ...";
    return text + "\n";
}

std::string option_list(const CLI::App& app) {
    std::string text;
    for (const bool positional : {true, false})
        for (const CLI::Option* one : options_of(app, positional)) {
            std::string names;
            if (positional) names = fmt::format("\\fI{}\\fR", literal(one->get_name(true)));
            else
                for (const std::string& name : names_of(*one))
                    names += fmt::format("{}\\fB{}\\fR", names.empty() ? "" : ", ", literal(name));
            if (!positional && takes_value(*one)) names += fmt::format(" \\fI{}\\fR", literal(one->get_type_name()));
            const std::string usual = one->get_default_str();
            text += fmt::format(".TP\n{}\n{}{}\n", names, literal(one->get_description()),
                                usual.empty() ? "" : fmt::format(" (default: {})", literal(usual)));
        }
    return text;
}

// ---- bash

std::string joined(const std::vector<std::string>& words, std::string_view between) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : std::string(between)) + word;
    return text;
}

std::vector<std::string> option_words(const CLI::App& app) {
    std::vector<std::string> words;
    for (const CLI::Option* one : options_of(app, false))
        for (std::string& name : names_of(*one)) words.push_back(std::move(name));
    return words;
}

void collect_valued(const CLI::App& app, std::vector<std::string>& words) {
    for (const CLI::Option* one : options_of(app, false))
        if (takes_value(*one))
            for (std::string& name : names_of(*one))
                if (std::ranges::find(words, name) == words.end()) words.push_back(std::move(name));
    for (const CLI::App* sub : commands_of(app)) collect_valued(*sub, words);
}

// "NAME COMMAND FIELDS", the last with a + if it may come again.
std::string positional_words(const CLI::App& app) {
    std::vector<std::string> words;
    for (const CLI::Option* one : options_of(app, true))
        words.push_back(one->get_name(true) + (one->get_items_expected_max() > 1 ? "+" : ""));
    return joined(words, " ");
}

}  // namespace

std::string man_page(const CLI::App& app, const std::string& version) {
    const std::string& name = app.get_name();
    std::string title = name;
    std::ranges::transform(title, title.begin(),
                           [](unsigned char letter) { return static_cast<char>(std::toupper(letter)); });
    const std::string description = without_end(app.get_description(), "\n ");
    std::string brief = without_end(description.substr(0, description.find('\n')), ".,:; ");
    if (!brief.empty()) brief[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(brief[0])));
    std::string text = fmt::format(
        ".TH {} 1 \"\" \"{}\" \"User Commands\"\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n{}.SH DESCRIPTION\n{}\n",
        literal(title), literal(version), literal(name), literal(brief), synopsis(app, name), literal(description));
    if (const std::string options = option_list(app); !options.empty()) text += ".SH OPTIONS\n" + options;
    const std::vector<const CLI::App*> commands = commands_of(app);
    if (!commands.empty()) text += ".SH COMMANDS\n";
    for (const CLI::App* sub : commands)
        text += fmt::format(".SS {}{}\n{}{}", synopsis(*sub, name + " " + sub->get_name()),
                            literal(without_end(sub->get_description(), "\n ")), option_list(*sub),
                            preformatted(sub->get_footer()));
    if (const std::string footer = preformatted(app.get_footer()); !footer.empty()) text += ".SH NOTES\n" + footer;
    return text;
}

std::string bash_completion(const CLI::App& app) {
    const std::string& name = app.get_name();
    std::vector<std::string> names;
    std::string cases;
    for (const CLI::App* sub : commands_of(app)) {
        names.push_back(sub->get_name());
        cases += fmt::format("        {}) options='{}' kinds='{}' ;;\n", sub->get_name(),
                             joined(option_words(*sub), " "), positional_words(*sub));
    }
    std::vector<std::string> valued;
    collect_valued(app, valued);
    constexpr const char* text = R"bash(# Completion of {0} for bash, made by `{0} --completion`.

# The lines of stdin that begin with $1. Not by compgen -W, which would run what stands in them: they come from the
# session.
_{0}_lines() {{
    local line
    while read -r line; do
        [[ $line != "$1"* ]] || COMPREPLY+=("$(printf '%q' "$line")")
    done
}}

_{0}() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" command="" options kinds kind index
    local -a given=() session=()
    COMPREPLY=()
    for ((index = 1; index < COMP_CWORD; ++index)); do
        case "${{COMP_WORDS[index]}}" in
            --session) session=(--session "${{COMP_WORDS[index+1]}}"); ((++index)) ;;
            {1}) ((++index)) ;;
            -*) ;;
            *) if [[ -z $command ]]; then command="${{COMP_WORDS[index]}}"; else given+=("${{COMP_WORDS[index]}}"); fi ;;
        esac
    done
    case "$before" in
        --session) _{0}_lines "$word" < <({0} sessions 2>/dev/null | sed -n 's/ *live .*//p'); return ;;
        {1}) return ;;
    esac
    case "$command" in
        '') options='{2}' kinds='' ;;
{3}        *) return ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
        return
    fi
    if [[ -z $command ]]; then
        mapfile -t COMPREPLY < <(compgen -W '{4}' -- "$word")
        return
    fi
    read -ra kinds <<<"$kinds"
    ((${{#kinds[@]}} > 0)) || return
    kind="${{kinds[${{#given[@]}}]:-}}"
    [[ -n $kind || ${{kinds[-1]}} != *+ ]] || kind="${{kinds[-1]}}"
    case "${{kind%+}}" in
        NAME) _{0}_lines "$word" < <({0} ps "${{session[@]}}" 2>/dev/null | sed -n '/^NAME /,/^$/{{/^NAME /d;s/ .*//p}}') ;;
        COMMAND) _{0}_lines "$word" < <({0} describe "${{given[0]}}" "${{session[@]}}" 2>/dev/null |
                                           sed -n 's/^  \([A-Za-z_0-9]*\)(.*/\1/p') ;;
        PROGRAM) mapfile -t COMPREPLY < <(compgen -c -- "$word") ;;
    esac
}}
complete -o bashdefault -o default -F _{0} {0}
)bash";
    return fmt::format(text, name, joined(valued, "|"), joined(option_words(app), " "), cases, joined(names, " "));
}

}  // namespace baton::tool
