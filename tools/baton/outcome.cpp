#include "tools/baton/outcome.hpp"

#include <fmt/format.h>

#include <utility>

#include <baton/text.hpp>

namespace baton::tool {

namespace {

// "student::Student::on(student::HoldThis const&) (student_actor.cpp:8)" without what only a compiler reads:
// "student::Student::on at student_actor.cpp:8".
std::string short_frame(std::string_view frame) {
    constexpr std::string_view unnamed = "(anonymous namespace)::";
    std::string_view place;
    if (const std::size_t start = frame.rfind(" ("); start != std::string_view::npos && frame.ends_with(')') &&
                                                     frame.find(':', start) != std::string_view::npos &&
                                                     frame.find("::", start) == std::string_view::npos) {
        place = frame.substr(start + 2, frame.size() - start - 3);
        frame = frame.substr(0, start);
    }
    std::string name;
    int depth = 0;  // of template arguments
    for (std::size_t index = 0; index < frame.size(); ++index) {
        if (frame.substr(index).starts_with(unnamed)) {
            index += unnamed.size() - 1;
        } else if (frame[index] == '<') {
            ++depth;
        } else if (frame[index] == '>') {
            --depth;
        } else if (depth == 0) {
            if (frame[index] == '(') break;
            name += frame[index];
        }
    }
    name.erase(name.find_last_not_of(' ') + 1);
    if (depth != 0 || name.empty()) name = frame;  // an operator< or the like
    return place.empty() ? name : fmt::format("{} at {}", name, place);
}

}  // namespace

int exit_code_of(ErrorKind kind) noexcept {
    switch (kind) {
        case ErrorKind::refused:
        case ErrorKind::corrupt: return exit_code::refused;
        case ErrorKind::gone:
        case ErrorKind::stopping: return exit_code::gone;
        case ErrorKind::overloaded:
        case ErrorKind::deadlock:
        case ErrorKind::timed_out: return exit_code::later;
        case ErrorKind::failed: return exit_code::failed;
        case ErrorKind::unsupported: return exit_code::unsupported;
    }
    return exit_code::failed;
}

std::string told(std::string_view kind, const Error& error, Lines lines) {
    std::string line = fmt::format("{}: {}", kind, error.text);
    std::string places;
    std::string before;
    for (const std::string& frame : error.frames) {
        const std::string place = short_frame(frame);
        const bool is_ours = place.starts_with("baton::");
        if (!is_ours && std::exchange(before, place) != place) places += (places.empty() ? "in " : ", from ") + place;
    }
    return printable(places.empty() ? line : fmt::format("{} ({})", line, places), lines);
}

Error explained(std::string_view tried, Error error, std::string_view advice) {
    error.text = fmt::format("{}: {}{}{}", tried, error.text, advice.empty() ? "" : "; ", advice);
    return error;
}

}  // namespace baton::tool
