#pragma once
// AnchorTable: how the anchor and the coordinators of a session speak to each other.
//
// The anchor tells by state, in memory that it alone writes and every coordinator reads, so that nothing it has to say
// can be lost, or hold it up: a coordinator that comes later finds all of it. A descriptor (an eventfd) only nudges.
// The coordinator asks by whole requests on a stream socket, which ends with it: what it had begun to write is dropped.
//
//   anchor                                        coordinator
//   writes a row, then its state                  writes a request into the socket
//   sets the row's bit in `news`                  nudged: takes the bits out, and then reads those rows
//   writes 1 into the eventfd                     new: reads all rows
//
// Plain data; both ends are the same program, started by each other.

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <baton/limits.hpp>

namespace baton::detail::coordinator {

// What the coordinator finds open when it starts.
inline constexpr int anchor_table_fd = 3;
inline constexpr int anchor_requests_fd = 4;
inline constexpr int anchor_news_fd = 5;

// The exit code with which a coordinator makes room for the next one; with any other the session is over.
inline constexpr int exit_replaced = 75;  // EX_TEMPFAIL of sysexits.h

// One process that the anchor has started; by the number of its actor. Number 0 is the scenario.
struct AnchorRow {
    enum State : std::uint32_t {
        none = 0,
        running = 1,
        failed = 2,  // it could not be started; `code` is the errno
        exited = 3,  // `code` is its exit code, or the signal that ended it
    };
    std::atomic<std::uint64_t> life;  // the actor's id, packed, as the request said it
    std::atomic<std::int32_t> pid;    // that process, as long as the state is `running`: it is reaped after that
    std::atomic<std::int32_t> code;
    std::atomic<std::uint32_t> by_signal;
    std::atomic<std::uint32_t> state;  // written last
};

struct AnchorTable {
    // Of this table and of requests. An anchor lives as long as its session, and may start a coordinator of a program
    // that was installed later.
    static constexpr std::uint64_t version_word = 1;
    std::atomic<std::uint64_t> version;
    static constexpr std::uint32_t rows_count = limits::actors_max + 1;
    static constexpr std::size_t news_words = (rows_count + 63) / 64;
    std::atomic<std::uint64_t> stop_signals;  // SIGINT, SIGTERM and SIGHUP that have come
    std::atomic<std::uint64_t> coordinators;  // that have been started
    std::atomic<std::uint64_t> exits;         // of children, orphans of actors among them
    std::atomic<std::int32_t> anchor;         // its pid
    std::atomic<std::uint64_t> news[news_words];
    AnchorRow rows[rows_count];
};

// Before the strings of a request: program, arguments, and NAME=VALUE for what is added to the environment, each with a
// zero byte behind it.
struct AnchorRequest {
    enum Kind : std::uint32_t {
        spawn = 1,
        ready = 2,   // the session can be joined; nothing follows
        failed = 3,  // it cannot; one line follows, for the one that has started the session
    };
    std::uint32_t bytes = 0;  // of all of it
    std::uint32_t kind = 0;
    std::uint32_t number = 0;
    std::uint32_t arguments = 0;
    std::uint64_t life = 0;
    std::uint32_t variables = 0;
    std::uint32_t is_of_own_group = 0;  // 1: its group is its own, it reads no terminal, and its group ends with it
};
inline constexpr std::size_t anchor_request_bytes_max = std::size_t{2} << 20;
inline constexpr std::size_t anchor_strings_max = 32'768;  // of one request, and of the environment of the anchor

}  // namespace baton::detail::coordinator
