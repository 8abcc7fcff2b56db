#include "tools/baton/completion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace baton::tool {

using namespace program;

namespace {

std::string joined(const std::vector<std::string>& words, std::string_view between) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : std::string(between)) + word;
    return text;
}

std::vector<std::string> option_words(const CLI::App& app) {
    std::vector<std::string> words;
    for (const CLI::Option* one : shown_options(app, Positional::no))
        for (std::string& name : names_of(*one)) words.push_back(std::move(name));
    return words;
}

void collect_valued(const CLI::App& app, std::vector<std::string>& words) {
    for (const CLI::Option* one : shown_options(app, Positional::no))
        if (takes_value(*one))
            for (std::string& name : names_of(*one))
                if (std::ranges::find(words, name) == words.end()) words.push_back(std::move(name));
    for (const CLI::App* sub : shown_commands(app)) collect_valued(*sub, words);
}

// "NAME COMMAND FIELDS", the last with a + if it may come again.
std::string positional_words(const CLI::App& app) {
    std::vector<std::string> words;
    for (const CLI::Option* one : shown_options(app, Positional::yes))
        words.push_back(one->get_name(true) + (one->get_items_expected_max() > 1 ? "+" : ""));
    return joined(words, " ");
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
    const std::string& name = app.get_name();
    std::vector<std::string> names;
    std::string cases;
    for (const CLI::App* sub : shown_commands(app)) {
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
            *)
                if [[ -z $command ]]; then command="${{COMP_WORDS[index]}}"
                else given+=("${{COMP_WORDS[index]}}"); fi ;;
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
        NAME) _{0}_lines "$word" < <({0} ps "${{session[@]}}" 2>/dev/null |
                                     sed -n '/^NAME /,/^$/{{/^NAME /d;s/ .*//p}}') ;;
        COMMAND) _{0}_lines "$word" < <({0} describe "${{given[0]}}" "${{session[@]}}" 2>/dev/null |
                                           sed -n 's/^  \([A-Za-z_0-9]*\)(.*/\1/p') ;;
        SUBCOMMAND) mapfile -t COMPREPLY < <(compgen -W '{4}' -- "$word") ;;
        PROGRAM) mapfile -t COMPREPLY < <(compgen -c -- "$word") ;;
    esac
}}
complete -o bashdefault -o default -F _{0} {0}
)bash";
    return fmt::format(text, name, joined(valued, "|"), joined(option_words(app), " "), cases, joined(names, " "));
}

}  // namespace baton::tool
