#pragma once
// Cancelled: what became of a task, or of several, that their caller cancelled. Plain values.

#include <baton/limits.hpp>

#include <cstddef>

namespace baton::pool {

enum class Cancelled {
    too_late,   // it had its outcome already, which stays as it is
    withdrawn,  // it had not begun, and never runs
    ended,      // it was running: its worker was killed, and is replaced
};

// Of several cancelled tasks: how many ended in each of these ways.
struct CancelledTasks {
    std::size_t too_late = 0;
    std::size_t withdrawn = 0;
    std::size_t ended = 0;
    bool operator==(const CancelledTasks&) const = default;
};

}  // namespace baton::pool
