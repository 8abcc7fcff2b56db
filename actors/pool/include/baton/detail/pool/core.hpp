#pragma once
// Core: all that a pool does and that does not depend on the types of its tasks, nor on whom it belongs to. Pool
// (<baton/pool.hpp>) gives it types and the owner's way to fail; the Python module binds it as it is. One thread.

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <baton/detail/pool/handle.hpp>
#include <baton/detail/pool/ids.hpp>
#include <baton/dynamic.hpp>
#include <baton/pool/call.hpp>

namespace baton::detail::pool {

using JobResult = Result<std::shared_ptr<Job>>;
using baton::pool::AnyOutcome;
using baton::pool::Call;
using baton::pool::MapOptions;

class Core {
public:
    Core(Context& context, Options options)
        : scheduler_(std::make_shared<Scheduler>(context, std::move(options))),
          added_tally_(std::make_shared<Tally>()) {}
    ~Core() { static_cast<void>(stop(limits::stop_timeout)); }
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    [[nodiscard]] Result<void> start();
    std::vector<Ended> stop(Within within);
    [[nodiscard]] Result<std::vector<Signature>> functions();

    // ---- jobs
    // One of that function without tasks; starts the workers. `refused` if they do not have the function.
    [[nodiscard]] JobResult new_job(std::string_view function, Rules rules);
    // The same; `refused` if the function does not return that type.
    [[nodiscard]] JobResult new_job(std::string_view function, Rules rules, const TypeDescription& result);
    [[nodiscard]] Rules rules_of(const MapOptions& options) const {
        return {options.task_timeout, options.retries.value_or(scheduler_->options().retries)};
    }
    // `refused` for an id that a task has. To be asked before a call's segments leave the caller.
    [[nodiscard]] Result<void> require_free(std::optional<TaskId> id) const { return register_.require_free(id); }
    // Numbers its tasks, the only one as wanted, and lets them run.
    [[nodiscard]] Result<void> send(const std::shared_ptr<Job>& job, std::optional<TaskId> id = {});
    // Sends it for a caller that waits later.
    [[nodiscard]] Result<Handle> begin(const std::shared_ptr<Job>& job, baton::pool::Errors errors);
    [[nodiscard]] Result<Handle> submit(JobResult job, std::optional<TaskId> id,
                                        const std::function<Result<void>(Job&)>& fill);
    // Sends it, and waits until its tasks are done, as the options say.
    [[nodiscard]] Result<void> run(const std::shared_ptr<Job>& job, const MapOptions& options);

    // ---- step by step
    [[nodiscard]] Result<std::vector<TaskId>> add(std::vector<Call> calls);
    [[nodiscard]] Result<std::vector<AnyOutcome>> execute(const MapOptions& options);

    // ---- by id
    [[nodiscard]] Result<std::optional<AnyOutcome>> find(TaskId id);
    [[nodiscard]] Result<baton::pool::Cancelled> cancel(TaskId id);
    [[nodiscard]] std::vector<TaskId> pending();

    [[nodiscard]] const std::shared_ptr<Scheduler>& scheduler() const noexcept { return scheduler_; }

private:
    // A call that was added; its job is made when there are workers.
    struct Added {
        TaskId id = 0;
        std::optional<Call> call;
        std::shared_ptr<Job> job;
        bool is_cancelled = false;
    };

    [[nodiscard]] JobResult make_job(TaskId id, const Call& call);
    // Of a task that never runs.
    [[nodiscard]] std::shared_ptr<Job> failed_job(const Added& added, const Error& why);
    void enqueue_or_fail(const std::shared_ptr<Job>& job);
    // The call of that id, if it waits for start().
    [[nodiscard]] Added* added_with(TaskId id);
    [[nodiscard]] Result<void> wait_for(const Tally& tally, std::size_t total, std::string_view what,
                                        const MapOptions& options);

    std::shared_ptr<Scheduler> scheduler_;
    Register register_;
    std::vector<Added> added_;
    std::shared_ptr<Tally> added_tally_;
};

// The way of a pool's parts, of other languages and of tests to what is private in its public classes.
struct Inside {
    template <class P>
    [[nodiscard]] static Core& core(const P& pool) {
        return *pool.core_;
    }
    template <class T>
    [[nodiscard]] static const Handle& handle(const T& tasks) {
        return tasks.handle_;
    }
    [[nodiscard]] static Rules rules(const Call& call, std::uint32_t usual_retries) {
        return {call.timeout_, call.retries_.value_or(usual_retries)};
    }
    [[nodiscard]] static Result<void> fill(const Call& call, Job& job) { return call.fill_(job); }

    [[nodiscard]] static const Job& job(const AnyOutcome& outcome) { return *outcome.job_; }
    [[nodiscard]] static std::size_t task(const AnyOutcome& outcome) { return outcome.task_; }
    [[nodiscard]] static const Delivery* delivery(const AnyOutcome& outcome) { return outcome.delivery(); }
    [[nodiscard]] static Result<dynamic::Value> dynamic_value(const AnyOutcome& outcome) {
        Reader own;
        const Result<Value> read = outcome.value(outcome.reader(own));
        if (!read) return read.error();
        return value_from(job(outcome).function->result, *read);
    }
    [[nodiscard]] static Result<Segment> take_segment(const AnyOutcome& outcome, std::size_t index) {
        return outcome.take_segment(index);
    }
    [[nodiscard]] static std::size_t segments(const AnyOutcome& outcome) { return outcome.segments(); }
};

}  // namespace baton::detail::pool
