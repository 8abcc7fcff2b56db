#pragma once
// limit_behind: the limit that stands behind an errno, for the texts of errors: which one it is, how much it allows
// here, and which command shows it. A number that a shell or a batch system has set is easily forgotten.
// Thread rule: no shared state.

#include <string>

namespace baton::detail {

// "; ..." to be put behind a text, or nothing if no limit is meant. EAGAIN is taken for that of processes and
// threads.
[[nodiscard]] std::string limit_behind(int code);

}  // namespace baton::detail
