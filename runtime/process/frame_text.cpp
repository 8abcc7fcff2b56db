#include "runtime/process/frame_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace baton::detail {
namespace {

constexpr std::string_view unnamed = "(anonymous namespace)";
constexpr std::array dispatches{std::string_view{"baton::detail::call_on"},
                                std::string_view{"baton::detail::run_command"}};

// The place behind the bracket that closes the one at `open`, which may hold others; npos if there is none.
std::size_t behind_bracket(std::string_view text, std::size_t open) {
    int depth = 0;
    for (std::size_t index = open; index < text.size(); ++index) {
        if (std::string_view("<({").find(text[index]) != std::string_view::npos) ++depth;
        const bool is_arrow = text[index] == '>' && index > 0 && text[index - 1] == '-';
        if (std::string_view(">)}").find(text[index]) != std::string_view::npos && !is_arrow && --depth == 0)
            return index + 1;
    }
    return std::string_view::npos;
}

// "baton::detail::SegmentBase::elements<double>": without the type that it returns, and without its parameters.
std::string_view function_of(std::string_view frame) {
    std::size_t start = 0;
    for (std::size_t index = 0; index < frame.size();) {
        const std::string_view name = frame.substr(start, index - start);
        const bool is_operator = name.ends_with("operator");
        if (frame.substr(index).starts_with(unnamed)) {
            index += unnamed.size();
        } else if (is_operator && frame.substr(index).starts_with("()")) {
            index += 2;
        } else if (is_operator && frame.find('(', index) != std::string_view::npos) {
            index = frame.find('(', index);  // "operator<", "operator bool"
        } else if (frame[index] == '(' && name != "decltype") {
            return name;
        } else if (frame[index] == '<' || frame[index] == '{' || frame[index] == '(') {
            index = behind_bracket(frame, index);
            if (index == std::string_view::npos) return name;
        } else {
            if (frame[index++] == ' ') start = index;
        }
    }
    return frame.substr(start);
}

bool is_dispatch(std::string_view frame) {
    const std::string_view function = function_of(frame);
    return std::ranges::any_of(dispatches, [&](std::string_view one) { return function.starts_with(one); });
}

// "Tally::on(tally::Vote)" for baton::detail::call_on<Tally, tally::Vote>.
std::optional<std::string> inlined_handler(std::string_view dispatch) {
    const std::string_view function = function_of(dispatch);
    const std::size_t open = function.find('<');
    if (open == std::string_view::npos || !function.ends_with('>')) return std::nullopt;
    const std::string_view arguments = function.substr(open + 1, function.size() - open - 2);
    for (std::size_t index = 0; index < arguments.size(); ++index) {
        if (arguments[index] == ',') {
            std::string_view command = arguments.substr(index + 1);
            command.remove_prefix(std::min(command.find_first_not_of(' '), command.size()));
            return fmt::format("{}::on({})", arguments.substr(0, index), command);
        }
        if (std::string_view("<({").find(arguments[index]) != std::string_view::npos) {
            const std::size_t behind = behind_bracket(arguments, index);
            if (behind == std::string_view::npos) return std::nullopt;
            index = behind - 1;
        }
    }
    return std::nullopt;
}

void replace_all(std::string& text, std::string_view before, std::string_view after) {
    for (std::size_t at = text.find(before); at != std::string::npos; at = text.find(before, at + after.size()))
        text.replace(at, before.size(), after);
}

// ", std::allocator<int> " of std::vector<int, std::allocator<int> >
void remove_argument(std::string& text, std::string_view beginning) {
    for (std::size_t at = text.find(beginning); at != std::string::npos; at = text.find(beginning, at)) {
        std::size_t end = behind_bracket(text, at + beginning.size() - 1);
        if (end == std::string_view::npos) return;
        if (end < text.size() && text[end] == ' ') ++end;
        text.erase(at, end - at);
    }
}

}  // namespace

bool is_frame_of_libraries(std::string_view frame) {
    const std::string_view function = function_of(frame);
    return function.starts_with("baton::") ||
           (function.starts_with("std::_") && !function.starts_with("std::__cxx11::"));
}

std::vector<std::string> frames_to_show(const std::vector<std::string>& frames, std::size_t frames_max) {
    std::vector<std::string> theirs;
    std::vector<std::string> ours;
    for (const std::string& frame : frames) {
        if (is_dispatch(frame)) {
            std::optional<std::string> handler = inlined_handler(frame);
            if (theirs.empty() && handler) theirs.push_back(std::move(*handler));
            else if (theirs.empty() && ours.empty()) ours.push_back(frame);
            break;
        }
        (is_frame_of_libraries(frame) ? ours : theirs).push_back(frame);
    }
    std::vector<std::string>& shown = theirs.empty() ? ours : theirs;
    shown.resize(std::min(shown.size(), frames_max));
    return std::move(shown);
}

std::string shortened_frame(std::string_view frame) {
    std::string text{frame};
    for (std::size_t at = text.find(" [clone "); at != std::string::npos; at = text.find(" [clone ", at)) {
        const std::size_t end = text.find(']', at);
        text.erase(at, end == std::string::npos ? end : end + 1 - at);
    }
    replace_all(text, "std::__cxx11::", "std::");
    replace_all(text, "std::basic_string<char, std::char_traits<char>, std::allocator<char> >", "std::string");
    replace_all(text, "std::basic_string_view<char, std::char_traits<char> >", "std::string_view");
    for (const std::string_view rest : {", std::char_traits<", ", std::allocator<", ", std::default_delete<",
                                        ", std::less<", ", std::hash<", ", std::equal_to<"})
        remove_argument(text, rest);
    return text;
}

}  // namespace baton::detail
