#pragma once
// find_program: turns the name of a program into the path of its file.
//
// It looks as a shell does, in the folders it is given before those of PATH. It does not start anything and does not
// promise that starting will work: the file may be gone or of a wrong format by then. Thread rule: reads PATH, so no
// other thread may change the environment at the same time.

#include <baton/result.hpp>

#include <span>
#include <string>
#include <string_view>

namespace baton::detail {

// A name with a '/' is a path and is only made absolute; any other is looked up in `folders`, in their order, and then
// in PATH. Refused if no executable file is found; the text lists every place that was searched and what is there
// instead.
[[nodiscard]] Result<std::string> find_program(std::string_view name, std::span<const std::string> folders);

}  // namespace baton::detail
