#include "runtime/wire/notices.hpp"

#include <fmt/format.h>

#include <cstring>

namespace baton {

std::string to_text(const Exit& exit) {
    switch (exit.kind) {
        case ExitKind::running: return "running";
        case ExitKind::stopped: return "stopped";
        case ExitKind::returned:
            return exit.text.empty() ? fmt::format("returned {}", exit.code)
                                     : fmt::format("returned {}: {}", exit.code, exit.text);
        case ExitKind::signalled: return fmt::format("signal -{} ({})", exit.code, ::strsignal(exit.code));
        case ExitKind::failed_check: return exit.text.empty() ? "failed check" : exit.text;
        case ExitKind::left: return "left";
    }
    return "unknown";
}

}  // namespace baton
