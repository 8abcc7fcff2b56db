#pragma once
// Call: a function's name and arguments, kept until the pool knows its workers: what add() and execute() take.
//
//     pool.add(pool::call("square", 4));
//     pool.add(pool::call("power", pool::named("base", 2), pool::named("exponent", 10)).with_id(7).with_timeout(1s));
//
// Arguments are values of the types that a field of a command may have. They may also be given like this:
//
//     pool.submit<double>("scale", 2.0, pool::named("offset", 1.0));    // by the parameter's name
//     pool.submit<double>("sum", pool::lease_of(numbers));              // the worker reads all of a Loan
//     pool.submit<double>("sum", pool::lease_of(numbers, 0, 10));       // ... its first ten elements, or rows
//     pool.submit<void>("clear", pool::slice_of(numbers, 10, 10));      // ... may write the next ten
//     pool.submit<double>("use_up", std::move(segment));                // ... owns it
//
// An argument that does not fit its parameter is `refused`, with the parameter's name, before anything is given away. A
// Call is a plain value; the pool that takes it uses it up.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include <baton/detail/pool/arguments.hpp>

namespace baton::pool {

using detail::pool::LeaseOf;
using detail::pool::SliceOf;
using detail::pool::TaskId;

// An argument by the name of its parameter.
template <class T>
struct Named {
    std::string_view name;
    T value;
};
template <class T>
[[nodiscard]] Named<std::decay_t<T>> named(std::string_view name, T&& value) {
    return {name, std::forward<T>(value)};
}

// Lent memory as an argument: each attempt at the task gets a lease or slice of its own. The memory stays lent while
// the tasks run. `first` and `count` are in elements, or in rows if there is more than one dimension.
//
// Ranges of one Loan may be out at the same time as long as no slice overlaps anything: some tasks read the edge rows
// of their neighbours while others write elsewhere. A slice that overlaps what another task has at that moment is
// `refused`, and that is the task's outcome; so is a lease that overlaps another's slice.
[[nodiscard]] inline LeaseOf lease_of(const Loan& lent) { return {detail::Lender{lent}}; }
[[nodiscard]] inline LeaseOf lease_of(const Loan& lent, std::uint64_t first, std::uint64_t count) {
    return {detail::Lender{lent}, first, count};
}
[[nodiscard]] inline SliceOf slice_of(const Loan& lent, std::uint64_t first, std::uint64_t count) {
    return {detail::Lender{lent}, first, count};
}

class Call {
public:
    Call(std::string function, std::function<Result<void>(detail::pool::Job&)> fill)
        : function_(std::move(function)), fill_(std::move(fill)) {}

    // Ids begin with 1. Without this the pool gives the task its id.
    Call with_id(TaskId id) && { return id_ = id, std::move(*this); }
    // How long the task may be in a worker's hands: a worker that takes longer is killed, and the task is `timed_out`.
    Call with_timeout(Duration timeout) && { return timeout_ = timeout, std::move(*this); }
    // How often the task is tried again if its worker dies; by default as often as the pool's options say.
    Call with_retries(std::uint32_t retries) && { return retries_ = retries, std::move(*this); }

    [[nodiscard]] const std::string& function() const noexcept { return function_; }
    [[nodiscard]] std::optional<TaskId> id() const noexcept { return id_; }

private:
    friend struct detail::pool::Inside;
    std::string function_;
    std::function<Result<void>(detail::pool::Job&)> fill_;
    std::optional<TaskId> id_;
    Duration timeout_ = Duration::max();
    std::optional<std::uint32_t> retries_;
};

template <class... A>
[[nodiscard]] Call call(std::string function, A&&... arguments) {
    // Text is kept as a string, whatever it was given as.
    const auto keep = []<class T>(T&& one) {
        if constexpr (detail::pool::given::is_text<std::decay_t<T>>) return std::string(std::string_view(one));
        else return std::decay_t<T>(std::forward<T>(one));
    };
    auto kept = std::make_shared<std::tuple<decltype(keep(std::forward<A>(arguments)))...>>(
        keep(std::forward<A>(arguments))...);
    return Call{std::move(function), [kept = std::move(kept)](detail::pool::Job& job) {
                    return std::apply([&](auto&... one) { return detail::pool::fill(job, one...); }, *kept);
                }};
}

}  // namespace baton::pool
