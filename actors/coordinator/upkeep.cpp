#include "actors/coordinator/upkeep.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <baton/limits.hpp>
#include "runtime/memory/mapping.hpp"
#include "runtime/process/session_base.hpp"
#include "runtime/process/system_error.hpp"
#include "runtime/session/environment.hpp"

namespace baton::detail::coordinator {
namespace {

namespace fs = std::filesystem;

// A program that removes one file removes others: they are put back together.
constexpr Duration pause_before_look = std::chrono::milliseconds{50};
// Names that are remembered until then; beyond that every file is looked for.
constexpr std::size_t removed_max = 4096;

std::string socket_of(const std::string& address) { return address.substr(std::string_view("ipc://").size()); }
bool is_there(const std::string& path) {
    std::error_code unseen;
    return fs::exists(fs::symlink_status(path, unseen));
}

}  // namespace

std::vector<std::string> Upkeep::objects_of(std::string_view session_id) {
    std::vector<std::string> names;
    for (const std::string_view what : {"ledger", "vitals", "bells", "roster"})
        names.push_back(fmt::format("baton-{}-{}", session_id, what));
    return names;
}

Upkeep::Upkeep(SessionFolder& folder, pid_t anchor, std::uint64_t generation)
    : folder_(&folder),
      anchor_(anchor),
      generation_(generation),
      events_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}

Result<void> Upkeep::begin() {
    if (!events_.is_open()) return system_error(errno, "cannot watch the files of the session");
    if (Result<std::vector<std::string>> back = put_back(); !back) return std::move(back.error());
    return {};
}

// Held by the coordinator of a session as long as it lives: a second one finds it and leaves.
Result<void> Upkeep::take_role() {
    const std::string path = folder_->path() + "/role";
    if (role_.is_open() && is_there(path)) return {};
    UniqueFd lock{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR)};
    if (!lock.is_open()) return system_error(errno, fmt::format("cannot open '{}'", path));
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
        return Error{ErrorKind::refused, fmt::format("session {} has a coordinator, which holds '{}': there is one at "
                                                     "a time",
                                                     folder_->id(), path)};
    role_ = std::move(lock);
    return {};
}

Result<void> Upkeep::name_inbox(std::uint64_t before) {
    const std::string name = socket_of(coordinator_address(folder_->path()));
    const std::string fresh = name + ".new";
    ::unlink(fresh.c_str());
    if (::link(socket_of(coordinator_address(folder_->path(), generation_)).c_str(), fresh.c_str()) != 0 ||
        ::rename(fresh.c_str(), name.c_str()) != 0)
        return system_error(errno, fmt::format("cannot make '{}'", name));
    for (std::uint64_t earlier = before; earlier < generation_; ++earlier)
        ::unlink(socket_of(coordinator_address(folder_->path(), earlier)).c_str());
    return {};
}

bool Upkeep::is_inbox_missing() const {
    return !is_there(socket_of(coordinator_address(folder_->path(), generation_))) ||
           !is_there(socket_of(coordinator_address(folder_->path())));
}

// ---- what was removed ------------------------------------------------------------------------------

// Members that leave remove their files themselves, so most of what is heard is of no consequence.
void Upkeep::heard(Instant now) {
    alignas(inotify_event) char bytes[4096];
    for (ssize_t size = 0; (size = ::read(events_.get(), bytes, sizeof bytes)) > 0;)
        for (ssize_t at = 0; at < size;) {
            inotify_event event{};
            std::memcpy(&event, bytes + at, sizeof event);
            const char* const name = bytes + at + sizeof event;
            if (event.len > 0 && removed_.size() < removed_max) removed_.emplace(name);
            else looks_at_all_ = true;
            at += static_cast<ssize_t>(sizeof event + event.len);
        }
    next_ = next_.or_earlier(Deadline{now + pause_before_look});
}

Result<std::vector<std::string>> Upkeep::look(Instant now) {
    Result<std::vector<std::string>> missing = put_back();
    next_ = missing ? Deadline::never() : Deadline{now + limits::put_back_interval};
    looks_at_all_ = looks_at_all_ || !missing || !missing->empty();
    return missing;
}

bool Upkeep::may_have_gone(const std::string& path) const {
    return looks_at_all_ || removed_.contains(fs::path{path}.filename().string());
}

void Upkeep::seen() noexcept {
    removed_.clear();
    looks_at_all_ = false;
}

Result<std::vector<std::string>> Upkeep::put_back() {
    Result<std::vector<std::string>> missing = folder_->put_back(anchor_);
    if (!missing) return missing;
    for (const std::string& name : objects_of(folder_->id()))
        if (put_back_shared_object(name, anchor_)) missing->push_back(fmt::format("{}/{}", shared_memory_place, name));
    if (Result<void> taken = take_role(); !taken) return std::move(taken.error());
    watch_all();
    return missing;
}

// What is watched already stays so. A file tells of its own removal by a change of its attributes.
void Upkeep::watch_all() {
    const auto watch = [this](const std::string& path, std::uint32_t events) {
        ::inotify_add_watch(events_.get(), path.c_str(), events | IN_DONT_FOLLOW);
    };
    watch(folder_->path(), IN_DELETE | IN_MOVED_FROM | IN_MOVE_SELF | IN_DELETE_SELF);
    watch(fs::path{folder_->path()}.parent_path().string(), IN_MOVE_SELF | IN_DELETE_SELF);
    watch(memory_lock_path(folder_->id()), IN_ATTRIB | IN_MOVE_SELF);
    for (const std::string& name : objects_of(folder_->id()))
        watch(fmt::format("{}/{}", shared_memory_place, name), IN_ATTRIB | IN_MOVE_SELF);
}

}  // namespace baton::detail::coordinator
