#pragma once
// Library call: makes a loaded shared library call another function than the one that it was linked with.
//
// It changes the library's entry for that function in the table through which its calls into other libraries go (its
// global offset table), and nothing else. Calls from other places do not change, not even in a program that has its own
// library of the same name. Used once, by descriptors.cpp; not a way to do other things. Thread rule: before the
// library's code that makes the call runs on another thread.

#include <string_view>

namespace baton::detail {

// False if no shared library is loaded whose file name begins with `library`, or none of them calls `function`.
[[nodiscard]] bool replace_call(std::string_view library, std::string_view function, void* replacement);

}  // namespace baton::detail
