#pragma once
// ThrowTrace: where the last exception of this thread was thrown.
//
// Linked into actors only: it stands in front of the C++ library's throw and notes the innermost frames, so
// that an asker can be told where a handler failed. Functions have names when the program exports its
// symbols (the project's CMake does that for actors).

#include <string>
#include <vector>

namespace baton {

// "student::Student::on(student::HoldThis)", innermost first.
[[nodiscard]] std::vector<std::string> frames_of_last_throw(std::size_t frames_max);

}  // namespace baton
