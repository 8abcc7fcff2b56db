#include <baton/dynamic_pool.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace baton::dynamic {

using detail::pool::Inside;
using detail::pool::Job;

// ---- TaskList --------------------------------------------------------------------------------------

namespace {

TaskMemory taken_from(Memory& memory) {
    return std::visit(
        []<class T>(T& held) -> TaskMemory {
            if constexpr (std::is_same_v<T, Loan>) return pool::lease_of(held);
            else return std::move(held);
        },
        memory);
}

// The kind of handle that a task would get of it.
HeldKind kind_as_argument(const Memory& memory) {
    if (std::holds_alternative<Segment>(memory)) return HeldKind::segment;
    return std::holds_alternative<Slice>(memory) ? HeldKind::slice : HeldKind::lease;
}

}  // namespace

Result<std::vector<std::size_t>> TaskList::parameters_of(std::size_t positional,
                                                         std::span<const std::string> names) const {
    const std::vector<Field>& parameters = function().parameters;
    const auto type_at = [&](std::size_t parameter) {
        return parameter < parameters.size() ? parameters[parameter].type : Type{};
    };
    std::vector<detail::pool::Given> given;
    for (std::size_t index = 0; index < positional; ++index) given.push_back({{}, type_at(index)});
    for (const std::string& name : names) {
        const auto found = std::ranges::find(parameters, name, &Field::name);
        given.push_back({name, type_at(static_cast<std::size_t>(found - parameters.begin()))});
    }
    return detail::pool::Plan::make(function(), given).transform([&](const detail::pool::Plan& plan) {
        std::vector<std::size_t> places(given.size());
        for (std::size_t argument = 0; argument < places.size(); ++argument)
            places[argument] = plan.parameter_of(argument);
        return places;
    });
}

Result<void> TaskList::add(const Value::List& arguments) {
    const Result<std::vector<std::size_t>> places = parameters_of(arguments.size(), {});
    if (!places) return places.error();
    std::vector<Bytes> encoded(arguments.size());
    std::vector<Memory*> memory;
    for (std::size_t index = 0; index < arguments.size(); ++index) {
        const Field& parameter = function().parameters[index];
        const std::string place = fmt::format("{}({})", function().name, parameter.name);
        const auto wanted = detail::handle_kind_of(parameter.type.kind);
        if (!wanted) {
            Result<Bytes> bytes = to_bytes(parameter.type, arguments[index], place);
            if (!bytes) return bytes.error();
            encoded[index] = std::move(*bytes);
            continue;
        }
        const auto* held = arguments[index].as<Value::Held>();
        if (held == nullptr || held->memory == nullptr || is_empty(*held->memory) ||
            kind_as_argument(*held->memory) != *wanted)
            return Error{ErrorKind::refused,
                         fmt::format("{}: expected a {}, got {}", place, parameter.type.kind,
                                     kind_of(arguments[index]))};
        memory.push_back(held->memory.get());
    }
    add_encoded(encoded);
    if (memory.empty()) return {};
    std::vector<TaskMemory> all;
    for (Memory* const one : memory) all.push_back(taken_from(*one));
    hold(std::move(all));
    return {};
}

void TaskList::add_encoded(std::span<const Bytes> arguments) {
    job_->append_arguments(arguments);
    job_->add();
}

pool::Call call(std::string function, std::function<Result<void>(TaskList&)> write) {
    return pool::Call{std::move(function), [write = std::move(write)](Job& job) {
                          // The pool keeps the job longer than this call.
                          TaskList list{std::shared_ptr<Job>{std::shared_ptr<void>{}, &job}};
                          return write(list);
                      }};
}

// ---- outcomes --------------------------------------------------------------------------------------

Result<Outcomes> Tasks::outcomes() const {
    return handle_.verdict().transform([this] { return Outcomes{handle_.job()}; });
}

Result<Value> ResultReader::value(const pool::AnyOutcome& outcome) const { return Inside::dynamic_value(outcome); }

// ---- Pool ------------------------------------------------------------------------------------------

Result<TaskList> Pool::tasks(std::string_view function, const pool::MapOptions& options) {
    detail::pool::Core& core = Inside::core(*this);
    return core.new_job(function, core.rules_of(options)).transform([](std::shared_ptr<Job> job) {
        return TaskList{std::move(job)};
    });
}

Result<void> Pool::require_free(std::optional<pool::TaskId> id) const {
    return Inside::core(*this).require_free(id);
}

Result<Tasks> Pool::submit(TaskList task, std::optional<pool::TaskId> id) {
    if (task.size() != 1)
        return Error{ErrorKind::refused,
                     fmt::format("submit() takes one task, not {}: map_async() takes many", task.size())};
    detail::pool::Core& core = Inside::core(*this);
    // Which releases what an exception tears us out of.
    Tasks tasks{detail::pool::Handle{core.scheduler(), task.job_}};
    if (Result<void> sent = core.send(task.job_, id); !sent) return sent.error();
    return tasks;
}

Result<Outcomes> Pool::map(TaskList tasks, const pool::MapOptions& options) {
    return Inside::core(*this).run(tasks.job_, options).transform([&] { return Outcomes{tasks.job_}; });
}

Result<Tasks> Pool::map_async(TaskList tasks, pool::Errors errors) {
    return Inside::core(*this).begin(tasks.job_, errors).transform([](detail::pool::Handle handle) {
        return Tasks{std::move(handle)};
    });
}

void Pool::abandon() { Inside::core(*this).scheduler()->abandon(); }

}  // namespace baton::dynamic
