#include "runtime/process/private_folder.hpp"

#include <baton/log.hpp>
#include "runtime/process/system_error.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace baton::detail {
namespace {

namespace fs = std::filesystem;

constexpr mode_t only_user = S_IRWXU;
constexpr mode_t all_rights = S_IRWXU | S_IRWXG | S_IRWXO;

Result<void> remove_file(const fs::path& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        return system_error(errno, fmt::format("cannot remove '{}'", path.string()));
    return {};
}

}  // namespace

Result<void> check_private_folder(const std::string& path) {
    const auto refuse = [&](std::string_view reason) {
        return Error{ErrorKind::refused, fmt::format("cannot use the folder '{}': {}", path, reason)};
    };
    struct stat facts {};
    if (::lstat(path.c_str(), &facts) != 0) return system_error(errno, fmt::format("cannot use the folder '{}'", path));
    if (S_ISLNK(facts.st_mode))
        return refuse(fmt::format("it is a symlink, which could lead anywhere; see who made it, then rm '{}'", path));
    if (!S_ISDIR(facts.st_mode))
        return refuse(fmt::format("it is not a folder; move it away: mv '{0}' '{0}.old'", path));
    if (facts.st_uid != ::geteuid())
        return refuse(fmt::format("it belongs to user {} and you are user {}; point XDG_RUNTIME_DIR to a folder of "
                                  "yours",
                                  facts.st_uid, ::geteuid()));
    if ((facts.st_mode & all_rights) != only_user)
        return refuse(fmt::format("its mode is {:04o}, so others may meddle or you may not enter; chmod 700 '{}'",
                                  facts.st_mode & all_rights, path));
    return {};
}

Result<void> make_private_folder(const std::string& path) {
    if (::mkdir(path.c_str(), only_user) != 0 && errno != EEXIST)
        return system_error(errno, fmt::format("cannot make the folder '{}'", path));
    return check_private_folder(path);
}

Result<void> remove_private_folder(const std::string& path, std::string_view last) {
    std::vector<fs::path> ours;
    std::string foreign;
    std::error_code error;
    // To iterate over a symlink would be to follow it.
    if (fs::is_symlink(fs::symlink_status(path, error)))
        return Error{ErrorKind::refused, fmt::format("cannot remove the folder '{}': it is a symlink", path)};
    for (fs::directory_iterator entry{path, error}; !error && entry != fs::directory_iterator{};
         entry.increment(error)) {
        std::error_code vanished;
        const fs::file_status status = fs::symlink_status(entry->path(), vanished);
        if (fs::is_regular_file(status) || fs::is_socket(status) || fs::is_fifo(status)) {
            if (entry->path().filename() != last) ours.push_back(entry->path());
        } else if (fs::exists(status)) {
            foreign += fmt::format(" '{}'", entry->path().filename().string());
        }
    }
    if (error == std::errc::no_such_file_or_directory) return {};
    if (error) return system_error(error.value(), fmt::format("cannot list the folder '{}'", path));

    for (const fs::path& file : ours)
        if (Result<void> removed = remove_file(file); !removed) return removed;
    if (!foreign.empty())
        return Error{ErrorKind::refused,
                     fmt::format("cannot remove the folder '{}': it holds files that Baton did not put there:{}; "
                                 "remove it by hand",
                                 path, foreign)};
    if (Result<void> removed = remove_file(fs::path{path} / last); !removed) return removed;
    if (::rmdir(path.c_str()) != 0 && errno != ENOENT)
        return system_error(errno, fmt::format("cannot remove the folder '{}'", path));
    return {};
}

}  // namespace baton::detail
