#pragma once
// Work: what a pool says to its workers. Users of pools need not know it: they include <baton/worker.hpp> on one side
// and <baton/pool.hpp> on the other.
//
// A worker says once what it can do, and is then given batches of tasks of one function. Arguments and results of
// a batch are one msgpack value each, in a field of bytes: the worker knows their types, and the pool reads a result
// only when somebody asks for it, so that a short task costs it next to nothing.

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <baton/time.hpp>
#include <baton/protocol.hpp>
#include <baton/segment.hpp>
#include <baton/detail/description.hpp>
#include <baton/detail/error_body.hpp>

namespace baton::pool::limits {

using namespace baton::limits;
inline constexpr std::size_t tasks_waiting_max = 16'777'216;  // in one pool; a call with more is `overloaded`

}  // namespace baton::pool::limits

namespace baton::detail::pool {

inline constexpr std::size_t batch_tasks_max = (std::size_t{1} << 24) - 1;         // what the board counts to
inline constexpr std::size_t batch_arguments_bytes_max = std::size_t{256} << 10;  // a larger task goes alone
inline constexpr std::size_t batch_unpacked_bytes = std::size_t{512} << 10;       // of most batches, as values

// One function that workers can run.
struct Signature {
    std::string name;
    std::vector<PartDescription> parameters;
    TypeDescription result;

    bool operator==(const Signature&) const = default;
};

// "power(base: int64, exponent: int64) -> int64"
[[nodiscard]] std::string to_text(const Signature& signature);

struct Described {
    std::string name;  // of the worker
    std::vector<Signature> tasks;
};
struct Describe {
    std::optional<Slice> place;  // of the worker that is asked, on the pool's board (board.hpp)
    using Reply = Described;
};

// What arguments of these types travel as: in the order in which the parameters stand.
using Carried = std::variant<Segment, Lease, Slice>;

struct Done;

// Run these tasks, in their order.
struct Run {
    std::string function;
    std::uint32_t tasks = 0;
    std::vector<std::byte> arguments;  // [argument, ...]: of one task after the other, with nothing for a Carried
    std::vector<Carried> carried;      // only of a task that is alone in its batch
    Duration budget{};                 // no further task is begun after that: those left over go back to the pool
    std::uint16_t batch = 0;           // on the board; 0: it is not there, and nothing of it is taken back
    using Reply = Done;
};

struct FailedTask {
    std::uint32_t index = 0;  // of the task in its batch; they come in order
    ErrorBody error;
};
// The outcomes of the first tasks of a batch, as many as were run; of none if the pool has taken all of them back.
struct Done {
    Timestamp started;
    Duration took{};                 // until the last of them was done
    std::vector<std::byte> moments;  // when each was done: nanoseconds since `started`, 32 bits, little endian
    std::vector<std::byte> results;  // [value, ...]: nothing for one that failed, or that made segments
    std::vector<FailedTask> failures;
    std::vector<Segment> segments;   // a result that is one, or a list of them
};

using Protocol = baton::Protocol<Describe, Run>;

}  // namespace baton::detail::pool
