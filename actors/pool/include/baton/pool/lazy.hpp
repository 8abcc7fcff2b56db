#pragma once
// Lazy: what imap() returns: outcomes in the order of the values, each value taken from its source only when its turn
// is near. It can be iterated over once, and its pool must live longer. One thread.

#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <utility>

#include <baton/detail/pool/core.hpp>
#include <baton/pool/outcome.hpp>

namespace baton::pool {

template <class R, std::ranges::input_range Source, class Owner = Scenario>
class Lazy {
    using Face = detail::FaceOf<Owner>;

public:
    Lazy(detail::pool::Core& pool, std::string function, std::shared_ptr<Source> source, const MapOptions& options,
         std::size_t ahead)
        : pool_(&pool),
          function_(std::move(function)),
          source_(std::move(source)),
          options_(options),
          at_(std::ranges::begin(*source_)),
          ahead_(ahead) {}

    // Returns the next outcome, or nothing after the last. Errors: a value that does not fit, after the outcomes of the
    // values before it; `timed_out`, after which next() may be called again; `stopping`; and with Errors::stop_at_first
    // the first error of a task. What the source throws is thrown after the outcomes of the values before it, too.
    typename Face::template Of<std::optional<Outcome<R>>> next() { return Face::give(taken()); }

    // for (const Outcome<R>& one : lazy): throws ErrorException if next() is an error, even in an actor.
    class Iterator {
    public:
        explicit Iterator(Lazy& lazy) : lazy_(&lazy), current_(lazy.taken().value()) {}
        [[nodiscard]] const Outcome<R>& operator*() const { return *current_; }
        [[nodiscard]] const Outcome<R>* operator->() const { return &*current_; }
        Iterator& operator++() { return current_ = lazy_->taken().value(), *this; }
        [[nodiscard]] bool operator!=(std::default_sentinel_t) const { return current_.has_value(); }

    private:
        Lazy* lazy_;
        std::optional<Outcome<R>> current_;
    };
    [[nodiscard]] Iterator begin() { return Iterator{*this}; }
    [[nodiscard]] std::default_sentinel_t end() const { return {}; }

private:
    [[nodiscard]] Result<std::optional<Outcome<R>>> taken() {
        take_values();
        if (pending_.empty()) {
            if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
            if (trouble_) return *std::exchange(trouble_, std::nullopt);
            return std::optional<Outcome<R>>{};
        }
        if (Result<void> waited = pending_.front().wait(options_.within); !waited) return waited.error();
        Outcome<R> one{AnyOutcome{pending_.front().job(), 0}};
        pending_.pop_front();
        if (!one.ok() && options_.errors == Errors::stop_at_first) {
            pending_.clear();
            is_over_ = true;
            thrown_ = nullptr;
            trouble_.reset();
            return one.error_in_call();
        }
        return std::optional{std::move(one)};
    }
    // Takes values as long as fewer than `ahead_` outcomes have not been read.
    void take_values() {
        try {
            while (!is_over_ && pending_.size() < ahead_ && at_ != std::ranges::end(*source_)) {
                if (Result<void> begun = begin_one(*at_); !begun) {
                    is_over_ = true;
                    trouble_ = begun.error();
                    return;
                }
                ++at_;
            }
        } catch (...) {
            is_over_ = true;
            thrown_ = std::current_exception();
        }
    }
    template <class V>
    [[nodiscard]] Result<void> begin_one(V&& value) {
        const auto fill = [&value](detail::pool::Job& job) { return detail::pool::fill(job, value); };
        Result<detail::pool::Handle> begun =
            pool_->submit(pool_->new_job(function_, pool_->rules_of(options_)), std::nullopt, fill);
        if (!begun) return begun.error();
        pending_.push_back(std::move(*begun));
        return {};
    }

    detail::pool::Core* pool_;
    std::string function_;
    std::shared_ptr<Source> source_;  // where `at_` points to, wherever this goes
    MapOptions options_;
    std::ranges::iterator_t<Source> at_;
    std::size_t ahead_;
    bool is_over_ = false;           // no further value is taken
    std::exception_ptr thrown_;      // why
    std::optional<Error> trouble_;   // or this
    std::deque<detail::pool::Handle> pending_;
};

}  // namespace baton::pool
