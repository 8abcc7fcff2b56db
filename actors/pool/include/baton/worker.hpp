#pragma once
// Worker: the main() of a program whose functions a pool (<baton/pool.hpp>) runs.
//
//     std::int64_t square(std::int64_t x) { return x * x; }
//     int main(int argc, char** argv) {
//         baton::pool::Worker worker;
//         worker.task("square", square);
//         worker.task("power", power, {"base", "exponent"});   // arguments that can be given by name
//         return worker.run(argc, argv);
//     }
//
// A task is a function or a callable with typed arguments. They and the result may have any type that a field of a
// command may have. An argument may also be a Segment, Lease or Slice (<baton/segment.hpp>), the result a Segment or a
// vector of them, and the first parameter a baton::Context&, which callers do not give. What the function throws, or
// returns as the Error of a Result, is the task's error, and the worker goes on. A worker that dies is replaced by its
// pool.
//
// A worker is an actor: it runs one batch of tasks at a time. One thread, that of main().

#include <baton/detail/pool/arguments.hpp>
#include <baton/detail/convert.hpp>

namespace baton::pool {

class Worker {
public:
    // If a name is used twice, or if there are not as many names as arguments, the program refuses to start and says
    // why.
    template <class F>
    Worker& task(std::string name, F function, std::vector<std::string> parameter_names = {}) {
        using Shape = detail::pool::ShapeOf<std::decay_t<F>>;
        const std::size_t names = parameter_names.size();
        Task added{detail::pool::signature_of<Shape>(std::move(name), std::move(parameter_names)), {}};
        added.call = [function = std::move(function), signature = added.signature](Context& context,
                                                                                   Call& call) mutable {
            return run_one<Shape>(function, signature, context, call);
        };
        add(std::move(added), names);
        return *this;
    }

    // Serves the pool that started this program, until the pool ends it. Returns what main() is to return.
    [[nodiscard]] int run(int argc, char** argv);

    // One task as it is run.
    struct Call {
        detail::Value arguments;  // a list of those of all tasks of a batch
        std::size_t first = 0;    // where this one's begin
        std::vector<detail::pool::Carried>& carried;
        detail::Encoder& result;  // one value, if all is well
        std::vector<Segment>& segments;
    };
    struct Task {
        detail::pool::Signature signature;
        std::function<Result<void>(Context&, Call&)> call;
    };
    [[nodiscard]] const std::vector<Task>& tasks() const noexcept { return tasks_; }
    [[nodiscard]] const std::string& mistake() const noexcept { return mistake_; }

private:
    void add(Task task, std::size_t names);

    template <class T>
    static bool take(T& out, detail::Value from, std::size_t& carried, Call& call, detail::Decoding& at) {
        if constexpr (detail::Held<T>) {
            T* held = carried < call.carried.size() ? std::get_if<T>(&call.carried[carried]) : nullptr;
            ++carried;
            if (held == nullptr) return at.fail(": what it stands for did not come with it");
            out = std::move(*held);
            return true;
        } else {
            static_assert(!detail::carries_held<T>(),
                          "a segment is an argument of its own, not part of a struct or list");
            return detail::decode(from, out, at);
        }
    }

    template <class Shape, class F>
    static Result<void> run_one(F& function, const detail::pool::Signature& signature, Context& context, Call& call) {
        using Arguments = typename Shape::Arguments;
        constexpr std::size_t count = std::tuple_size_v<Arguments>;
        detail::Decoding at{signature.name};
        Arguments arguments{};
        std::size_t carried = 0;
        const auto take_all = [&]<std::size_t... I>(std::index_sequence<I...>) {
            const auto take_one = [&](auto& argument, std::size_t index) {
                const detail::Decoding::Inside here{at, signature.parameters[index].name, 0};
                return take(argument, call.arguments.at(call.first + index), carried, call, at);
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
            static_assert(!detail::carries_held<Plain>(),
                          "a task returns a Segment or a vector of them, not a struct of them");
            detail::encode<Plain>(call.result, result);
        }
    }

    std::vector<Task> tasks_;
    std::string mistake_;
};

}  // namespace baton::pool
