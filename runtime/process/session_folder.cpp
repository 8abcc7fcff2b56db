#include "runtime/process/session_folder.hpp"

#include "runtime/base/check.hpp"
#include <baton/log.hpp>
#include "runtime/process/life_sign.hpp"
#include "runtime/process/private_folder.hpp"
#include "runtime/process/process_facts.hpp"
#include "runtime/process/session_base.hpp"
#include "runtime/process/system_error.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace baton::detail {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view socket_suffix = ".sock";
constexpr std::size_t base_path_size_bytes_max = socket_path_size_bytes_max  // of which
                                                 - 1 - session_id_size_bytes       // "/<id>"
                                                 - 1 - socket_name_size_bytes_max  // "/<name>"
                                                 - socket_suffix.size();
constexpr int id_attempts_max = 8;
constexpr std::string_view how_to_start = "`baton serve` keeps one open, `baton run SCRIPT` runs a script in one";

Result<std::string> make_session_base() {
    const std::string base = session_base_path();
    if (base.size() > base_path_size_bytes_max)
        return Error{ErrorKind::refused,
                     fmt::format("cannot put sockets under '{}': it is {} bytes long, and the kernel's limit on the "
                                 "path of a socket leaves room for {}; point XDG_RUNTIME_DIR to a folder with a "
                                 "shorter path, or unset it",
                                 base, base.size(), base_path_size_bytes_max)};
    if (Result<void> made = make_private_folder(base); !made) return std::move(made.error());
    return base;
}

Result<std::string> make_session_folder(const std::string& base) {
    for (int attempt = 0; attempt < id_attempts_max; ++attempt) {
        std::string id = new_session_id();
        const std::string path = fmt::format("{}/{}", base, id);
        if (::mkdir(path.c_str(), S_IRWXU) == 0) return id;
        if (errno != EEXIST) return system_error(errno, fmt::format("cannot make the session folder '{}'", path));
    }
    return Error{ErrorKind::overloaded, fmt::format("cannot find a free session id in '{}'", base)};
}

Result<UniqueFd> lock_session_folder(const std::string& folder) {
    UniqueFd lock{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    if (!lock.is_open() || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
        return system_error(errno, fmt::format("cannot lock the session folder '{}'", folder));
    return lock;
}

// What stands in a lock file, for people.
std::string holder_text(pid_t anchor) {
    const auto facts = facts_of(anchor);
    return fmt::format("pid {}\nstart_ticks {}\n", anchor, facts ? facts->start_ticks : 0);
}

Result<UniqueFd> make_session_lock(const std::string& folder, const std::string& text) {
    const std::string path = fmt::format("{}/{}", folder, session_lock_name);
    const std::string tried = fmt::format("cannot make the session lock '{}'", path);
    UniqueFd lock{::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR)};
    if (!lock.is_open()) return system_error(errno, tried);
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return system_error(errno, tried);

    const ssize_t written = ::write(lock.get(), text.data(), text.size());
    if (written != static_cast<ssize_t>(text.size())) return system_error(written < 0 ? errno : ENOSPC, tried);
    return lock;
}

SessionInfo info_of(const std::string& folder) {
    SessionInfo info{.id = fs::path{folder}.filename().string(), .path = folder};
    const std::vector<LifeSign> signs = life_signs();
    if (const auto sign = std::ranges::find(signs, folder, &LifeSign::folder); sign != signs.end()) {
        info.is_live = true;
        info.pid = sign->anchor;
        return info;
    }
    info.is_live = !locks_of_dead_session(folder, BaseUse::reads).has_value();
    std::ifstream lock{fmt::format("{}/{}", folder, session_lock_name)};
    std::string word;
    if (!(lock >> word >> info.pid) || word != "pid") info.pid = 0;
    return info;
}

std::string ids_of(const std::vector<SessionInfo>& sessions) {
    std::string text;
    for (const SessionInfo& session : sessions)
        if (session.is_live) text += fmt::format("{}{} (pid {})", text.empty() ? "" : ", ", session.id, session.pid);
    return text;
}

std::string choices() {
    const auto sessions = list_sessions();
    const std::string running = sessions ? ids_of(*sessions) : std::string{};
    return running.empty() ? fmt::format("none is running: {}", how_to_start) : fmt::format("running are {}", running);
}

// Those whose folder another program has removed from `base`.
void add_without_folder(const std::string& base, std::vector<SessionInfo>& sessions) {
    // Where it was said to be when it was there.
    const char* const variable = std::getenv("XDG_RUNTIME_DIR");
    const fs::path other = variable == nullptr ? fs::path{} : fs::path{variable} / "baton";
    std::error_code error;
    for (LifeSign& sign : life_signs()) {
        const fs::path parent = fs::path{sign.folder}.parent_path();
        const bool is_here = parent == base || parent == other;
        if (!is_here || fs::exists(fs::symlink_status(sign.folder, error))) continue;
        SessionInfo info{.id = sign.id(), .path = sign.folder, .is_live = true, .pid = sign.anchor};
        info.has_folder = false;
        sessions.push_back(std::move(info));
    }
    std::ranges::sort(sessions, {}, &SessionInfo::id);
}

Error without_folder(const SessionInfo& session) {
    return Error{ErrorKind::gone,
                 fmt::format("cannot join session {}: it lives (process {}), but its folder '{}' was removed by "
                             "another program, so nobody new can reach it. Its coordinator puts the folder back as "
                             "soon as '{}' is there again, usually at once: try again. `kill {}` ends the session",
                             session.id, session.pid, session.path,
                             fs::path{session.path}.parent_path().parent_path().string(), session.pid)};
}

// `named_by` tells where the name came from: an old variable in a shell is easily forgotten.
Result<SessionInfo> find_named(const std::string& id_or_path, std::string_view named_by) {
    const auto miss = [&](std::string_view reason) {
        return Error{ErrorKind::gone, fmt::format("cannot join session '{}' ({}): {}; {}", id_or_path, named_by, reason,
                                                  choices())};
    };
    if (id_or_path.find('\0') != std::string::npos) return miss("it holds a zero byte");
    std::string folder;
    if (id_or_path.find('/') == std::string::npos) {
        if (!is_session_id(id_or_path)) return miss("this is not a session id");
        folder = fmt::format("{}/{}", session_base_path(), id_or_path);
    } else {
        std::error_code error;
        const fs::path path = fs::absolute(id_or_path, error).lexically_normal();
        folder = (path.has_filename() ? path : path.parent_path()).string();
    }

    std::error_code error;
    if (!fs::exists(fs::symlink_status(folder, error))) {
        // An id is that of one session, wherever its folder was.
        const std::string id = fs::path{folder}.filename().string();
        for (const LifeSign& sign : life_signs())
            if (sign.id() == id && !fs::exists(fs::symlink_status(sign.folder, error)))
                return without_folder({.id = id, .path = sign.folder, .is_live = true, .pid = sign.anchor});
    }
    if (!fs::exists(fs::symlink_status(folder, error))) return miss(fmt::format("there is no folder '{}'", folder));
    if (Result<void> is_private = check_private_folder(folder); !is_private) return std::move(is_private.error());
    SessionInfo info = info_of(folder);
    if (!info.is_live) return miss("its coordinator has exited, or this never was a session");
    return info;
}

}  // namespace

Result<SessionFolder> SessionFolder::create() {
    const Result<std::string> base = make_session_base();
    if (!base) return base.error();
    // While it is held no sweep looks at the folder, which has no lock yet.
    const Result<UniqueFd> base_lock = lock_session_base(*base, BaseUse::changes);
    if (!base_lock) return base_lock.error();

    Result<std::string> id = make_session_folder(*base);
    if (!id) return std::move(id.error());
    std::string path = fmt::format("{}/{}", *base, *id);
    // The first error is the one to report; what stays is swept.
    const auto fail = [&](Error&& error) {
        [[maybe_unused]] const auto removed = remove_private_folder(path, session_lock_name);
        return std::move(error);
    };
    const std::string text = holder_text(::getpid());
    Result<UniqueFd> life_sign = give_life_sign(path);
    if (!life_sign) return fail(std::move(life_sign.error()));
    Result<UniqueFd> folder = lock_session_folder(path);
    if (!folder) return fail(std::move(folder.error()));
    Result<UniqueFd> file = make_session_lock(path, text);
    if (!file) return fail(std::move(file.error()));
    Result<UniqueFd> memory = make_memory_lock(*id, path, text);
    if (!memory) return fail(std::move(memory.error()));
    return SessionFolder{*std::move(id),
                         std::move(path),
                         {*std::move(folder), *std::move(file), *std::move(memory), *std::move(life_sign)}};
}

SessionFolder SessionFolder::visit(std::string path) {
    std::string id = fs::path{path}.filename().string();
    return SessionFolder{std::move(id), std::move(path), {}};
}

SessionFolder& SessionFolder::operator=(SessionFolder&& other) noexcept {
    if (this != &other) {
        [[maybe_unused]] const auto removed = remove();
        id_ = std::move(other.id_);
        path_ = std::move(other.path_);
        locks_ = std::move(other.locks_);
        put_back_ = std::move(other.put_back_);
    }
    return *this;
}

SessionFolder::~SessionFolder() {
    // Callers that need the outcome call remove() first; what remains here is swept by the next start.
    [[maybe_unused]] const auto removed = remove();
}

std::string SessionFolder::socket_path(std::string_view name) const {
    check(!name.empty() && name.size() <= socket_name_size_bytes_max && name.find('/') == std::string_view::npos,
          "the name of a socket is short and no path");
    return fmt::format("{}/{}{}", path_, name, socket_suffix);
}

Result<void> SessionFolder::remove() {
    if (!locks_.file.is_open()) return {};
    Result<void> removed = remove_private_folder(path_, session_lock_name);
    if (!removed) return removed;
    ::unlink(memory_lock_path(id_).c_str());
    locks_ = {};
    return {};
}

Result<std::vector<std::string>> SessionFolder::put_back(pid_t anchor) {
    const fs::path base = fs::path{path_}.parent_path();
    std::error_code error;
    if (!fs::is_directory(fs::symlink_status(base.parent_path(), error)))
        return Error{ErrorKind::gone, fmt::format("cannot put back the folder '{}' of this session: there is no '{}' "
                                                  "any more (has its user logged out?)",
                                                  path_, base.parent_path().string())};
    std::vector<std::string> missing;
    if (Result<void> made = make_private_folder(base.string()); !made) return std::move(made.error());
    if (::mkdir(path_.c_str(), S_IRWXU) == 0) missing.push_back(path_);
    else if (errno != EEXIST) return system_error(errno, fmt::format("cannot put back the folder '{}'", path_));
    if (Result<void> is_private = check_private_folder(path_); !is_private) return std::move(is_private.error());

    const std::string file = fmt::format("{}/{}", path_, session_lock_name);
    const std::string memory = memory_lock_path(id_);
    const std::string text = holder_text(anchor);
    const auto hold = [&](UniqueFd& held, const std::string& path, const auto& make) -> Result<void> {
        // One that is there is held by the anchor, or was put back by a coordinator that has ended.
        if (UniqueFd found{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)}; found.is_open()) {
            if (::flock(found.get(), LOCK_EX | LOCK_NB) == 0) held = std::move(found);
            return {};
        }
        missing.push_back(path);
        Result<UniqueFd> made = make();
        if (!made) return std::move(made.error());
        held = std::move(*made);
        return {};
    };
    if (Result<void> held = hold(put_back_.folder, path_, [&] { return lock_session_folder(path_); }); !held)
        return std::move(held.error());
    if (Result<void> held = hold(put_back_.file, file, [&] { return make_session_lock(path_, text); }); !held)
        return std::move(held.error());
    if (Result<void> held = hold(put_back_.memory, memory, [&] { return make_memory_lock(id_, path_, text); }); !held)
        return std::move(held.error());
    return missing;
}

void SessionFolder::touch() const noexcept {
    const auto touch_path = [](const std::string& path) {
        ::utimensat(AT_FDCWD, path.c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
    };
    const std::string base = fs::path{path_}.parent_path().string();
    std::error_code error;
    for (fs::directory_iterator entry{path_, error}; !error && entry != fs::directory_iterator{};
         entry.increment(error))
        touch_path(entry->path().string());
    for (const std::string& path : {path_, base, base + "/.sweep-lock", memory_lock_path(id_)}) touch_path(path);
}

}  // namespace baton::detail

namespace baton {

using namespace detail;

Result<std::vector<SessionInfo>> list_sessions() {
    const std::string base = session_base_path();
    std::vector<SessionInfo> sessions;
    std::error_code error;
    if (!fs::exists(fs::symlink_status(base, error))) {
        add_without_folder(base, sessions);
        return sessions;
    }
    if (Result<void> is_private = check_private_folder(base); !is_private) return std::move(is_private.error());
    const Result<UniqueFd> base_lock = lock_session_base(base, BaseUse::reads);
    if (!base_lock) return base_lock.error();
    for (const std::string& id : session_ids_in(base)) sessions.push_back(info_of(fmt::format("{}/{}", base, id)));
    add_without_folder(base, sessions);
    return sessions;
}

Result<SessionInfo> find_session(const std::optional<std::string>& id_or_path) {
    if (id_or_path) return find_named(*id_or_path, "as asked for");
    if (const char* const variable = std::getenv(session_variable); variable != nullptr && *variable != '\0')
        return find_named(variable, "from BATON_SESSION");

    Result<std::vector<SessionInfo>> sessions = list_sessions();
    if (!sessions) return std::move(sessions.error());
    const std::string running = ids_of(*sessions);
    std::erase_if(*sessions, [](const SessionInfo& session) { return !session.is_live; });
    if (sessions->empty())
        return Error{ErrorKind::gone, fmt::format("no session of yours is running (looked in '{}'): {}",
                                                  session_base_path(), how_to_start)};
    if (sessions->size() > 1)
        return Error{ErrorKind::refused,
                     fmt::format("{} sessions of yours are running: {}; choose one with --session ID", sessions->size(),
                                 running)};
    SessionInfo only = std::move(sessions->front());
    if (!only.has_folder) return without_folder(only);
    if (Result<void> is_private = check_private_folder(only.path); !is_private) return std::move(is_private.error());
    return only;
}

bool is_session_named(const std::optional<std::string>& id_or_path) {
    const char* const variable = std::getenv(session_variable);
    return id_or_path.has_value() || (variable != nullptr && *variable != '\0');
}

}  // namespace baton
