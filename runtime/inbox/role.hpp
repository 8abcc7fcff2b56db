#pragma once
// Role: the coordinator's place in the session, as a member sees it. Coordinators may follow each other; the session
// ends with its anchor. One thread.

#include <string>
#include <vector>

namespace baton::detail {

class Role {
public:
    Role() = default;
    Role(const Role&) = delete;
    Role& operator=(const Role&) = delete;
    virtual ~Role() = default;

    enum class State {
        held,       // by the same coordinator as at the last look
        vacant,     // it has ended, and there is no other one yet
        passed_on,  // to another one, since the last look
        over,       // the session has ended
    };
    [[nodiscard]] virtual State look() = 0;
    // The inbox of the coordinator that was seen last.
    [[nodiscard]] virtual std::string address() const = 0;
    // Adds those that become readable when look() would say something new; but for a new coordinator, which has to be
    // looked for.
    virtual void add_descriptors(std::vector<int>& descriptors) const = 0;
};

}  // namespace baton::detail
