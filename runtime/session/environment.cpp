#include "runtime/session/environment.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>

namespace baton::detail {
namespace {

template <class Number>
bool parse(std::string_view text, Number& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size();
}

std::string_view variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view{} : std::string_view{value};
}

}  // namespace

std::optional<SpawnedAs> spawned_as() {
    SpawnedAs out{std::string(variable(session_variable)), {}, 0};
    const std::optional<ActorId> actor = actor_id_of(variable(actor_variable));
    if (out.folder.empty() || !actor || !parse(variable(anchor_variable), out.anchor_pid))
        return std::nullopt;
    out.actor = *actor;
    return out;
}

std::optional<ActorId> actor_id_of(std::string_view text) {
    ActorId id;
    const std::size_t dot = text.find('.');
    if (dot == std::string_view::npos || !parse(text.substr(0, dot), id.number) ||
        !parse(text.substr(dot + 1), id.incarnation))
        return std::nullopt;
    return id;
}

std::vector<std::string> program_folders() {
    std::vector<std::string> folders;
    if (const char* listed = std::getenv("BATON_PROGRAMS"); listed != nullptr) {
        std::string_view rest = listed;
        while (!rest.empty()) {
            const std::size_t colon = std::min(rest.find(':'), rest.size());
            // Absolute: the coordinator, which is told of them, may work in another folder.
            std::error_code error;
            if (colon > 0) folders.push_back(std::filesystem::absolute(rest.substr(0, colon), error).string());
            rest.remove_prefix(std::min(colon + 1, rest.size()));
        }
    }
    std::error_code error;
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
    if (!error) folders.push_back(self.parent_path().string());
    return folders;
}

std::string coordinator_address(std::string_view folder, std::uint64_t generation) {
    return fmt::format("ipc://{}/{}-{}.sock", folder, coordinator_socket, generation);
}

std::string coordinator_address(std::string_view folder) {
    return fmt::format("ipc://{}/{}.sock", folder, coordinator_socket);
}

}  // namespace baton::detail

namespace baton {

using namespace detail;

Result<std::string> find_coordinator(const std::vector<std::string>& folders) {
    if (const std::string_view named = variable("BATON_COORDINATOR_PROGRAM"); !named.empty()) return std::string(named);
    std::vector<std::string> looked_in = folders;
    for (const std::string& folder : program_folders()) looked_in.push_back(folder);
    const std::string_view path_list = variable("PATH");
    for (std::size_t start = 0; start <= path_list.size();) {
        const std::size_t end = std::min(path_list.find(':', start), path_list.size());
        if (end > start) looked_in.emplace_back(path_list.substr(start, end - start));
        start = end + 1;
    }
    for (const std::string& folder : looked_in) {
        const std::string path = fmt::format("{}/{}", folder, coordinator_program);
        if (::access(path.c_str(), X_OK) == 0) return path;
    }
    return Error{ErrorKind::gone,
                 fmt::format("the program {} was found neither beside this program nor in PATH: install it, or "
                             "name its path in BATON_COORDINATOR_PROGRAM",
                             coordinator_program)};
}

}  // namespace baton
