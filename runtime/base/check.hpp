#pragma once
// What the runtime adds to check(): where the last words go beside stderr. The survivors of a failed check are told.

#include <baton/check.hpp>

namespace baton::detail {

// For the actor's row of the vitals. Set once, by main's thread.
void on_failed_check(void (*keep_last_words)(std::string_view) noexcept) noexcept;

}  // namespace baton::detail
