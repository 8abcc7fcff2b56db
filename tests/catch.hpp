#pragma once
// The one door to Catch2: the 2.x of Debian 12 and the 3.x of Debian 13, under the names of the first, and a way to say
// that a test case could not run, which 2.x does not have.

#if __has_include(<catch2/catch_test_macros.hpp>)

#include <catch2/catch_approx.hpp>
#include <catch2/catch_message.hpp>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/catch_tostring.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_adapters.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <catch2/matchers/catch_matchers_vector.hpp>

// 3.x moved these names, and gave Contains to ranges.
namespace Catch {
namespace Matchers {
inline StringContainsMatcher Contains(const std::string& text, CaseSensitive sensitivity = CaseSensitive::Yes) {
    return ContainsSubstring(text, sensitivity);
}
}  // namespace Matchers
using Matchers::Contains;
using Matchers::EndsWith;
using Matchers::Equals;
using Matchers::StartsWith;
using Matchers::UnorderedEquals;
using Matchers::VectorContains;
}  // namespace Catch
using Catch::Approx;

#else
#include <catch2/catch.hpp>
#endif

#include <string_view>

namespace baton::tests {

// Notes that the test case that runs has not shown what it is there for, and prints the reason. A program in which
// every test case was skipped ends with exit code 77, which ctest counts as skipped (tests/main.cpp).
void note_skipped(std::string_view reason);

}  // namespace baton::tests

// Ends a test case, or a section, that can't run here, and says why. Only in the function of the test case itself.
#define SKIP_TEST(reason)                    \
    do {                                     \
        ::baton::tests::note_skipped(reason); \
        return;                              \
    } while (false)

// 1 if this build has a sanitizer, which makes everything many times slower and allocates in ways of its own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BATON_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BATON_SANITIZED 1
#endif
#endif
#ifndef BATON_SANITIZED
#define BATON_SANITIZED 0
#endif
