#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include <baton/command_line.hpp>

namespace baton::program {
namespace {

bool is_shown(const CLI::Option& option) { return !option.get_group().empty(); }

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
    if (!shown_options(app, Positional::no).empty()) text += " [\\fIOPTIONS\\fR]";
    for (const CLI::Option* one : shown_options(app, Positional::yes)) {
        const bool are_many = one->get_items_expected_max() > 1;
        const std::string word = fmt::format("\\fI{}\\fR{}", literal(one->get_name(true)), are_many ? " ..." : "");
        text += one->get_required() ? " " + word : " [" + word + "]";
    }
    if (!shown_commands(app).empty()) text += " \\fICOMMAND\\fR ...";
    return text + "\n";
}

std::string option_list(const CLI::App& app) {
    std::string text;
    for (const Positional positional : {Positional::yes, Positional::no})
        for (const CLI::Option* one : shown_options(app, positional)) {
            std::string names;
            if (positional == Positional::yes) names = fmt::format("\\fI{}\\fR", literal(one->get_name(true)));
            else
                for (const std::string& name : names_of(*one))
                    names += fmt::format("{}\\fB{}\\fR", names.empty() ? "" : ", ", literal(name));
            if (positional == Positional::no && takes_value(*one))
                names += fmt::format(" \\fI{}\\fR", literal(one->get_type_name()));
            const std::string usual = one->get_default_str();
            text += fmt::format(".TP\n{}\n{}{}\n", names, literal(one->get_description()),
                                usual.empty() ? "" : fmt::format(" (default: {})", literal(usual)));
        }
    return text;
}

}  // namespace

std::vector<const CLI::Option*> shown_options(const CLI::App& app, Positional positional) {
    std::vector<const CLI::Option*> options;
    for (const CLI::Option* one : app.get_options())
        if (is_shown(*one) && one->get_positional() == (positional == Positional::yes)) options.push_back(one);
    return options;
}

std::vector<const CLI::App*> shown_commands(const CLI::App& app) {
    return app.get_subcommands(
        [](const CLI::App* sub) { return !sub->get_name().empty() && !sub->get_group().empty(); });
}

std::vector<std::string> names_of(const CLI::Option& option) {
    std::vector<std::string> names;
    for (const std::string& name : option.get_snames()) names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
    return names;
}

bool takes_value(const CLI::Option& option) {
    return option.get_items_expected_max() > 0 && option.get_type_size() != 0;
}

std::string man_page(const CLI::App& app, std::string_view version) {
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
    const std::vector<const CLI::App*> commands = shown_commands(app);
    if (!commands.empty()) text += ".SH COMMANDS\n";
    for (const CLI::App* sub : commands)
        text += fmt::format(".SS {}{}\n{}{}", synopsis(*sub, name + " " + sub->get_name()),
                            literal(without_end(sub->get_description(), "\n ")), option_list(*sub),
                            preformatted(sub->get_footer()));
    if (const std::string footer = preformatted(app.get_footer()); !footer.empty()) text += ".SH NOTES\n" + footer;
    return text;
}

}  // namespace baton::program
