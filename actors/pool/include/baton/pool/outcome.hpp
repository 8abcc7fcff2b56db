#pragma once
// Outcome: what became of one task: which function with which arguments, which worker, when, and its result or error.
//
//     for (const pool::Outcome<std::int64_t>& one : pool.map<std::int64_t>("square", numbers))
//         fmt::print("{}\n", one.to_text());      // Call to square(4) --> Result: 16
//
// It is a view of what came back: cheap to copy, and decoded or turned into text only on demand. A result that is a
// segment can be taken once. Its errors are those of <baton/result.hpp>: `failed` with type, text and frames of what
// the function threw, `gone` if the task's workers died, `timed_out` if it exceeded its timeout, `refused` if it did
// not fit or was cancelled, `stopping` if the pool was stopped first. One thread.

#include <cstddef>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <baton/detail/pool/arguments.hpp>
#include <baton/scenario.hpp>

namespace baton::pool {

// An outcome whose result is of a type that is not known yet.
class AnyOutcome {
public:
    AnyOutcome() = default;  // of no task: only to be assigned to
    AnyOutcome(std::shared_ptr<detail::pool::Job> job, std::size_t task) : job_(std::move(job)), task_(task) {}

    // ---- the call
    [[nodiscard]] detail::pool::TaskId id() const { return job_->first_id + task_; }
    [[nodiscard]] const std::string& function() const { return job_->function->name; }
    [[nodiscard]] std::string arguments_text() const { return job_->arguments_text(task_); }
    // What the function takes and returns, and the arguments as values; nothing in place of memory.
    [[nodiscard]] const detail::pool::Signature& signature() const { return *job_->function; }
    [[nodiscard]] Result<dynamic::Value::List> arguments() const { return job_->argument_values(task_); }

    // ---- which worker had it in hand, and when; empty if none had
    [[nodiscard]] std::string worker() const;
    [[nodiscard]] Timestamp started() const;
    [[nodiscard]] Timestamp finished() const;

    // ---- how it went
    [[nodiscard]] bool ok() const { return job_->fates[task_].state == State::done; }
    // Only if not ok().
    [[nodiscard]] Error error() const;
    // That error with function, arguments and worker in its text.
    [[nodiscard]] Error error_in_call() const;
    // True if it has no result because it was cancelled, or its outcome was not wanted any more. The error says whether
    // it had begun.
    [[nodiscard]] bool was_cancelled() const {
        return job_->fates[task_].state == State::cancelled || job_->fates[task_].state == State::released;
    }
    // The result as an R; `refused` or `corrupt` if it is not one.
    template <class R>
    [[nodiscard]] Result<R> as() const {
        if (!ok()) return error();
        detail::pool::Reader own;
        return as<R>(reader(own));
    }
    // "Call to square(4) --> Result: 16", or "--> Error: std::out_of_range: no four".
    [[nodiscard]] std::string to_text() const;

protected:
    template <class R>
    [[nodiscard]] Result<R> as(detail::pool::Reader& reader) const;
    std::shared_ptr<detail::pool::Job> job_;
    std::size_t task_ = 0;

private:
    using State = detail::pool::Job::State;
    friend struct detail::pool::Inside;
    template <class R, class Owner>
    friend class Outcomes;

    [[nodiscard]] const detail::pool::Delivery* delivery() const;
    // Only if ok(). For a result that is read alone: `own`, or that of its batch, which has unpacked all results of it.
    [[nodiscard]] detail::pool::Reader& reader(detail::pool::Reader& own) const;
    // Only if ok(). With a reader that lives longer than the value.
    [[nodiscard]] Result<detail::Value> value(detail::pool::Reader& reader) const;
    // False if that would be an error.
    [[nodiscard]] bool find(detail::pool::Reader& reader, detail::Value& out) const {
        const detail::pool::Job::Fate& fate = job_->fates[task_];
        return fate.state == State::done && reader.value(*job_->deliveries[fate.delivery], fate.index, out);
    }
    [[nodiscard]] Result<Segment> take_segment(std::size_t index) const;
    [[nodiscard]] std::size_t segments() const { return delivery()->done.segments.size(); }
};

template <class R>
class Outcome : public AnyOutcome {
public:
    Outcome() = default;
    explicit Outcome(AnyOutcome outcome) : AnyOutcome(std::move(outcome)) {}
    [[nodiscard]] Result<R> result() const { return as<R>(); }
    // Throws ErrorException if there is none.
    [[nodiscard]] R value() const { return as<R>().value(); }
};

// The outcomes of one map() or starmap(), in the order of the arguments.
template <class R, class Owner = Scenario>
class Outcomes {
    using Face = detail::FaceOf<Owner>;

public:
    Outcomes() = default;
    explicit Outcomes(std::shared_ptr<detail::pool::Job> job) : job_(std::move(job)) {}

    [[nodiscard]] std::size_t size() const { return job_ == nullptr ? 0 : job_->size(); }
    [[nodiscard]] Outcome<R> operator[](std::size_t task) const { return Outcome<R>{AnyOutcome{job_, task}}; }

    // All results, or the first error in their order.
    [[nodiscard]] typename Face::template Of<std::vector<R>> values() const { return Face::give(all_values()); }
    [[nodiscard]] std::vector<Outcome<R>> errors() const {
        std::vector<Outcome<R>> all;
        for (const Outcome<R>& one : *this)
            if (!one.ok()) all.push_back(one);
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
    [[nodiscard]] Result<std::vector<R>> all_values() const {
        std::vector<R> all;
        all.reserve(size());
        detail::pool::Reader reader;
        AnyOutcome outcome{job_, 0};
        for (; outcome.task_ < size(); ++outcome.task_) {
            if (append(all, outcome, reader)) continue;
            Result<R> one = outcome.as<R>(reader);
            if (!one) return one.error();
            all.push_back(std::move(*one));
        }
        return all;
    }
    // What as() returns, without an Error to make room for. Does nothing if there is one, and with segments.
    [[nodiscard]] static bool append(std::vector<R>& all, const AnyOutcome& outcome, detail::pool::Reader& reader) {
        if constexpr (std::is_same_v<R, Segment> || std::is_same_v<R, std::vector<Segment>>) {
            return false;
        } else {
            detail::Value from;
            if (!outcome.find(reader, from)) return false;
            R out{};
            detail::Decoding at{{}};
            if (!detail::decode(from, out, at)) return false;
            all.push_back(std::move(out));
            return true;
        }
    }
    std::shared_ptr<detail::pool::Job> job_;
};

template <class R>
Result<R> AnyOutcome::as(detail::pool::Reader& reader) const {
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
        const Result<detail::Value> from = value(reader);
        if (!from) return from.error();
        detail::Decoding at{function()};
        if (!detail::decode(*from, out, at)) return at.take_error();
        return out;
    }
}

}  // namespace baton::pool
