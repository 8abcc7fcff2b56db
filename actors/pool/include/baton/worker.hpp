#pragma once
// Worker: the main() of a program whose functions a pool (pool.hpp) runs.
//
//     std::int64_t square(std::int64_t x) { return x * x; }
//     int main(int argc, char** argv) {
//         baton::pool::Worker worker;
//         worker.task("square", square);
//         worker.task("power", power, {"base", "exponent"});   // arguments that can be given by name
//         return worker.run(argc, argv);
//     }
//
// A task is a function or a callable of typed arguments. They and the result may be of all types of wire/convert.hpp;
// an argument may also be a Segment, Lease or Slice (runtime/segment.hpp), the result a Segment or a vector of them,
// and the first parameter a baton::Context&, which is no argument. What it throws, or returns as the Error of a
// Result, is the task's error, and the worker goes on; a worker that dies is replaced by its pool.
//
// A worker is an actor: it takes one batch of tasks at a time, and other workers the others. One thread, main's.

#include <baton/detail/pool/arguments.hpp>
#include <baton/detail/convert.hpp>

namespace baton::pool {

using namespace detail;

class Worker {
public:
    // A name that is used twice, or names that are not as many as the arguments, make the program refuse to start,
    // with the reason.
    template <class F>
    Worker& task(std::string name, F function, std::vector<std::string> parameter_names = {}) {
        using Shape = ShapeOf<std::decay_t<F>>;
        const std::size_t names = parameter_names.size();
        Task added{signature_of<Shape>(std::move(name), std::move(parameter_names)), {}};
        added.call = [function = std::move(function), signature = added.signature](Context& context, Call& call) mutable {
            return run_one<Shape>(function, signature, context, call);
        };
        add(std::move(added), names);
        return *this;
    }

    // Serves the pool that started this program; what main() shall return.
    [[nodiscard]] int run(int argc, char** argv);

    // One task as it is run.
    struct Call {
        Value arguments;                // a list
        std::vector<Carried>& carried;
        Encoder& result;                // one value, where it is fine
        std::vector<Segment>& segments;
    };
    struct Task {
        Signature signature;
        std::function<Result<void>(Context&, Call&)> call;
    };
    [[nodiscard]] const std::vector<Task>& tasks() const noexcept { return tasks_; }
    [[nodiscard]] const std::string& mistake() const noexcept { return mistake_; }

private:
    void add(Task task, std::size_t names);

    template <class T>
    static bool take(T& out, Value from, std::size_t& carried, Call& call, Decoding& at) {
        if constexpr (Held<T>) {
            T* held = carried < call.carried.size() ? std::get_if<T>(&call.carried[carried]) : nullptr;
            ++carried;
            if (held == nullptr) return at.fail(": what it stands for did not come with it");
            out = std::move(*held);
            return true;
        } else {
            static_assert(!carries_held<T>(), "a segment is an argument of its own, not part of a struct or list");
            return decode(from, out, at);
        }
    }

    template <class Shape, class F>
    static Result<void> run_one(F& function, const Signature& signature, Context& context, Call& call) {
        using Arguments = typename Shape::Arguments;
        constexpr std::size_t count = std::tuple_size_v<Arguments>;
        Decoding at{signature.name};
        if (call.arguments.kind() != ValueKind::array || call.arguments.size() != count)
            return at.expected("a list of " + std::to_string(count) + " arguments", call.arguments), at.take_error();
        Arguments arguments{};
        std::size_t carried = 0;
        const auto take_all = [&]<std::size_t... I>(std::index_sequence<I...>) {
            const auto take_one = [&](auto& argument, std::size_t index) {
                const Decoding::Inside here{at, signature.parameters[index].name, 0};
                return take(argument, call.arguments.at(index), carried, call, at);
            };
            return (take_one(std::get<I>(arguments), I) && ...);
        };
        if (!take_all(std::make_index_sequence<count>{})) return at.take_error();
        const auto invoke = [&]<std::size_t... I>(std::index_sequence<I...>) -> typename Shape::Return {
            using Parameters = typename Shape::Parameters;
            if constexpr (Shape::takes_context)
                return function(context, pass<std::tuple_element_t<I, Parameters>>(std::get<I>(arguments))...);
            else
                return function(pass<std::tuple_element_t<I, Parameters>>(std::get<I>(arguments))...);
        };
        constexpr auto all = std::make_index_sequence<count>{};
        if constexpr (std::is_void_v<typename Shape::Return>) {
            invoke(all);
            call.result.nil();
            return {};
        } else if constexpr (detail::IsResult<std::remove_cvref_t<typename Shape::Return>>::value) {
            auto result = invoke(all);
            if (!result) return result.error();
            if constexpr (std::is_void_v<typename Shape::Value>) call.result.nil();
            else put(std::move(*result), call);
            return {};
        } else {
            put(invoke(all), call);
            return {};
        }
    }

    // An argument as the parameter wants it: moved into what takes it by value.
    template <class Parameter, class T>
    static decltype(auto) pass(T& argument) {
        if constexpr (std::is_lvalue_reference_v<Parameter>) return static_cast<T&>(argument);
        else return std::move(argument);
    }

    template <class R>
    static void put(R&& result, Call& call) {
        using Plain = std::remove_cvref_t<R>;
        if constexpr (std::is_same_v<Plain, Segment>) {
            call.segments.push_back(std::move(result));
            call.result.nil();
        } else if constexpr (std::is_same_v<Plain, std::vector<Segment>>) {
            call.segments = std::move(result);
            call.result.nil();
        } else {
            static_assert(!carries_held<Plain>(), "a task returns a Segment or a vector of them, not a struct of them");
            encode<Plain>(call.result, result);
        }
    }

    std::vector<Task> tasks_;
    std::string mistake_;
};

}  // namespace baton::pool
