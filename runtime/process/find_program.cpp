#include "runtime/process/find_program.hpp"

#include <baton/log.hpp>
#include <baton/text.hpp>
#include "runtime/base/text.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <system_error>
#include <vector>

namespace baton::detail {
namespace {

namespace fs = std::filesystem;

// For an error, which has lines of its own: a name must not add one to them.
std::string shown(const fs::path& path) { return printable(path.string()); }

// Empty for a file that can be executed, else the reason why not.
std::string obstacle_at(const fs::path& path) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (status.type() == fs::file_type::not_found) return "not there";
    if (error) return error.message();
    if (fs::is_directory(status)) return "a folder, not a program";
    if (!fs::is_regular_file(status)) return "not a regular file";
    if (::access(path.c_str(), X_OK) != 0) return fmt::format("not executable: chmod +x '{}'", shown(path));
    return {};
}

std::vector<std::string> folders_of_path() {
    std::vector<std::string> folders;
    const char* const variable = std::getenv("PATH");
    if (variable == nullptr || *variable == '\0') return folders;
    std::string_view rest{variable};
    for (;;) {
        const std::size_t end = rest.find(':');
        const std::string_view folder = rest.substr(0, end);
        folders.emplace_back(folder.empty() ? "." : folder);  // as POSIX says of an empty entry
        if (end == std::string_view::npos) return folders;
        rest.remove_prefix(end + 1);
    }
}

}  // namespace

Result<std::string> find_program(std::string_view name, std::span<const std::string> folders) {
    if (name.empty()) return Error{ErrorKind::refused, "cannot find a program without a name"};
    if (name.find('\0') != std::string_view::npos)
        return Error{
            ErrorKind::refused,
            fmt::format("cannot find program '{}': its name holds a zero byte, which no file's does", printable(name))};

    std::error_code error;
    if (name.find('/') != std::string_view::npos) {
        const fs::path path = fs::absolute(name, error);
        if (error)
            return Error{ErrorKind::refused,
                         fmt::format("cannot make the program path '{}' absolute: {}", printable(name),
                                     error.message())};
        if (const std::string obstacle = obstacle_at(path); !obstacle.empty())
            return Error{ErrorKind::refused, fmt::format("cannot use program '{}': {}", shown(path), obstacle)};
        return path.string();
    }

    std::vector<std::string> places{folders.begin(), folders.end()};
    const std::vector<std::string> from_path = folders_of_path();
    places.insert(places.end(), from_path.begin(), from_path.end());

    // Several lists name the same folders; each is looked at, and named, once.
    std::set<fs::path> seen;
    std::string looked;
    for (const std::string& place : places) {
        const fs::path path = fs::absolute(fs::path{place} / name, error).lexically_normal();
        if (error || !seen.insert(path).second) continue;
        const std::string obstacle = obstacle_at(path);
        if (obstacle.empty()) return path.string();
        looked += fmt::format("\n  {}: {}", shown(path.parent_path()), obstacle);
    }
    return Error{ErrorKind::refused,
                 fmt::format("cannot find program '{}'; looked in{}\nbuild it, name its path, or add its folder "
                             "to PATH",
                             printable(name),
                             looked.empty() ? " no folder: none was given and PATH is empty" : looked)};
}

}  // namespace baton::detail
