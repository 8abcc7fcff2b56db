#include "runtime/process/session_base.hpp"

#include "runtime/base/check.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/log.hpp"
#include "runtime/process/system_error.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <system_error>

namespace baton {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// Longer than a sweep may take (sweep.cpp).
constexpr Duration session_base_lock_wait_max = 5s;
constexpr timespec lock_retry_pause{.tv_sec = 0, .tv_nsec = 2'000'000};

// Without l, o, 0 and 1, so that an id can be read aloud and typed; letters first, so that one can start it
// and no id looks like a number.
constexpr std::string_view id_characters = "abcdefghijkmnpqrstuvwxyz23456789";
constexpr std::size_t id_letter_count = 24;

bool is_folder_of_ours(const fs::path& path) {
    struct stat facts {};
    return ::stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) && facts.st_uid == ::geteuid();
}

int flock_operation(BaseUse use) { return (use == BaseUse::changes ? LOCK_EX : LOCK_SH) | LOCK_NB; }

}  // namespace

std::string session_base_path() {
    const char* const variable = std::getenv("XDG_RUNTIME_DIR");
    if (variable != nullptr && *variable == '/' && is_folder_of_ours(variable)) {
        // The path is compared with what actors were started with, so it has one spelling.
        std::error_code error;
        const fs::path folder = fs::canonical(variable, error);
        if (!error) return (folder / "baton").string();
    }
    return fmt::format("/tmp/baton-{}", ::geteuid());
}

std::string new_session_id() {
    std::array<unsigned char, session_id_size_bytes> noise{};
    check(::getrandom(noise.data(), noise.size(), 0) == static_cast<ssize_t>(noise.size()),
          "a few random bytes come whole");
    std::string id;
    for (const unsigned char byte : noise)
        id += id_characters[byte % (id.empty() ? id_letter_count : id_characters.size())];
    return id;
}

bool is_session_id(std::string_view name) noexcept {
    return name.size() == session_id_size_bytes && name.find_first_not_of(id_characters) == std::string_view::npos;
}

std::vector<std::string> session_ids_in(const std::string& base) {
    std::vector<std::string> ids;
    std::error_code error;
    for (fs::directory_iterator entry{base, error}; !error && entry != fs::directory_iterator{};
         entry.increment(error)) {
        std::error_code vanished;
        const std::string name = entry->path().filename().string();
        if (is_session_id(name) && fs::is_directory(fs::symlink_status(entry->path(), vanished))) ids.push_back(name);
    }
    std::sort(ids.begin(), ids.end());
    return ids;
}

Result<UniqueFd> lock_session_base(const std::string& base, BaseUse use) {
    const std::string path = base + "/.sweep-lock";
    UniqueFd lock{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR)};
    if (!lock.is_open()) return system_error(errno, fmt::format("cannot open '{}'", path));

    // flock has no deadline of its own, and its holder may have been suspended with Ctrl-Z.
    const SystemClock clock;
    const Deadline deadline = Deadline::in(clock, session_base_lock_wait_max);
    while (::flock(lock.get(), flock_operation(use)) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) return system_error(errno, fmt::format("cannot lock '{}'", path));
        if (deadline.has_passed(clock))
            return Error{ErrorKind::overloaded,
                         fmt::format("cannot lock '{}' within {} s: another Baton process of yours holds it, perhaps "
                                     "a suspended one; `fuser {}` tells which",
                                     path, session_base_lock_wait_max / 1s, path)};
        ::nanosleep(&lock_retry_pause, nullptr);
    }
    return lock;
}

std::optional<UniqueFd> lock_of_dead_session(const std::string& folder, BaseUse use) {
    const std::string path = fmt::format("{}/{}", folder, session_lock_name);
    UniqueFd lock{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
    if (!lock.is_open()) return errno == ENOENT ? std::optional{UniqueFd{}} : std::nullopt;
    if (::flock(lock.get(), flock_operation(use)) != 0) return std::nullopt;
    return lock;
}

}  // namespace baton
