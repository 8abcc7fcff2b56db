#pragma once
// system_error: the one place of this layer where an errno becomes an Error.
//
// It does not judge what the caller tried: a caller that knows better (a program without its x bit) builds its own
// Error. Thread rule: plain values, callable anywhere.

#include <baton/result.hpp>

#include <string_view>

namespace baton::detail {

// "<tried>: <what the kernel says>; <advice>". The kind follows from what the caller can do about `code`:
// out of descriptors, memory or space is overloaded, no such process is gone, no such call is unsupported,
// all else is refused.
[[nodiscard]] Error system_error(int code, std::string_view tried, std::string_view advice = {});

}  // namespace baton::detail
