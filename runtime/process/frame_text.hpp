#pragma once
// Frames of a stack as their reader knows them: his own functions, by short names. Pure functions on what a demangler
// writes, "std::span<double> baton::detail::SegmentBase::elements<double>() const".

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace baton::detail {

// Is the function in namespace baton, or one of those with which the standard library calls others (std::__invoke)?
[[nodiscard]] bool is_frame_of_libraries(std::string_view frame);

// The frames between the throw and the dispatch of the command, innermost first, without those of libraries; with
// them if there are no others. A handler that has been inlined into its dispatch is named as itself.
[[nodiscard]] std::vector<std::string> frames_to_show(const std::vector<std::string>& frames, std::size_t frames_max);

// Without what only the compiler reads: "[clone .cold]", std::__cxx11, and default arguments of the standard library's
// templates ("std::string", "std::vector<int>").
[[nodiscard]] std::string shortened_frame(std::string_view frame);

}  // namespace baton::detail
