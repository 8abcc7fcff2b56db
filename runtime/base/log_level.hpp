#pragma once
// Log level: what BATON_LOG asks for. A value that is not a level is reported once, in one line, by the first process
// that meets it; what that process starts gets the level that is used instead.

#include <string>
#include <utility>
#include <vector>

#include <baton/log.hpp>

namespace baton::detail {

inline constexpr const char* log_variable = "BATON_LOG";

[[nodiscard]] Log::Level log_level_from_environment();

// For a process that is about to be started: replaces a BATON_LOG that is not a level.
void replace_bad_log_level(std::vector<std::pair<std::string, std::string>>& environment);

}  // namespace baton::detail
