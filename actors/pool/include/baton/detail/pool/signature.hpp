#pragma once
// Signature: what a C++ function takes and returns, read from its type, and what fits into it.
//
// A Context& as the first parameter is given by the worker and is not an argument. Overloaded functions and generic
// lambdas have no signature of their own: wrap them in a lambda that names its types. Pure functions.

#include <functional>

#include <baton/detail/pool/work.hpp>
#include <baton/context.hpp>

namespace baton::detail::pool {

// A Result<R> of a function says that it may fail without a throw; its result is R.
template <class R>
struct Returned {
    using type = R;
};
template <class R>
struct Returned<Result<R>> {
    using type = R;
};

template <class R, class... P>
struct FunctionShape {
    using Return = R;
    using Value = typename Returned<std::remove_cvref_t<R>>::type;
    static constexpr bool takes_context = false;
    using Parameters = std::tuple<P...>;
    using Arguments = std::tuple<std::remove_cvref_t<P>...>;
};
template <class R, class... P>
struct FunctionShape<R, Context&, P...> : FunctionShape<R, P...> {
    static constexpr bool takes_context = true;
};

template <class F>
struct ShapeOf : ShapeOf<decltype(&F::operator())> {};
template <class R, class... P>
struct ShapeOf<R (*)(P...)> : FunctionShape<R, P...> {};
template <class R, class... P>
struct ShapeOf<R (*)(P...) noexcept> : FunctionShape<R, P...> {};
template <class F, class R, class... P>
struct ShapeOf<R (F::*)(P...)> : FunctionShape<R, P...> {};
template <class F, class R, class... P>
struct ShapeOf<R (F::*)(P...) const> : FunctionShape<R, P...> {};
template <class F, class R, class... P>
struct ShapeOf<R (F::*)(P...) noexcept> : FunctionShape<R, P...> {};
template <class F, class R, class... P>
struct ShapeOf<R (F::*)(P...) const noexcept> : FunctionShape<R, P...> {};

template <class Shape>
[[nodiscard]] Signature signature_of(std::string name, std::vector<std::string> parameter_names) {
    Signature out{std::move(name), {}, describe_type<typename Shape::Value>()};
    [&]<class... A>(std::type_identity<std::tuple<A...>>) {
        (out.parameters.push_back({std::string(), describe_type<A>()}), ...);
    }(std::type_identity<typename Shape::Arguments>{});
    for (std::size_t index = 0; index < out.parameters.size(); ++index)
        out.parameters[index].name = index < parameter_names.size() ? std::move(parameter_names[index])
                                                                    : "argument " + std::to_string(index + 1);
    return out;
}

// How a value of one type becomes one of another.
enum class Fit {
    always,   // the same type, or one that holds every value of it
    perhaps,  // it depends on the value: an integer of another range, a struct of the same fields
    never,    // an integer where a text is wanted
};
[[nodiscard]] Fit fit_of(const TypeDescription& given, const TypeDescription& wanted);

}  // namespace baton::detail::pool
