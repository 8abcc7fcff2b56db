#pragma once
// Job: the tasks of one call (one submit(), one map()), and what became of each.
//
// All tasks of a job are of one function and under the same rules. Their arguments lie encoded in one buffer, so that
// a batch is a piece of it, and a task itself costs a few bytes. What comes back with a batch is kept as it came, a
// Delivery, and only read where somebody wants it. Shared by whoever waits for the outcomes and by the pool's queue;
// who lets go of a job that has waiting tasks cancels it first. Knows no processes. One thread.

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/pool/work.hpp"
#include "runtime/result.hpp"

namespace baton::pool {

using TaskId = std::uint64_t;

// A lease or slice that is made anew for each attempt: the worker that dies with it does not take it along.
struct LeaseOf {
    Lender lender;
};
struct SliceOf {
    Lender lender;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
};
using HeldArgument = std::variant<Segment, Lease, Slice, LeaseOf, SliceOf>;

// What holds for each task of a job.
struct Rules {
    Duration deadline = Duration::max();  // in the hands of a worker; who takes longer is killed
    std::uint32_t retries = 2;            // after the death of a worker that had nothing else in hand
};

// What a worker answered to one batch, or why it did not.
struct Delivery {
    std::string worker;
    Timestamp started;
    Timestamp ended;
    std::vector<std::byte> results;  // which `values` refer to
    Unpacker unpacker;
    Value values;                    // three for each task; see Done
    std::vector<Segment> segments;   // of the only task of the batch
    std::optional<Error> error;      // then there are no values
};

struct Job;

// What whoever waits for the tasks of one or more jobs wants to know of them.
struct Tally {
    std::size_t open = 0;               // tasks that are not settled
    const Job* last = nullptr;          // of which one was settled
    const Job* failed = nullptr;        // the first that had a failed task, and which
    std::size_t failed_task = 0;
};

struct Job {
    Job(std::shared_ptr<const Signature> of, TaskId first, Rules under) : function(std::move(of)), first_id(first), rules(under) {}

    // ---- the tasks. The last one's arguments are what `arguments` has grown by.
    void add() {
        ends.push_back(arguments.size());
        fates.emplace_back();
        ++unsettled;
        if (tally) ++tally->open;
    }
    [[nodiscard]] std::size_t size() const noexcept { return fates.size(); }
    [[nodiscard]] std::size_t begin_of(std::size_t task) const noexcept { return task == 0 ? 0 : ends[task - 1]; }
    [[nodiscard]] std::string_view arguments_of(std::size_t task) const noexcept {
        return std::string_view(arguments).substr(begin_of(task), ends[task] - begin_of(task));
    }
    // Whether its tasks may not share a worker's hands with others.
    [[nodiscard]] bool is_alone() const noexcept {
        return !held.empty() || rules.retries == 0 || rules.deadline != Duration::max() || makes_segments(*function);
    }
    [[nodiscard]] static bool makes_segments(const Signature& function) noexcept {
        const TypeDescription& result = function.result;
        return result.kind == name_of(HandleKind::segment) ||
               (result.kind == "list" && result.parts[0].type.kind == name_of(HandleKind::segment));
    }

    // ---- what became of them
    enum class State : std::uint8_t { waiting, in_hand, done, failed, cancelled };
    struct Fate {
        State state = State::waiting;
        std::uint32_t deaths = 0;     // of workers that had this task alone in hand
        std::uint32_t delivery = 0;   // which one tells, of done and failed
        std::uint32_t index = 0;      // its place in that
    };
    [[nodiscard]] bool is_settled(std::size_t task) const noexcept { return fates[task].state > State::in_hand; }
    void settle(std::size_t task, State state, std::size_t delivery, std::size_t index);
    // Nobody did it: `worker` had it in hand from `started` on, if anybody.
    void fail(std::size_t task, Error why, std::string worker = {}, std::optional<Timestamp> started = {});
    // Not for one that is settled.
    void cancel(std::size_t task);
    void count_out(std::size_t task);

    // "4" or "2, 10": the arguments as JSON has them.
    [[nodiscard]] std::string arguments_text(std::size_t task) const;

    std::shared_ptr<const Signature> function;
    TaskId first_id;
    Rules rules;
    Buffer arguments;
    std::vector<std::size_t> ends;
    std::vector<std::vector<HeldArgument>> held;  // of each task, where the function has such parameters
    std::vector<Fate> fates;
    std::vector<std::shared_ptr<Delivery>> deliveries;
    std::size_t unsettled = 0;
    std::shared_ptr<Tally> tally;  // set before the first task, where somebody waits for several jobs
};

// Some tasks of a job, one after the other.
struct Stretch {
    std::shared_ptr<Job> job;
    std::size_t first = 0;
    std::size_t count = 0;
    bool is_alone = false;  // one at a time, and a worker that has nothing else in hand
};

}  // namespace baton::pool
