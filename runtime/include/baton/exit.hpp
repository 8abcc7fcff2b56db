#pragma once
// Exit: why and how an actor ended, as reported by the kernel and by the actor itself. A plain value, the same for
// everybody who asks.

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <baton/ref.hpp>
#include <baton/spawn.hpp>
#include <baton/time.hpp>

namespace baton {

enum class ExitKind : std::uint8_t {
    running,       // it has not ended
    stopped,       // it was asked to stop, and did
    returned,      // its main() returned by itself; code says what
    signalled,     // signal `code` ended it
    failed_check,  // a promise of its own code did not hold; text says which
    left,          // it joined from outside and said goodbye
    children_failed,  // an actor that it had spawned failed more often than its restarts allow; text says which
};

struct DeadLetter {
    std::string from;     // the sender; empty: several senders, beyond limits::dead_letters_told_max
    std::string command;  // empty if only the number is known, as after a kill
    std::uint64_t count = 0;
};

namespace detail {

// What an actor held of the session's memory when it ended.
struct MemoryAtExit {
    std::uint64_t segments = 0;  // segments it owned or had lent; they have been released, or left to heirs
    std::uint64_t bytes = 0;
    Duration oldest{};           // how long it had held the oldest
    std::uint64_t sent = 0;      // segments offered to others and not accepted yet
    std::uint64_t incoming = 0;  // segments offered to it; their senders own them again
    std::uint64_t leases = 0;    // leases and slices it had; they have been returned

    [[nodiscard]] bool is_nothing() const noexcept { return segments + sent + incoming + leases == 0; }
};

// Segments that an actor had left to heirs under one label, and that no heir has received; they have been released.
struct Unclaimed {
    std::string label;
    std::uint64_t segments = 0;
    std::uint64_t bytes = 0;
};

// "held 3 segments (12,288 bytes, the oldest for 1.2 s), ..."
[[nodiscard]] std::string to_text(const MemoryAtExit& held);
// "'table': 3 segments (12,288 bytes)"
[[nodiscard]] std::string to_text(const Unclaimed& unclaimed);

}  // namespace detail

struct Exit {
    ExitKind kind = ExitKind::running;
    std::int32_t code = 0;
    std::string text;                       // last words; of one that was stopped for a link, whose end that was
    // The command whose handler had not returned, if it ended without being asked to. A handler that answers through an
    // Answer may have done so before.
    std::string in_hand;
    std::vector<DeadLetter> dead_letters;   // what was sent to it and never handled
    std::optional<detail::MemoryAtExit> held = {};  // empty if it held nothing
    // How many commands were lost with it that it had sent, by the receiver's name; "": to several, beyond
    // limits::dead_letters_told_max. That is so over ZeroMQ only: lanes outlive their senders. It is known when the
    // receivers have taken what came, which may be later than the exit is told: the roster, and the end of the session,
    // tell it then.
    std::map<std::string, std::uint64_t> lost = {};
    // Found out after the exit was told: exit_of() and the roster say it.
    std::vector<detail::Unclaimed> unclaimed = {};
    // It is started again after that time, at the earliest, under its name. Nothing: it is not.
    std::optional<Duration> restarts_in = {};

    [[nodiscard]] bool has_ended() const noexcept { return kind != ExitKind::running; }
};

// "stopped", "returned 3", "signal -9 (Killed)", ...
[[nodiscard]] std::string to_text(const Exit& exit);

// The exit of one actor, with its address and name.
struct Ended {
    AnyRef actor;
    std::string name;
    Exit exit;
};

namespace detail {

// What the roster says of an actor that may be restarted (<baton/spawn.hpp>).
struct RestartReport {
    Restart::Policy policy = Restart::Policy::never;
    std::uint64_t restarts = 0;         // ever
    std::uint32_t recent = 0;           // within the period
    std::uint32_t restarts_max = 0;
    Duration period{};
    std::optional<Duration> due_in = {};  // it is between two lives: the next one begins then
    std::string group;
    Restart::Strategy strategy = Restart::Strategy::one_for_one;
    std::string failure;                // how the last life ended that did not end well
};

}  // namespace detail

// One actor, as the coordinator knows it.
struct RosterRow {
    AnyRef actor;
    std::string name;
    std::string program;       // empty for an outsider
    std::uint64_t pid = 0;
    std::uint64_t ppid = 0;
    std::string state;         // starting, ready, busy, hung, frozen, stopping, exited, restarting (between two lives)
    std::uint64_t inbox_depth = 0;  // commands sent to it and not yet taken
    std::uint64_t handled = 0;
    std::string in_hand;       // the command it is handling
    Exit exit;
    std::optional<detail::RestartReport> restarts = {};  // of one that may be restarted
};

}  // namespace baton

// As to_text() says it.
template <>
struct fmt::formatter<baton::Exit> : fmt::formatter<std::string> {
    template <class FormatContext>
    auto format(const baton::Exit& value, FormatContext& context) const {
        return fmt::formatter<std::string>::format(baton::to_text(value), context);
    }
};
