#pragma once
// Handle: a job that somebody waits for: what Task and Tasks are made of, for every language. Completing: several of
// them, whose outcomes are taken in the order in which they come. One thread.

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <baton/detail/pool/scheduler.hpp>
#include <baton/pool/outcome.hpp>

namespace baton::detail::pool {

// Move-only. Dropping it releases the job.
class Handle {
public:
    Handle() = default;
    Handle(std::shared_ptr<Scheduler> scheduler, std::shared_ptr<Job> job,
           baton::pool::Errors errors = baton::pool::Errors::collect)
        : scheduler_(std::move(scheduler)), job_(std::move(job)), errors_(errors) {}
    Handle(Handle&&) noexcept = default;
    Handle& operator=(Handle&& other) noexcept;
    ~Handle() { release(); }

    [[nodiscard]] bool is_empty() const noexcept { return job_ == nullptr; }
    [[nodiscard]] const std::shared_ptr<Job>& job() const noexcept { return job_; }
    [[nodiscard]] baton::pool::Errors errors() const noexcept { return errors_; }

    // Says whether the outcomes are there, or the first error if that is enough. Does not look outside.
    [[nodiscard]] bool is_done() const;
    // The same; looks once, without waiting.
    [[nodiscard]] bool ready();
    // Until then. `refused` for an empty one.
    [[nodiscard]] Result<void> wait(Within within);
    // Of one that is_done(): the first error, if that is enough.
    [[nodiscard]] Result<void> verdict() const;
    // Of the only task, and of all.
    baton::pool::Cancelled cancel();
    baton::pool::CancelledTasks cancel_all();
    // From here on the pool moves also between commands, until this one is done.
    void attend() const;
    // Leaves this one empty.
    void then(std::function<void(std::shared_ptr<Job>)> take);

private:
    friend class Completing;
    void release() noexcept;

    std::shared_ptr<Scheduler> scheduler_;
    std::shared_ptr<Job> job_;
    baton::pool::Errors errors_ = baton::pool::Errors::collect;
};

class Completing {
public:
    explicit Completing(Within within) : within_(within) {}
    // Its tasks too, before the first next().
    void add(const Handle& handle);
    // The next outcome, nothing behind the last; `timed_out`, and then one may ask again. With Errors::stop_at_first
    // the first error is the last that it says, and the other tasks are released.
    [[nodiscard]] Result<std::optional<baton::pool::AnyOutcome>> next();

private:
    void begin();

    struct Part {
        std::shared_ptr<Job> job;
        baton::pool::Errors errors;
    };
    Within within_;
    std::optional<Deadline> deadline_;  // since the first next()
    std::shared_ptr<Scheduler> scheduler_;
    std::vector<Part> parts_;  // by the address of the job
    std::shared_ptr<Finished> finished_ = std::make_shared<Finished>();
    std::size_t left_ = 0;
};

}  // namespace baton::detail::pool
