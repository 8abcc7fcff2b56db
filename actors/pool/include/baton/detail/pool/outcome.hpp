#pragma once
// Outcome: what became of one task: which, with which arguments, by whom, when, and its result or error.
//
//     for (const pool::Outcome<std::int64_t>& one : pool.map<std::int64_t>("square", numbers).value())
//         fmt::print("{}\n", one.to_text());      // Call to square(4) --> Result: 16
//
// A view of what came back: cheap to copy, read and turned to text only where asked. A result that is a segment can be
// taken once. Errors are those of runtime/result.hpp: `failed` with type, text and frames of what the function threw,
// `gone` where workers died of it, `timed_out` over its deadline, `refused` where it did not fit. One thread.

#include <iterator>

#include <baton/detail/pool/job.hpp>

namespace baton::pool {

using namespace detail;

// One whose type nobody has said yet.
class AnyOutcome {
public:
    AnyOutcome() = default;  // of no task
    AnyOutcome(std::shared_ptr<Job> job, std::size_t task) : job_(std::move(job)), task_(task) {}

    // ---- the call
    [[nodiscard]] TaskId id() const { return job_->first_id + task_; }
    [[nodiscard]] const std::string& function() const { return job_->function->name; }
    [[nodiscard]] std::string arguments_text() const { return job_->arguments_text(task_); }

    // ---- who did it, and when; nobody where it never came so far
    [[nodiscard]] std::string worker() const;
    [[nodiscard]] Timestamp started() const;
    [[nodiscard]] Timestamp finished() const;

    // ---- how it went
    [[nodiscard]] bool ok() const { return job_->fates[task_].state == Job::State::done; }
    // Only after ok() said no.
    [[nodiscard]] Error error() const;
    // The same for who does not see which call it was.
    [[nodiscard]] Error error_in_call() const;
    // The result as an R, which the pool has compared with what the function returns.
    template <class R>
    [[nodiscard]] Result<R> as() const {
        Reader reader;
        return as<R>(reader);
    }
    // "Call to square(4) --> Result: 16", or "--> Error: std::out_of_range: no four".
    [[nodiscard]] std::string to_text() const;

    // For the pool.
    void look_at(std::size_t task) noexcept { task_ = task; }
    [[nodiscard]] const Job& job() const { return *job_; }
    [[nodiscard]] std::size_t task() const noexcept { return task_; }
    [[nodiscard]] const Delivery* delivery() const;
    // Only after ok() said yes. With a reader that lives longer than the value.
    [[nodiscard]] Result<Value> value(Reader& reader) const;
    template <class R>
    [[nodiscard]] Result<R> as(Reader& reader) const;
    [[nodiscard]] Result<Segment> take_segment(std::size_t index) const;
    [[nodiscard]] std::size_t segments() const { return delivery()->done.segments.size(); }

private:
    std::shared_ptr<Job> job_;
    std::size_t task_ = 0;
};

template <class R>
class Outcome : public AnyOutcome {
public:
    Outcome() = default;
    explicit Outcome(AnyOutcome outcome) : AnyOutcome(std::move(outcome)) {}
    [[nodiscard]] Result<R> result() const { return as<R>(); }
    // Throws ErrorException where there is none.
    [[nodiscard]] R value() const { return as<R>().value(); }
};

// Those of one map or starmap, in the order of the arguments.
template <class R>
class Outcomes {
public:
    Outcomes() = default;
    explicit Outcomes(std::shared_ptr<Job> job) : job_(std::move(job)) {}

    [[nodiscard]] std::size_t size() const { return job_ == nullptr ? 0 : job_->size(); }
    [[nodiscard]] Outcome<R> operator[](std::size_t task) const { return Outcome<R>{AnyOutcome{job_, task}}; }

    // All results, or the first error in their order.
    [[nodiscard]] Result<std::vector<R>> values() const {
        std::vector<R> all;
        all.reserve(size());
        Reader reader;
        AnyOutcome outcome{job_, 0};
        for (std::size_t task = 0; task < size(); ++task) {
            outcome.look_at(task);
            Result<R> one = outcome.as<R>(reader);
            if (!one) return one.error();
            all.push_back(std::move(*one));
        }
        return all;
    }
    [[nodiscard]] std::vector<Outcome<R>> errors() const {
        std::vector<Outcome<R>> all;
        for (std::size_t task = 0; task < size(); ++task)
            if (job_->fates[task].state != Job::State::done) all.push_back((*this)[task]);
        return all;
    }

    class Iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = Outcome<R>;
        using difference_type = std::ptrdiff_t;
        using reference = Outcome<R>;
        using pointer = void;
        Iterator() = default;
        Iterator(const Outcomes& outcomes, std::size_t task) : outcomes_(&outcomes), task_(task) {}
        [[nodiscard]] Outcome<R> operator*() const { return (*outcomes_)[task_]; }
        Iterator& operator++() { return ++task_, *this; }
        Iterator operator++(int) { return {*outcomes_, task_++}; }
        [[nodiscard]] bool operator==(const Iterator& other) const { return task_ == other.task_; }

    private:
        const Outcomes* outcomes_ = nullptr;
        std::size_t task_ = 0;
    };
    [[nodiscard]] Iterator begin() const { return {*this, 0}; }
    [[nodiscard]] Iterator end() const { return {*this, size()}; }

private:
    std::shared_ptr<Job> job_;
};

template <class R>
Result<R> AnyOutcome::as(Reader& reader) const {
    if (!ok()) return error();
    if constexpr (std::is_same_v<R, Segment>) {
        return take_segment(0);
    } else if constexpr (std::is_same_v<R, std::vector<Segment>>) {
        R all;
        for (std::size_t one = 0; one < segments(); ++one) {
            Result<Segment> segment = take_segment(one);
            if (!segment) return segment.error();
            all.push_back(std::move(*segment));
        }
        return all;
    } else {
        R out{};
        const Result<Value> from = value(reader);
        if (!from) return from.error();
        Decoding at{function()};
        if (!decode(*from, out, at)) return at.take_error();
        return out;
    }
}

}  // namespace baton::pool
