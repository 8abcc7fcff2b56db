#pragma once
// Task and Tasks: what a caller holds of one submit() and of one map_async() until the outcomes have come. Completed:
// outcomes in the order in which they come, from as_completed().
//
//     pool::Task<std::int64_t> task = pool.submit<std::int64_t>("square", 4);
//     task.get(1s);                                                           // waits: 16
//
//     auto tasks = pool.map_async<std::int64_t>("square", numbers);           // does not wait
//     for (const pool::Outcome<std::int64_t>& one : pool.as_completed(tasks)) // the quickest first
//         fmt::print("{}\n", one.to_text());
//
// Task and Tasks are move-only. Dropping one withdraws its tasks that have not begun; those that run go on, and their
// outcomes are lost. cancel() also ends what runs. A default-constructed one, and one whose then() was called, holds no
// task: waits are `refused`. They may outlive their pool: its end settles them (`stopping`).
//
// Owner is the type of the pool's owner: the verbs throw ErrorException if it is a Scenario, and return a Result if it
// is a Context. One thread, that of the owner.

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>

#include <baton/detail/pool/handle.hpp>
#include <baton/pool/cancelled.hpp>
#include <baton/pool/outcome.hpp>

namespace baton::pool {

template <class R, class Owner = Scenario>
class Task {
    using Face = detail::FaceOf<Owner>;
    template <class T>
    using Of = typename Face::template Of<T>;

public:
    using Outcome = pool::Outcome<R>;

    Task() = default;
    explicit Task(detail::pool::Handle handle) : handle_(std::move(handle)) {}

    // For Pool::find() and Pool::cancel(). 0 if this is empty.
    [[nodiscard]] detail::pool::TaskId id() const { return handle_.is_empty() ? 0 : handle_.job()->first_id; }
    // Says whether the outcome has come. Looks once, without waiting.
    [[nodiscard]] bool ready() { return handle_.ready(); }
    // The result, or the task's error. May be called again, except for a segment. `timed_out` if the outcome has not
    // come in time: then the task goes on, and get() may be called again.
    Of<R> get(Within within) {
        return Face::give(waited(within).and_then([](const Outcome& one) { return one.result(); }));
    }
    // Waits as get() does, and returns all that is known about the task. Fails only if the wait does.
    Of<Outcome> outcome(Within within) { return Face::give(waited(within)); }
    // Calls `take` with the outcome, between commands of the owner, once it has come; in a scenario during a later
    // wait. Leaves this one empty. Not called if the pool ends before that.
    void then(std::function<void(const Outcome&)> take) {
        handle_.then([take = std::move(take)](std::shared_ptr<detail::pool::Job> job) {
            take(Outcome{AnyOutcome{std::move(job), 0}});
        });
    }
    // A task that has not begun never runs. One that runs is ended by killing its worker, which is replaced; tasks that
    // the worker had beside it run elsewhere. The answer says which of the two it was; so does the text of the outcome,
    // which is the error `refused`.
    Cancelled cancel() { return handle_.cancel(); }

private:
    friend struct detail::pool::Inside;
    [[nodiscard]] Result<Outcome> waited(Within within) {
        return handle_.wait(within).transform([this] { return Outcome{AnyOutcome{handle_.job(), 0}}; });
    }
    detail::pool::Handle handle_;
};

template <class R, class Owner = Scenario>
class Tasks {
    using Face = detail::FaceOf<Owner>;
    template <class T>
    using Of = typename Face::template Of<T>;

public:
    using Outcome = pool::Outcome<R>;
    using Outcomes = pool::Outcomes<R, Owner>;

    Tasks() = default;
    explicit Tasks(detail::pool::Handle handle) : handle_(std::move(handle)) {}

    [[nodiscard]] std::size_t size() const { return handle_.is_empty() ? 0 : handle_.job()->size(); }
    // How many have no outcome yet, as far as is known; ready(), get() and as_completed() look.
    [[nodiscard]] std::size_t unfinished() const { return handle_.is_empty() ? 0 : handle_.job()->unsettled; }
    // Says whether all outcomes have come. Looks once, without waiting.
    [[nodiscard]] bool ready() { return handle_.ready(); }
    // The outcomes, in the order of the arguments, as map() returns them; with Errors::stop_at_first the first error of
    // a task. `timed_out` if they have not come in time: then the tasks go on, and get() may be called again.
    Of<Outcomes> get(Within within) {
        return Face::give(handle_.wait(within).and_then([this] { return handle_.verdict(); }).transform([this] {
            return Outcomes{handle_.job()};
        }));
    }
    // Calls `take` with the outcomes, between commands of the owner, once all have come; in a scenario during a later
    // wait. Leaves this one empty. Not called if the pool ends before that.
    void then(std::function<void(const Outcomes&)> take) {
        handle_.then(
            [take = std::move(take)](std::shared_ptr<detail::pool::Job> job) { take(Outcomes{std::move(job)}); });
    }
    // Cancels all of them, each as Task::cancel() does.
    CancelledTasks cancel() { return handle_.cancel_all(); }

private:
    friend struct detail::pool::Inside;
    detail::pool::Handle handle_;
};

// What as_completed() returns. It can be iterated over once.
template <class R, class Owner = Scenario>
class Completed {
    using Face = detail::FaceOf<Owner>;

public:
    explicit Completed(detail::pool::Completing completing, std::shared_ptr<void> kept = {})
        : completing_(std::move(completing)), kept_(std::move(kept)) {}

    // Returns the next outcome, or nothing after the last. Errors: `timed_out` at the end of the time, which begins
    // with the first call (what has come by then is returned first); `stopping`; and with Errors::stop_at_first the
    // first error of a task.
    typename Face::template Of<std::optional<Outcome<R>>> next() { return Face::give(taken()); }

    // for (const Outcome<R>& one : pool.as_completed(tasks)): throws ErrorException if next() is an error, even in an
    // actor.
    class Iterator {
    public:
        explicit Iterator(Completed& completed) : completed_(&completed), current_(completed.taken().value()) {}
        [[nodiscard]] const Outcome<R>& operator*() const { return *current_; }
        [[nodiscard]] const Outcome<R>* operator->() const { return &*current_; }
        Iterator& operator++() { return current_ = completed_->taken().value(), *this; }
        [[nodiscard]] bool operator!=(std::default_sentinel_t) const { return current_.has_value(); }

    private:
        Completed* completed_;
        std::optional<Outcome<R>> current_;
    };
    [[nodiscard]] Iterator begin() { return Iterator{*this}; }
    [[nodiscard]] std::default_sentinel_t end() const { return {}; }

private:
    [[nodiscard]] Result<std::optional<Outcome<R>>> taken() {
        Result<std::optional<AnyOutcome>> one = completing_.next();
        if (!one) return one.error();
        if (!*one) return std::optional<Outcome<R>>{};
        return std::optional{Outcome<R>{std::move(**one)}};
    }
    detail::pool::Completing completing_;
    std::shared_ptr<void> kept_;  // the tasks, if nobody else holds them
};

}  // namespace baton::pool

namespace baton::detail::pool {

// What the tasks in a T return: a Task, a Tasks, or a range of them.
template <class T>
struct ResultIn {
    using type = typename ResultIn<std::ranges::range_value_t<T>>::type;
};
template <class R, class Owner>
struct ResultIn<baton::pool::Task<R, Owner>> {
    using type = R;
};
template <class R, class Owner>
struct ResultIn<baton::pool::Tasks<R, Owner>> {
    using type = R;
};
template <class T>
using ResultOf = typename ResultIn<T>::type;

}  // namespace baton::detail::pool
