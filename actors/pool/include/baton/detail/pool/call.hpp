#pragma once
// Call: a function's name and arguments, kept until the pool knows its workers: what add() and execute() take.
//
//     pool.add(pool::call("square", 4));
//     pool.add(pool::call("power", pool::named("base", 2), pool::named("exponent", 10)).with_id(7).with_deadline(1s));
//
// A plain value, used up by the pool that takes it. Arguments: see arguments.hpp.

#include <baton/detail/pool/arguments.hpp>

namespace baton::pool {

using namespace detail;

class Call {
public:
    Call(std::string function, std::function<Result<void>(Job&)> fill) : function_(std::move(function)), fill_(std::move(fill)) {}

    // Else the pool numbers it.
    Call with_id(TaskId id) && { return id_ = id, std::move(*this); }
    // See Rules.
    Call with_deadline(Duration deadline) && { return deadline_ = deadline, std::move(*this); }
    Call with_retries(std::uint32_t retries) && { return retries_ = retries, std::move(*this); }

    // ---- for the pool
    [[nodiscard]] const std::string& function() const noexcept { return function_; }
    [[nodiscard]] std::optional<TaskId> id() const noexcept { return id_; }
    [[nodiscard]] Rules rules(std::uint32_t usual_retries) const { return {deadline_, retries_.value_or(usual_retries)}; }
    // Makes it the only task of that job, which has the function's signature.
    [[nodiscard]] Result<void> fill(Job& job) const { return fill_(job); }

private:
    std::string function_;
    std::function<Result<void>(Job&)> fill_;
    std::optional<TaskId> id_;
    Duration deadline_ = Duration::max();
    std::optional<std::uint32_t> retries_;
};

// One task with these arguments; what it holds leaves them when it has been added.
template <class... A>
[[nodiscard]] Result<void> fill(Job& job, A&... arguments) {
    const Result<Plan> plan = plan_of(*job.function, arguments...);
    if (!plan) return plan.error();
    if (Result<void> added = add_task(job, *plan, arguments...); !added) return added;
    if constexpr (given::any_held<A...>) hold(job, *plan, arguments...);
    return {};
}

template <class... A>
[[nodiscard]] Call call(std::string function, A&&... arguments) {
    // Text is kept as such, whatever it was given as.
    const auto keep = []<class T>(T&& one) {
        if constexpr (given::is_text<std::decay_t<T>>) return std::string(std::string_view(one));
        else return std::decay_t<T>(std::forward<T>(one));
    };
    auto kept = std::make_shared<std::tuple<decltype(keep(std::forward<A>(arguments)))...>>(keep(std::forward<A>(arguments))...);
    return Call{std::move(function), [kept = std::move(kept)](Job& job) {
                    return std::apply([&](auto&... one) { return baton::pool::fill(job, one...); }, *kept);
                }};
}

}  // namespace baton::pool
