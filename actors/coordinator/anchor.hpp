#pragma once
// Anchor: the process that a user starts, and the parent of everything in a session: of the coordinator, of the actors,
// and of what they leave behind. It starts what the coordinator asks for, says in shared memory how each process ended,
// and starts the next coordinator if one is killed. It knows nothing else: no messages, no ledger, no names.
//
// What holds, and can be read in anchor.cpp alone:
//   - It allocates nothing once hold() has begun, and never waits for anybody.
//   - Every child is reaped. Before that its row says how it ended, so a pid that its row calls running is that
//     process, and what is left of its process group is killed, so no other group can have that number.
//   - At most one coordinator lives at a time: the next one is started after the last one has been reaped.
//   - If the anchor ends, however, the kernel ends its children (die_with_parent), and frees the session's locks.
//
// One thread, which must be the one that made it: the kernel means the thread when it says parent.

#include <sys/types.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <baton/result.hpp>
#include <baton/unique_fd.hpp>
#include "actors/coordinator/anchor_table.hpp"
#include "runtime/process/signals.hpp"

namespace baton::detail::coordinator {

class Anchor {
public:
    // Coordinators that may be killed within that time; one more, and the session ends.
    static constexpr std::size_t deaths_max = 5;
    static constexpr std::int64_t deaths_period_ms = 10'000;

    struct Plan {
        std::vector<std::string> arguments;    // of each coordinator; the first is what the program calls itself
        std::vector<std::string> environment;  // NAME=VALUE, added for each coordinator
        // If there will be no other coordinator: where everybody looks for that, and how long they may take to end.
        std::atomic<std::uint64_t>* is_over = nullptr;
        std::int64_t stop_milliseconds = 0;
        std::string announcement;              // written to announce_fd when the first one is ready
        int announce_fd = -1;                  // -1: nobody waits for it
    };
    // `stops` outlives it.
    [[nodiscard]] static Result<Anchor> create(Plan plan, StopSignals& stops);

    // How the session has ended.
    struct End {
        enum Kind { coordinator_left, coordinators_died, cannot_start };
        Kind kind = coordinator_left;
        int code = 0;    // its exit code; of the last one the signal that ended it; an errno
    };
    // Until the session is over. No child of it is alive then.
    [[nodiscard]] End hold();
    // The path of this program when it was started.
    [[nodiscard]] const std::string& program() const noexcept { return program_; }

private:
    Anchor(Plan plan, StopSignals& stops);
    class Launch;
    [[nodiscard]] Result<void> open();
    [[nodiscard]] int start_coordinator(bool is_replaced);
    [[nodiscard]] std::optional<End> reap();
    [[nodiscard]] std::optional<End> outlive(bool by_signal, int code);
    [[nodiscard]] bool dies_too_often();
    void take_requests();
    void carry_out(const AnchorRequest& request, char* strings);
    void spawn(const AnchorRequest& request, char* strings);
    void announce(std::string_view line);
    [[nodiscard]] AnchorRow* row_of(pid_t pid, std::uint32_t& number);
    void tell(std::uint32_t number);
    void end_all();
    std::size_t signal_all(int number);
    bool wait_for_all(std::int64_t until);

    Plan plan_;
    StopSignals* stops_;
    struct Descriptors {
        UniqueFd exits;     // signalfd of SIGCHLD
        UniqueFd news;      // eventfd
        UniqueFd requests;  // from the coordinator
        UniqueFd its_end;   // the coordinator's end of that, always of the same number
        UniqueFd table;
    };
    Descriptors fds_;
    AnchorTable* table_ = nullptr;
    std::string program_;
    pid_t coordinator_ = 0;
    struct Deaths {
        std::array<std::int64_t, deaths_max> at{};  // in milliseconds; the oldest is overwritten
        std::size_t count = 0;
    };
    Deaths deaths_;
    std::vector<bool> is_group_;  // by number: its process group is its own
    struct Room {  // made once, and taken of the machine's memory as far as it is ever needed
        std::unique_ptr<char[]> request = std::make_unique_for_overwrite<char[]>(anchor_request_bytes_max);
        std::size_t request_bytes = 0;  // what has come of the next one
        // Pointers into strings, for the next start.
        std::unique_ptr<char*[]> arguments = std::make_unique_for_overwrite<char*[]>(anchor_strings_max + 2);
        std::unique_ptr<char*[]> environment = std::make_unique_for_overwrite<char*[]>(2 * anchor_strings_max + 1);
    };
    Room room_;
};

}  // namespace baton::detail::coordinator
