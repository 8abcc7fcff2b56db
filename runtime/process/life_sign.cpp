#include "runtime/process/life_sign.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "runtime/process/session_base.hpp"
#include "runtime/process/system_error.hpp"

namespace baton::detail {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "baton:";

// That process is this user's, and has that socket open.
bool holds_socket(pid_t pid, std::string_view inode) {
    const fs::path process = fmt::format("/proc/{}", pid);
    struct stat facts {};
    if (::stat(process.c_str(), &facts) != 0 || facts.st_uid != ::geteuid()) return false;
    const std::string socket = fmt::format("socket:[{}]", inode);
    std::error_code unseen;
    for (fs::directory_iterator fd{process / "fd", unseen}; !unseen && fd != fs::directory_iterator{};
         fd.increment(unseen)) {
        std::error_code vanished;
        if (fs::read_symlink(fd->path(), vanished).string() == socket && !vanished) return true;
    }
    return false;
}

// Of "baton:PID:FOLDER".
LifeSign sign_of(std::string_view name) {
    if (!name.starts_with(prefix)) return {};
    name.remove_prefix(prefix.size());
    LifeSign sign;
    const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), sign.anchor);
    const auto digits = static_cast<std::size_t>(end - name.data());
    if (problem != std::errc{} || digits + 1 >= name.size() || name[digits] != ':') return {};
    sign.folder = name.substr(digits + 1);
    if (sign.folder.front() != '/' || !is_session_id(sign.id())) return {};
    return sign;
}

}  // namespace

Result<UniqueFd> give_life_sign(const std::string& folder) {
    const std::string name = fmt::format("{}{}:{}", prefix, ::getpid(), folder);
    const std::string tried = fmt::format("cannot give the life sign '@{}'", name);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (name.size() + 1 > sizeof address.sun_path) return system_error(ENAMETOOLONG, tried);
    std::memcpy(address.sun_path + 1, name.data(), name.size());  // behind a zero: it has no file
    const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    UniqueFd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    if (!socket.is_open() || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), bytes) != 0)
        return system_error(errno, tried);
    return socket;
}

std::vector<LifeSign> life_signs() {
    std::vector<LifeSign> signs;
    std::ifstream sockets{"/proc/self/net/unix"};
    for (std::string line; std::getline(sockets, line);) {
        const std::size_t at = line.find(fmt::format(" @{}", prefix));
        if (at == std::string::npos) continue;
        LifeSign sign = sign_of(std::string_view(line).substr(at + 2));
        // Before the name: address, count, protocol, flags, type, state, inode.
        std::istringstream fields{line.substr(0, at)};
        std::string inode;
        for (std::string field; fields >> field;) inode = std::move(field);
        if (sign.anchor > 0 && holds_socket(sign.anchor, inode)) signs.push_back(std::move(sign));
    }
    return signs;
}

bool has_life_sign(std::string_view session_id) {
    return std::ranges::any_of(life_signs(), [&](const LifeSign& sign) { return sign.id() == session_id; });
}

}  // namespace baton::detail
