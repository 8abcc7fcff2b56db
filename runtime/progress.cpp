#include <baton/progress.hpp>

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/base/say.hpp"

namespace baton {

using namespace detail;

namespace {

constexpr Duration redraw_interval = std::chrono::milliseconds{50};
constexpr std::uint64_t bar_width = 30;

}  // namespace

Progress::Progress(std::string what, std::uint64_t total, std::string unit)
    : what_(std::move(what)),
      unit_(std::move(unit)),
      total_(total),
      started_(clock_.now()),
      is_terminal_(::isatty(STDERR_FILENO) == 1) {
    if (total_ < 2) has_ended_ = true;
    if (!has_ended_ && !is_terminal_) say(fmt::format("{}: {} {}\n", what_, total_, unit_));
}

Progress::~Progress() { end(); }

void Progress::reach(std::uint64_t done) {
    done_ = done;  // as reported, so that a caller that counts too much sees it
    if (has_ended_ || !is_terminal_ || clock_.now() - drawn_ < redraw_interval) return;
    drawn_ = clock_.now();
    draw();
}

void Progress::draw() {
    const std::uint64_t filled = std::min(done_, total_) * bar_width / total_;
    std::string bar;
    for (std::uint64_t cell = 0; cell < bar_width; ++cell) bar += cell < filled ? "█" : "░";
    say(fmt::format("\r{} {} {}/{} {}\x1b[K", what_, bar, done_, total_, unit_));
}

void Progress::end() {
    if (has_ended_) return;
    has_ended_ = true;
    const std::chrono::duration<double> seconds = clock_.now() - started_;
    if (is_terminal_) {
        draw();
        say(fmt::format(" in {:.1f} s\n", seconds.count()));
    } else {
        say(fmt::format("{}: {} of {} {} in {:.1f} s\n", what_, done_, total_, unit_, seconds.count()));
    }
}

}  // namespace baton
