#pragma once
// Limits: the bound of every queue, list, wait and size, in one place. Reaching one is `overloaded` or
// `refused` with the limit's name, never silence. Sums are written as sums, with one line per reason.
//
// Also the language that all public headers need: each that includes none of the others includes this one first. In an
// older language the first error would be that of something it does not know, in a header that the user never opened.

#if __cplusplus < 202002L
#error "Baton needs C++20: compile with -std=c++20 (in CMake: target_compile_features(NAME PRIVATE cxx_std_20))"
#endif

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace baton::limits {

// ---- one message -----------------------------------------------------------------------------------
// Bulk data belongs in segments; a command that is larger than this is refused on the sender's side.
inline constexpr std::size_t message_bytes_max = std::size_t{1} << 20;
inline constexpr std::size_t message_depth_max = 32;          // nested arrays and maps
inline constexpr std::size_t command_fields_max = 24;         // what the reflection of a struct can count
inline constexpr std::size_t name_bytes_max = 200;            // of an actor, a/b/c paths included
inline constexpr std::size_t tag_bytes_max = 1024;            // the name of a command on the wire
inline constexpr std::size_t error_text_bytes_max = 4096;     // what travels of an exception's text
inline constexpr std::size_t error_frames_max = 3;
inline constexpr std::size_t error_frame_bytes_max = 1024;    // of each, and of the exception's type

// ---- waiting commands ------------------------------------------------------------------------------
// Between one sender and one receiver: sent and not yet taken. Beyond it the sender waits (back-pressure).
inline constexpr std::uint64_t window_commands_max = 131'072;
inline constexpr std::uint64_t window_bytes_max = std::uint64_t{64} << 20;
// The most unread frames of one connection that a receiver holds; the rest waits with the sender.
inline constexpr int inbox_frames_per_peer_max = 1'024;
// The most answers that wait for a connection that does not read them: frames in the transport, and bytes in the loop
// after that; then the connection is dropped. At 1 MiB per answer this is 64 MiB, as much as a window.
inline constexpr int answer_frames_per_peer_max = 32;
inline constexpr std::size_t answer_bytes_waiting_max = std::size_t{32} << 20;
// A receiver that does not count in the vitals what it has taken (the coordinator, a foreign inbox) is asked for it, by
// sync_tag, after each quarter of the window.
inline constexpr std::uint64_t count_asked_after_commands = window_commands_max / 4;
inline constexpr std::uint64_t count_asked_after_bytes = window_bytes_max / 4;
// Connections that an inbox remembers. Beyond this number it forgets those that have ended, then the least recently
// used ones that are not owed an answer.
inline constexpr std::size_t accepted_links_max = 16'384;
// Commands share a frame only when the receiver already has this many of ours waiting.
inline constexpr std::uint64_t batch_from_waiting = 64;
inline constexpr std::size_t batch_commands_max = 64;
inline constexpr std::size_t batch_bytes_max = std::size_t{16} << 10;

// ---- one actor -------------------------------------------------------------------------------------
inline constexpr std::size_t asks_in_flight_max = 65'536;
inline constexpr std::size_t circle_actors_max = 64;          // in a longer circle of waits each ends at its deadline
inline constexpr std::size_t dropped_peers_max = 1'024;       // connections remembered as dropped
inline constexpr std::size_t inherited_kept_max = 65'536;      // segments left to one member that it has not taken yet
inline constexpr std::size_t collected_commands_max = 131'072;  // waiting in a scenario for collect()

// ---- one session -----------------------------------------------------------------------------------
inline constexpr std::uint32_t actors_max = 2'047;            // alive at once; a number has 11 bits in the ledger
inline constexpr std::size_t exits_kept_max = 4'096;          // exit reasons that the roster remembers
inline constexpr std::size_t awaits_max = 4'096;              // Await commands whose actor is still alive
inline constexpr std::size_t awaits_per_asker_max = 64;       // of one connection for one actor
inline constexpr std::size_t stops_max = 256;                 // StopActors commands under way
// Dead letters listed for one exit, by sender and command; the rest is added up.
inline constexpr std::size_t dead_letters_told_max = 128;
inline constexpr std::size_t unclaimed_told_max = 64;         // labels of what nobody has inherited, in one exit
inline constexpr std::size_t roster_page_bytes = std::size_t{512} << 10;  // a page ends behind the row that reaches it
inline constexpr std::size_t spawn_batch_max = 512;           // actors in one spawn command
inline constexpr std::uint32_t restarts_max = 32;             // within the period of one actor (Restart)
inline constexpr std::size_t protocol_bytes_max = std::size_t{64} << 10;  // a published description

// ---- segments --------------------------------------------------------------------------------------
inline constexpr std::uint32_t rows_per_block = 64;              // a page; what an actor claims at once
inline constexpr std::uint32_t segments_max = 2'097'152;         // rows of the ledger, alive at once
inline constexpr std::uint32_t leases_max = 131'072;
inline constexpr std::uint32_t names_max = 16'384;               // ever published in one session; a name keeps its row
inline constexpr std::size_t published_name_bytes_max = 200;
inline constexpr std::size_t published_type_bytes_max = 184;     // of the elements
inline constexpr std::size_t heirs_max = 4;                      // of one segment
inline constexpr std::size_t heir_label_bytes_max = 48;          // what heirs are told with a segment
inline constexpr std::size_t heir_type_bytes_max = 88;           // of the elements; of a longer one heirs get bytes
inline constexpr std::uint32_t ring_entries = 124;               // last transitions of an actor that are kept
inline constexpr std::size_t manifest_handles_max = 256;         // segments, leases and slices in one message
inline constexpr std::size_t shape_dimensions_max = 8;
inline constexpr std::size_t element_type_bytes_max = 4096;      // of a record with its fields, as NumPy writes it
inline constexpr std::size_t record_depth_max = 8;               // records within records
inline constexpr std::size_t segments_listed_max = 5'000;        // in one answer of the coordinator
inline constexpr std::size_t segment_bytes_max = std::size_t{1} << 40;
// Segments up to this size share objects of shared memory, those of one block of rows each.
inline constexpr std::size_t place_bytes_max = std::size_t{64} << 10;
inline constexpr std::size_t place_bytes_min = 64;               // a cache line: no two segments have one in common
inline constexpr std::size_t mappings_max = 60'000;              // below the kernel's default vm.max_map_count
inline constexpr std::size_t idle_mappings_max = 4'096;          // kept for the next time the same memory comes
// The most retired rows that a create() looks at before it takes fresh memory.
inline constexpr std::uint32_t recycle_looks_max = 64;

// ---- one process -----------------------------------------------------------------------------------
// The soft limit on descriptors is raised to this number if the hard limit allows it.
inline constexpr std::uint64_t descriptors_wanted = 65'536;
// Descriptors kept for what a process does itself: with fewer left, new actors, members and connections are refused.
inline constexpr int descriptors_reserve = 24;

inline constexpr std::size_t delayed_commands_max = 65'536;   // commands of one member that wait to be sent later

// ---- timeouts --------------------------------------------------------------------------------------
inline constexpr std::chrono::milliseconds circle_interval{100};   // how often a wait for an answer looks for a circle
// The shortest wait for what is answered at once (where an actor is, whether a lock is free), even if the timeout is
// shorter: with a timeout of 0 nothing else is waited for.
inline constexpr std::chrono::milliseconds round_trip_timeout{1'000};
inline constexpr std::chrono::milliseconds send_timeout{5'000};   // back-pressure before `overloaded`
inline constexpr std::chrono::milliseconds ask_timeout{5'000};    // if a script names none
inline constexpr std::chrono::milliseconds spawn_timeout{10'000};
inline constexpr std::chrono::milliseconds stop_timeout{5'000};   // the whole ladder
inline constexpr std::chrono::milliseconds coordinator_timeout{5'000};  // an answer of the coordinator
inline constexpr std::chrono::milliseconds memory_timeout{1'000};  // a create() that waits for memory to be released
inline constexpr std::chrono::milliseconds linger{1'000};          // last words of a socket that closes
// How long a write waits for a stderr that takes no text; after that the text is dropped and counted.
inline constexpr std::chrono::milliseconds say_wait{100};
// A connection that has not completed its handshake by then is closed.
inline constexpr std::chrono::milliseconds handshake_timeout{5'000};
// How long processes that actors left behind may take to end once they have been killed.
inline constexpr std::chrono::milliseconds strays_timeout{1'000};
// Others that one actor may name in links. As many actors as there are may name it.
inline constexpr std::size_t links_max = 64;
// How often a session's files are touched, so that no cleaner of /tmp removes them.
inline constexpr std::chrono::hours touch_interval{1};
// How often they are looked at when they were removed and cannot be put back yet.
inline constexpr std::chrono::seconds put_back_interval{5};
// How often a member binds its inbox again, or makes its bell again, after other programs have removed the file.
inline constexpr std::uint32_t bound_again_max = 16;

}  // namespace baton::limits
