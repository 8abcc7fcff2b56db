#pragma once
// The version of the project and of its wire. The wire's goes up when an old reader could misread a new writer;
// docs/wire/ says what each version holds.

#include <baton/limits.hpp>

namespace baton {

inline constexpr const char* version_text = "0.1.0";
inline constexpr unsigned wire_version = 1;

}  // namespace baton
