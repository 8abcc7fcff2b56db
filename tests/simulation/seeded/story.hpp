#pragma once
// Story: what happened in a simulated world, line by line, numbered. Only kept if somebody wants to read it: a world is
// played again from its seed for that. One thread.

#include <string>
#include <vector>

#include <fmt/format.h>

#include <baton/time.hpp>

namespace seeded {

class Story {
public:
    Story(const baton::detail::Clock& clock, bool is_wanted)
        : clock_(&clock), begun_(clock.now()), is_wanted_(is_wanted) {}

    template <class... Args>
    void tell(std::string_view who, fmt::format_string<Args...> text, Args&&... args) {
        if (is_wanted_) add(who, fmt::format(text, std::forward<Args>(args)...));
    }
    [[nodiscard]] bool is_wanted() const noexcept { return is_wanted_; }
    [[nodiscard]] const std::vector<std::string>& lines() const noexcept { return lines_; }

private:
    void add(std::string_view who, std::string_view text) {
        const auto since = std::chrono::duration_cast<std::chrono::microseconds>(clock_->now() - begun_);
        lines_.push_back(fmt::format("{:5}  {:10.3f} ms  {:<14} {}", lines_.size() + 1,
                                     static_cast<double>(since.count()) / 1000, who, text));
    }
    const baton::detail::Clock* clock_;
    baton::Instant begun_;
    bool is_wanted_;
    std::vector<std::string> lines_;
};

// What must not happen has happened; ends the world.
struct Broken {
    std::string what;
};

}  // namespace seeded
