#pragma once
// Upkeep: the files by which others find a session, as long as it lives: its folder with the coordinator's inbox, and
// the names of the shared memory that all members map. Other programs remove such files (cleaners, the end of a login,
// people). It hears of that from the kernel (inotify) and puts them back; for what only a member can put back, that one
// is asked. Members that are connected need none of it, and no file decides whether the session lives
// (runtime/process/life_sign.hpp). One thread.

#include <sys/types.h>

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <baton/result.hpp>
#include <baton/time.hpp>
#include <baton/unique_fd.hpp>
#include "runtime/process/session_folder.hpp"

namespace baton::detail::coordinator {

class Upkeep {
public:
    // The objects in shared memory that every member maps. The anchor keeps them open, so that their names can be put
    // back.
    [[nodiscard]] static std::vector<std::string> objects_of(std::string_view session_id);

    // For the coordinator of that number. Both outlive it.
    Upkeep(SessionFolder& folder, pid_t anchor, std::uint64_t generation);
    // Puts back what is missing, and holds the lock by which a second coordinator finds that there is one: `refused`
    // for that one. `gone` if nothing can be put back.
    [[nodiscard]] Result<void> begin();
    // The name by which others find the coordinator's inbox leads to the present one from here on; those from number
    // `before` on are removed.
    [[nodiscard]] Result<void> name_inbox(std::uint64_t before);

    // Readable when something may have been removed: then heard(), and look() when next() has passed.
    [[nodiscard]] int descriptor() const noexcept { return events_.get(); }
    void heard(Instant now);
    [[nodiscard]] Deadline next() const noexcept { return next_; }
    // What was missing, by its path; it is there again. If that fails, it is tried again later.
    [[nodiscard]] Result<std::vector<std::string>> look(Instant now);
    // The next look is for the files of every member, whether or not one was seen to go.
    void look_at_all() noexcept { looks_at_all_ = true; }
    // False if that file of the session's folder is there, as far as it has been heard of.
    [[nodiscard]] bool may_have_gone(const std::string& path) const;
    // All that was heard of has been looked for.
    void seen() noexcept;
    // True if the coordinator's inbox has no file.
    [[nodiscard]] bool is_inbox_missing() const;

private:
    [[nodiscard]] Result<std::vector<std::string>> put_back();
    [[nodiscard]] Result<void> take_role();
    void watch_all();
    SessionFolder* folder_;
    pid_t anchor_;
    std::uint64_t generation_;
    UniqueFd role_;
    UniqueFd events_;
    Deadline next_;
    std::set<std::string, std::less<>> removed_;  // names in the folder, of which one is to be looked for
    bool looks_at_all_ = false;
};

}  // namespace baton::detail::coordinator
