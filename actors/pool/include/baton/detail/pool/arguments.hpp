#pragma once
// Arguments: from what a caller gives (<baton/pool/call.hpp>) to what a job keeps: in the order of the parameters,
// checked, encoded.
//
// Types are compared once for all tasks of a call, values only if the types leave it open (an int for a uint8). What
// does not fit is `refused` with function and parameter before anything is given away. Pure functions.

#include <algorithm>
#include <array>
#include <ranges>
#include <utility>

#include <baton/detail/pool/job.hpp>
#include <baton/detail/pool/signature.hpp>

namespace baton::pool {

template <class T>
struct Named;

}  // namespace baton::pool

namespace baton::detail::pool {

using baton::pool::Named;

struct Inside;  // the way of a pool's parts to what is private in its public classes

// ---- what was given: the type of one argument, and its name if it has one
struct Given {
    std::string_view name;
    TypeDescription type;
};

// Which argument goes to which parameter.
class Plan {
public:
    // `refused` if their number, names or types do not fit.
    [[nodiscard]] static Result<Plan> make(const Signature& signature, const std::vector<Given>& given);
    // In the order of the parameters, and whatever the values are.
    [[nodiscard]] bool is_straight() const noexcept { return is_straight_; }
    [[nodiscard]] std::size_t parameter_of(std::size_t argument) const { return parameters_[argument]; }
    // One task's encoded arguments, in the order in which they were given, to the end of `out`.
    [[nodiscard]] Result<void> write(const Signature& signature, std::span<const Buffer> arguments, Buffer& out) const;

private:
    std::vector<std::size_t> parameters_;  // of each argument
    std::vector<Fit> fits_;
    bool is_straight_ = true;
};

// `refused` if that function does not return an R.
[[nodiscard]] Result<void> require_result(const Signature& signature, const TypeDescription& wanted);

namespace given {

template <class T>
inline constexpr bool is_text = std::is_convertible_v<T, std::string_view>;
template <class T>
inline constexpr bool is_held = Held<T> || std::is_same_v<T, LeaseOf> || std::is_same_v<T, SliceOf>;

template <class T>
struct NamedOf : std::false_type {
    using Value = T;
};
template <class T>
struct NamedOf<Named<T>> : std::true_type {
    using Value = T;
};

// T as it was given: its value, without the name.
template <class T>
auto& value_of(T& one) {
    if constexpr (NamedOf<std::remove_const_t<T>>::value) return one.value;
    else return one;
}

template <class T>
Given describe_given(const T& one) {
    using Value = typename NamedOf<T>::Value;
    Given out;
    if constexpr (NamedOf<T>::value) out.name = one.name;
    if constexpr (is_text<Value>) out.type = describe_type<std::string>();
    else if constexpr (std::is_same_v<Value, LeaseOf>) out.type = describe_type<Lease>();
    else if constexpr (std::is_same_v<Value, SliceOf>) out.type = describe_type<Slice>();
    else {
        static_assert(is_held<Value> || !carries_held<Value>(),
                      "a segment is an argument of its own, not part of a struct or list");
        out.type = describe_type<Value>();
    }
    return out;
}

template <class T>
void encode_given(Encoder& encoder, const T& one) {
    if constexpr (is_text<T>) encode(encoder, std::string_view(one));
    else if constexpr (is_held<T>) encoder.nil();  // it travels beside
    else encode(encoder, one);
}

template <class... A>
inline constexpr bool any_held = (is_held<typename NamedOf<std::remove_cvref_t<A>>::Value> || ...);

}  // namespace given

template <class... A>
[[nodiscard]] Result<Plan> plan_of(const Signature& signature, const A&... given) {
    return Plan::make(signature, {given::describe_given(given)...});
}

// One more task of the job, with these arguments. What is held stays with the caller: see hold().
template <class... A>
[[nodiscard]] Result<void> add_task(Job& job, const Plan& plan, const A&... given) {
    if (plan.is_straight()) {
        [[maybe_unused]] Encoder encoder{job.arguments};
        (given::encode_given(encoder, given::value_of(given)), ...);
    } else {
        std::array<Buffer, sizeof...(A)> encoded;
        [[maybe_unused]] std::size_t index = 0;
        [[maybe_unused]] const auto one = [&](const auto& value) {
            Encoder encoder{encoded[index++]};
            given::encode_given(encoder, value);
        };
        (one(given::value_of(given)), ...);
        if (Result<void> written = plan.write(*job.function, encoded, job.arguments); !written) return written;
    }
    job.add();
    return {};
}

// What is held among these arguments becomes that of the job's next task that has none yet.
template <class... A>
void hold(Job& job, const Plan& plan, A&... given) {
    std::vector<std::pair<std::size_t, HeldArgument>> held;
    [[maybe_unused]] std::size_t index = 0;
    [[maybe_unused]] const auto one = [&](auto& value) {
        const std::size_t parameter = plan.parameter_of(index++);
        using Value = std::remove_cvref_t<decltype(value)>;
        if constexpr (given::is_held<Value>) {
            if constexpr (Held<Value>)
                static_assert(!std::is_const_v<std::remove_reference_t<decltype(value)>>,
                              "an argument that carries a segment is moved, not copied: std::move(rows)");
            held.emplace_back(parameter, HeldArgument{std::move(value)});
        }
    };
    (one(given::value_of(given)), ...);
    std::ranges::sort(held, {}, [](const auto& pair) { return pair.first; });
    std::vector<HeldArgument>& of_task = job.held.emplace_back();
    for (auto& [parameter, argument] : held) of_task.push_back(std::move(argument));
}

// One task with these arguments; what it holds leaves them when it has been added.
template <class... A>
[[nodiscard]] Result<void> fill(Job& job, A&... arguments) {
    const Result<Plan> plan = plan_of(*job.function, arguments...);
    if (!plan) return plan.error();
    if (Result<void> added = add_task(job, *plan, arguments...); !added) return added;
    if constexpr (given::any_held<A...>) hold(job, *plan, arguments...);
    return {};
}

// Many tasks: `rows` calls its argument with the arguments of each. All are checked before anything leaves them.
template <class ForEachRow>
[[nodiscard]] Result<void> fill_rows(Job& job, const ForEachRow& rows) {
    std::optional<Plan> plan;
    bool is_any_held = false;
    bool is_holding = false;  // the second time: segments leave the rows when all values have been found to fit
    const auto each = [&]<class... A>(A&... arguments) -> Result<void> {
        // Names may be others in each row.
        if (!plan || (given::NamedOf<std::remove_cvref_t<A>>::value || ...)) {
            Result<Plan> made = plan_of(*job.function, arguments...);
            if (!made) return made.error();
            plan.emplace(std::move(*made));
        }
        if (is_holding) {
            if constexpr (given::any_held<A...>) hold(job, *plan, arguments...);
            return {};
        }
        is_any_held = given::any_held<A...>;
        return add_task(job, *plan, arguments...);
    };
    if (Result<void> added = rows(each); !added) return added;
    is_holding = true;
    if (is_any_held) static_cast<void>(rows(each));
    return {};
}

// `refused` if there are not as many of one as of the other.
[[nodiscard]] Result<void> require_same_length(std::string_view function, std::size_t rows, std::size_t named_rows);

// ---- rows of a range: one argument for each task, a tuple of arguments, or a tuple beside one of named ones
template <class Values>
[[nodiscard]] auto one_each(Values& values) {
    return [&values](const auto& each) -> Result<void> {
        for (auto&& value : values)
            if (Result<void> done = each(value); !done) return done;
        return {};
    };
}
template <class Rows>
[[nodiscard]] auto tuple_each(Rows& rows) {
    return [&rows](const auto& each) -> Result<void> {
        for (auto&& row : rows)
            if (Result<void> done = std::apply(each, row); !done) return done;
        return {};
    };
}
template <class Rows, class NamedRows>
[[nodiscard]] auto two_tuples_each(Rows& rows, NamedRows& named_rows) {
    return [&rows, &named_rows](const auto& each) -> Result<void> {
        auto named_row = std::ranges::begin(named_rows);
        for (auto&& row : rows) {
            const auto all = [&](auto&... one) {
                return std::apply([&](auto&... more) { return each(one..., more...); }, *named_row);
            };
            if (Result<void> done = std::apply(all, row); !done) return done;
            ++named_row;
        }
        return {};
    };
}
// How many there are, if that is known beforehand.
template <class Range>
[[nodiscard]] std::size_t size_of(const Range& range) {
    if constexpr (std::ranges::sized_range<const Range>) return std::ranges::size(range);
    else return 0;
}

}  // namespace baton::detail::pool
