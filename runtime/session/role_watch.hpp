#pragma once
// RoleWatch: the role of the coordinator, from the roster's first page and the kernel: a pidfd tells of a death, and
// the start of a process tells whether a pid is still that process. One thread.

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>

#include <baton/result.hpp>
#include <baton/time.hpp>
#include <baton/unique_fd.hpp>
#include "runtime/inbox/role.hpp"
#include "runtime/roster/roster.hpp"

namespace baton::detail {

class RoleWatch final : public Role {
public:
    // Until a coordinator is there; `timed_out` if none is by the deadline, `gone` if the session has ended. A child of
    // the anchor need not watch that: the kernel ends it.
    enum class Anchor { is_watched, is_parent };
    [[nodiscard]] static Result<std::unique_ptr<RoleWatch>> open(const std::string& folder, Anchor anchor,
                                                                 Deadline deadline);

    [[nodiscard]] State look() override;
    [[nodiscard]] std::string address() const override;
    void add_descriptors(std::vector<int>& descriptors) const override;
    // Of the coordinator that was seen last.
    [[nodiscard]] pid_t pid() const noexcept { return static_cast<pid_t>(holder_.pid); }
    [[nodiscard]] std::uint64_t generation() const noexcept { return holder_.generation; }
    // True if the session ends before the deadline: its anchor does.
    [[nodiscard]] bool has_session_ended(Deadline deadline) const;

private:
    RoleWatch(std::string folder, RoleView view, UniqueFd anchor)
        : folder_(std::move(folder)), view_(std::move(view)), anchor_(std::move(anchor)) {}
    [[nodiscard]] bool find_holder();
    std::string folder_;
    RoleView view_;
    UniqueFd anchor_;
    UniqueFd coordinator_;  // not open: there is none
    RoleView::Holder holder_;
};

}  // namespace baton::detail
