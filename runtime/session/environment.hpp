#pragma once
// Environment: how a session and what it starts find each other: variables and names of sockets, in one
// place for both sides.
//
//   BATON_SESSION      the session's folder
//   BATON_ACTOR        the id ("3.1") that the coordinator gave a spawned program
//   BATON_PROGRAMS     folders of programs, with colons between
//   BATON_LANES        "off": everything goes by ZeroMQ
//   BATON_SPIN         how many microseconds at most a member looks at its lanes before it sleeps; 0: it does not
//   BATON_ANCHOR       the pid of the session's anchor: a spawned actor ends when that process ends

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <baton/ref.hpp>
#include <baton/result.hpp>
#include <baton/sessions.hpp>

namespace baton::detail {

inline constexpr const char* lanes_variable = "BATON_LANES";
inline constexpr const char* spin_variable = "BATON_SPIN";
inline constexpr const char* actor_variable = "BATON_ACTOR";
inline constexpr const char* anchor_variable = "BATON_ANCHOR";

// The coordinator's exit code when its ledger did not balance at the end: a segment was lost, doubled or left.
inline constexpr int exit_unbalanced = 3;
inline constexpr int exit_session_failed = 4;  // actors failed more often than they may be restarted
// Of a coordinator or an actor that could not begin: EX_UNAVAILABLE of sysexits.h.
inline constexpr int exit_unavailable = 69;

inline constexpr std::string_view coordinator_socket = "coordinator";

struct SpawnedAs {
    std::string folder;
    ActorId actor;
    pid_t anchor_pid = 0;
};

// Nothing if this program was not spawned by a coordinator, or the variables make no sense.
[[nodiscard]] std::optional<SpawnedAs> spawned_as();

// The folders of BATON_PROGRAMS and, last, that of the running program: where programs are looked for.
[[nodiscard]] std::vector<std::string> program_folders();

// Of "3.1", as in BATON_ACTOR.
[[nodiscard]] std::optional<ActorId> actor_id_of(std::string_view text);

// Where the coordinator can be reached, whichever process that is: a name for the inbox of the present one.
[[nodiscard]] std::string coordinator_address(std::string_view folder);
// The inbox of one coordinator. A link to it leads to no other one, which would not know what was said before.
[[nodiscard]] std::string coordinator_address(std::string_view folder, std::uint64_t generation);

}  // namespace baton::detail
