#pragma once
// find_program: from the name of a program to the path of its file.
//
// It looks as a shell does, in the folders it is given before those of PATH. It does not start anything
// and does not promise that starting will work: the file may be gone or of a wrong format by then.
// Thread rule: reads PATH, so not beside a thread that changes the environment.

#include <baton/result.hpp>

#include <span>
#include <string>
#include <string_view>

namespace baton::detail {

// A name with a '/' is a path and is only made absolute; any other is looked up in `folders`, in their order,
// and then in PATH. Refused, with every place where it was looked for and what lay there instead, if no
// executable file is found.
[[nodiscard]] Result<std::string> find_program(std::string_view name, std::span<const std::string> folders);

}  // namespace baton::detail
