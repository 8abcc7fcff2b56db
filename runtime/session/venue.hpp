#pragma once
// Venue: where a scenario takes place: a session or, in a test, a world of <baton/testing.hpp>. It has what the verbs
// of a scenario need beyond those of every member. One thread, the scenario's.

#include <string_view>
#include <vector>

#include "runtime/session/session.hpp"

namespace baton::detail {

class Venue {
public:
    Venue() = default;
    Venue(const Venue&) = delete;
    Venue& operator=(const Venue&) = delete;
    virtual ~Venue() = default;

    [[nodiscard]] virtual Directory& directory() noexcept = 0;
    [[nodiscard]] virtual Context& context() noexcept = 0;  // the same member's
    // As in Session.
    [[nodiscard]] virtual Result<std::vector<Session::Message>> collect(std::string_view wanted,
                                                                        const Enough& until) = 0;
    [[nodiscard]] virtual Result<UniqueFd> sentinel(AnyRef actor) = 0;
    [[nodiscard]] virtual Result<std::vector<Ended>> close(Within within) = 0;
};

}  // namespace baton::detail
