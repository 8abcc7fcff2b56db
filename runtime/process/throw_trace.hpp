#pragma once
// ThrowTrace: where the last exception of this thread was thrown.
//
// Linked into actors only: it stands in front of the C++ library's throw and notes the innermost frames, so
// that an asker can be told where a handler failed. The only door to Boost.Stacktrace: functions have names
// unless the program was stripped, and lines if it has debug information.

#include <string>
#include <vector>

namespace baton::detail {

// "student::Student::on(student::HoldThis const&) (student_actor.cpp:8)", innermost first; without the library's own
// if there are others.
[[nodiscard]] std::vector<std::string> frames_of_last_throw(std::size_t frames_max);

}  // namespace baton::detail
