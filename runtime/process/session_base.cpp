#include "runtime/process/session_base.hpp"

#include "runtime/base/check.hpp"
#include <baton/time.hpp>
#include <baton/log.hpp>
#include "runtime/process/life_sign.hpp"
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
#include <fstream>
#include <system_error>

namespace baton::detail {
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

bool is_same_file(int fd, const std::string& path) {
    struct stat opened {};
    struct stat named {};
    return ::fstat(fd, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}

constexpr std::string_view memory_prefix = "baton-";
constexpr std::string_view folder_word = "folder ";

bool has_open(const fs::path& process, const std::string& name) {
    std::error_code unseen;
    for (fs::directory_iterator fd{process / "fd", unseen}; !unseen && fd != fs::directory_iterator{};
         fd.increment(unseen)) {
        std::error_code vanished;
        if (fs::read_symlink(fd->path(), vanished).string().find(name) != std::string::npos && !vanished) return true;
    }
    return false;
}

bool has_mapped(const fs::path& process, const std::string& name) {
    std::ifstream maps{process / "maps"};
    for (std::string line; std::getline(maps, line);)
        if (line.find(name) != std::string::npos) return true;
    return false;
}

// True if a process of this user that we can see uses the memory, even if its name has been removed.
bool is_used(std::string_view id) {
    const std::string name = fmt::format("/{}{}-", memory_prefix, id);
    std::error_code error;
    for (fs::directory_iterator process{"/proc", error}; !error && process != fs::directory_iterator{};
         process.increment(error)) {
        const std::string pid = process->path().filename().string();
        if (pid.empty() || pid.find_first_not_of("0123456789") != std::string::npos) continue;
        if (has_open(process->path(), name) || has_mapped(process->path(), name)) return true;
    }
    return false;
}

// The folder that a lock names; empty if it names none.
std::string folder_named_in(int lock) {
    std::array<char, 512> text{};
    const ssize_t size = ::pread(lock, text.data(), text.size(), 0);
    if (size <= 0) return {};
    std::string_view rest{text.data(), static_cast<std::size_t>(size)};
    const std::size_t start = rest.find(folder_word);
    if (start == std::string_view::npos) return {};
    rest.remove_prefix(start + folder_word.size());
    return std::string(rest.substr(0, rest.find('\n')));
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
    return fmt::format("{}/.baton-{}", shared_memory_place, ::geteuid());
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
    const auto open = [&] {
        return UniqueFd{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR)};
    };
    UniqueFd lock = open();
    if (!lock.is_open()) return system_error(errno, fmt::format("cannot open '{}'", path));

    // flock has no deadline of its own, and its holder may have been suspended with Ctrl-Z.
    const SystemClock clock;
    const Deadline deadline = Deadline::in(clock, session_base_lock_wait_max);
    for (;;) {
        if (::flock(lock.get(), flock_operation(use)) == 0) {
            // Another program may have removed the file in the meantime; then others lock another file of that name.
            if (is_same_file(lock.get(), path) || deadline.has_passed(clock)) break;
            lock = open();
            if (!lock.is_open()) return system_error(errno, fmt::format("cannot open '{}'", path));
            continue;
        }
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

namespace {

// False if it is held, or if that cannot be known. If there is no such thing `lock` stays unopened.
bool take(UniqueFd& lock, const std::string& path, BaseUse use) {
    lock = UniqueFd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
    if (!lock.is_open()) return errno == ENOENT;
    return ::flock(lock.get(), flock_operation(use)) == 0;
}

// In /dev/shm everybody may put a file, under any name; another user's says nothing of our sessions.
bool take_memory_lock(UniqueFd& lock, std::string_view id, BaseUse use) {
    const std::string path = memory_lock_path(id);
    struct stat facts {};
    if (::lstat(path.c_str(), &facts) == 0 && (facts.st_uid != ::geteuid() || !S_ISREG(facts.st_mode))) return true;
    return take(lock, path, use);
}

}  // namespace

std::optional<SessionLocks> locks_of_dead_session(const std::string& folder, BaseUse use) {
    SessionLocks locks;
    const std::string id = fs::path{folder}.filename().string();
    if (has_life_sign(id)) return std::nullopt;
    if (!take(locks.folder, folder, use)) return std::nullopt;
    if (!take(locks.file, fmt::format("{}/{}", folder, session_lock_name), use)) return std::nullopt;
    if (!take_memory_lock(locks.memory, id, use)) return std::nullopt;
    return locks;
}

std::optional<SessionLocks> locks_of_dead_memory(std::string_view id) {
    SessionLocks locks;
    if (has_life_sign(id)) return std::nullopt;
    if (!take_memory_lock(locks.memory, id, BaseUse::changes)) return std::nullopt;
    if (!locks.memory.is_open()) return is_used(id) ? std::nullopt : std::optional{std::move(locks)};
    std::error_code error;
    const std::string folder = folder_named_in(locks.memory.get());
    if (!folder.empty() && fs::exists(fs::symlink_status(folder, error))) return std::nullopt;
    return locks;
}

std::string memory_lock_path(std::string_view id) {
    return fmt::format("{}/{}{}-lock", shared_memory_place, memory_prefix, id);
}

Result<UniqueFd> make_memory_lock(std::string_view id, std::string_view folder, std::string_view text) {
    const std::string path = memory_lock_path(id);
    const std::string tried = fmt::format("cannot make the lock of the session's memory '{}'", path);
    UniqueFd lock{::open(shared_memory_place, O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR)};
    if (!lock.is_open() || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return system_error(errno, tried);
    const std::string whole = fmt::format("{}{}{}\n", text, folder_word, folder);
    const ssize_t written = ::write(lock.get(), whole.data(), whole.size());
    if (written != static_cast<ssize_t>(whole.size())) return system_error(written < 0 ? errno : ENOSPC, tried);
    const std::string nameless = fmt::format("/proc/self/fd/{}", lock.get());
    if (::linkat(AT_FDCWD, nameless.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) != 0)
        return system_error(errno, tried);
    return lock;
}

std::optional<std::string> session_id_of_memory(std::string_view name) {
    if (!name.starts_with(memory_prefix)) return std::nullopt;
    const std::string_view rest = name.substr(memory_prefix.size());
    if (rest.size() <= session_id_size_bytes || rest[session_id_size_bytes] != '-') return std::nullopt;
    const std::string_view id = rest.substr(0, session_id_size_bytes);
    return is_session_id(id) ? std::optional{std::string(id)} : std::nullopt;
}

}  // namespace baton::detail
