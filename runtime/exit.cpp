#include <baton/exit.hpp>

#include <fmt/format.h>

#include <cstring>

namespace baton {

std::string detail::to_text(const MemoryAtExit& held) {
    std::string text;
    const auto add = [&text](std::string part) { text += (text.empty() ? "" : ", ") + part; };
    if (held.segments > 0)
        add(fmt::format("held {} segments ({} bytes, the oldest for {:.1f} s)", held.segments, held.bytes,
                        std::chrono::duration<double>(held.oldest).count()));
    if (held.sent > 0) add(fmt::format("had {} segments on their way to others", held.sent));
    if (held.incoming > 0) add(fmt::format("was about to receive {} segments, which went back", held.incoming));
    if (held.leases > 0) add(fmt::format("had {} leases", held.leases));
    return text;
}

std::string detail::to_text(const Unclaimed& unclaimed) {
    return fmt::format("'{}': {} segments ({} bytes)", unclaimed.label, unclaimed.segments, unclaimed.bytes);
}

std::string to_text(const Exit& exit) {
    switch (exit.kind) {
        case ExitKind::running: return "running";
        case ExitKind::stopped: return exit.text.empty() ? "stopped" : fmt::format("stopped: {}", exit.text);
        case ExitKind::returned:
            return exit.text.empty() ? fmt::format("returned {}", exit.code)
                                     : fmt::format("returned {}: {}", exit.code, exit.text);
        case ExitKind::signalled:
            return fmt::format("signal -{} ({}){}{}", exit.code, ::strsignal(exit.code), exit.text.empty() ? "" : ": ",
                               exit.text);
        case ExitKind::failed_check: return exit.text.empty() ? "failed check" : exit.text;
        case ExitKind::left: return "left";
        case ExitKind::children_failed: return exit.text.empty() ? "children failed" : exit.text;
    }
    return "unknown";
}

}  // namespace baton
