#pragma once
// Job: the tasks of one call (one submit(), one map()), and what became of each.
//
// All tasks of a job are of one function and under the same rules. Their arguments lie encoded in one buffer, so that
// a batch is a piece of it, and a task itself costs a few bytes. What comes back with a batch is kept as it came, a
// Delivery, and read only if somebody wants it. A job is shared by those that wait for its outcomes and by the pool's
// queue; when the outcomes are not wanted any more, the job is released in the scheduler. Knows no processes. One
// thread.

#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <baton/detail/pool/work.hpp>
#include <baton/dynamic.hpp>
#include <baton/result.hpp>

namespace baton::detail::pool {

using TaskId = std::uint64_t;

// A lease or slice that is made anew for each attempt: the worker that dies with it does not take it along.
using detail::Lender;
struct LeaseOf {
    Lender lender;
    std::uint64_t first = 0;
    std::optional<std::uint64_t> count = {};  // nothing: all of it
};
struct SliceOf {
    Lender lender;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
};
using HeldArgument = std::variant<Segment, Lease, Slice, LeaseOf, SliceOf>;

// What holds for each task of a job.
struct Rules {
    Duration timeout = Duration::max();  // in the hands of a worker; one that takes longer is killed
    std::uint32_t retries = 2;           // after the death of a worker that had nothing else in hand
};

class Reader;

// What a worker answered to one batch, as it came; or why it did not.
struct Delivery {
    std::string worker;
    Done done;
    std::optional<Error> error;           // then nothing was done
    std::unique_ptr<Reader> reader = {};  // see reader_for()

    // Of the task at that place in the batch.
    [[nodiscard]] Timestamp ended(std::size_t index) const;
    [[nodiscard]] Timestamp started(std::size_t index) const { return index == 0 ? done.started : ended(index - 1); }
    [[nodiscard]] Error error_of(std::size_t index) const;
    [[nodiscard]] std::size_t count() const noexcept { return done.moments.size() / sizeof(std::uint32_t); }
};

// Reads results, those of one delivery after the other. The deliveries live as long as it does.
class Reader {
public:
    // False if the bytes are not as many results as the delivery says. The value lives until the next delivery is read.
    [[nodiscard]] bool value(const Delivery& from, std::size_t index, Value& out) {
        if (from_ != &from) read(from);
        if (!is_readable_) return false;
        out = values_.at(index);
        return true;
    }

private:
    void read(const Delivery& from);

    const Delivery* from_ = nullptr;
    std::optional<Unpacker> unpacker_;  // when it is needed: there are a lot of jobs of one task
    Value values_;
    bool is_readable_ = false;
};

// For one of its results that is read alone: `own`, or one that is kept where it would take long to begin anew each
// time.
[[nodiscard]] Reader& reader_for(Delivery& from, Reader& own);

struct Job;

// What a wait for the tasks of one or more jobs needs to know of them.
struct Tally {
    std::size_t open = 0;         // tasks without an outcome
    const Job* last = nullptr;    // whose task has got one most recently
    const Job* failed = nullptr;  // the first of which a task has failed or was cancelled, and which task
    std::size_t failed_task = 0;
};

// The tasks that have got an outcome since somebody began to listen, in that order, until they are taken out.
struct Finished {
    std::deque<std::pair<const Job*, std::size_t>> tasks;
};

struct Job {
    Job(std::shared_ptr<const Signature> of, TaskId first, Rules under)
        : function(std::move(of)), first_id(first), rules(under) {}

    void reserve(std::size_t tasks) {
        ends.reserve(tasks);
        fates.reserve(tasks);
    }
    // ---- the tasks. The last one's arguments are what `arguments` has grown by.
    void add() {
        ends.push_back(static_cast<std::uint32_t>(arguments.size()));
        fates.emplace_back();
        ++unsettled;
        if (tally) ++tally->open;
    }
    [[nodiscard]] std::size_t size() const noexcept { return fates.size(); }
    [[nodiscard]] std::uint32_t begin_of(std::size_t task) const noexcept { return task == 0 ? 0 : ends[task - 1]; }
    [[nodiscard]] std::string_view arguments_of(std::size_t task) const noexcept {
        return std::string_view(arguments).substr(begin_of(task), ends[task] - begin_of(task));
    }
    // True if its tasks may not share a batch with others.
    [[nodiscard]] bool is_alone() const noexcept {
        return !held.empty() || rules.retries == 0 || rules.timeout != Duration::max() || makes_segments(*function);
    }
    [[nodiscard]] static bool makes_segments(const Signature& function) noexcept {
        const TypeDescription& result = function.result;
        return result.kind == name_of(HandleKind::segment) ||
               (result.kind == "list" && result.parts[0].type.kind == name_of(HandleKind::segment));
    }

    // The arguments of the next task, each encoded; empty: it is held. To be followed by add().
    void append_arguments(std::span<const Bytes> row);

    // ---- what became of them
    // Released: nobody wants the outcome any more. The states behind in_hand are final.
    enum class State : std::uint8_t { waiting, in_hand, done, failed, cancelled, released };
    struct Fate {
        State state = State::waiting;
        std::uint32_t delivery = 0;  // which one tells, of done, failed and cancelled
        std::uint32_t index = 0;     // its place in that
    };
    [[nodiscard]] bool is_settled(std::size_t task) const noexcept { return fates[task].state > State::in_hand; }
    void settle(std::size_t task, State state, std::size_t delivery, std::size_t index) {
        fates[task] = {state, static_cast<std::uint32_t>(delivery), static_cast<std::uint32_t>(index)};
        --unsettled;
        if (!listeners.empty()) tell(task);
        if (tally) count(task, state);
    }
    // It came to nothing. `worker` had it in hand from `started` on, if any.
    void fail(std::size_t task, Error why, std::string worker = {}, std::optional<Timestamp> started = {});
    // Like fail(), because its caller wanted it.
    void cancel(std::size_t task, Error why, std::string worker = {}, std::optional<Timestamp> started = {});
    // Not for one that is settled.
    void release(std::size_t task);

    // "4" or "2, 10": the arguments as JSON has them.
    [[nodiscard]] std::string arguments_text(std::size_t task) const;
    // The arguments as values; nothing for what is held.
    [[nodiscard]] Result<dynamic::Value::List> argument_values(std::size_t task) const;

    std::shared_ptr<const Signature> function;
    TaskId first_id;
    Rules rules;
    Buffer arguments;
    std::vector<std::uint32_t> ends;  // of each task's arguments
    std::vector<std::vector<HeldArgument>> held;  // of each task, if the function has such parameters
    std::vector<Fate> fates;
    std::vector<std::shared_ptr<Delivery>> deliveries;
    std::size_t unsettled = 0;
    bool is_queued = false;
    std::shared_ptr<Tally> tally;  // set before the first task, if somebody waits for several jobs
    std::vector<std::weak_ptr<Finished>> listeners;

private:
    void end(std::size_t task, State state, Error why, std::string worker, std::optional<Timestamp> started);
    void tell(std::size_t task);
    void count(std::size_t task, State state) {
        --tally->open;
        tally->last = this;
        if (state == State::done || tally->failed != nullptr) return;
        tally->failed = this;
        tally->failed_task = task;
    }
};

}  // namespace baton::detail::pool
