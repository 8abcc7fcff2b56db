#include "python/extension/task_arguments.hpp"

#include <fmt/format.h>

#include "python/extension/errors.hpp"
#include "python/extension/from_python.hpp"
#include "python/extension/py_held.hpp"

namespace baton::python {

using namespace dynamic;
namespace {

const PyPartOf* part_of(py::handle argument) {
    if (py::isinstance<PySliceOf>(argument)) return &py::cast<const PySliceOf&>(argument);
    if (py::isinstance<PyLeaseOf>(argument)) return &py::cast<const PyLeaseOf&>(argument);
    return nullptr;
}

PyHeld* loan_of(py::handle argument) {
    if (py::isinstance<PyLoan>(argument)) return &py::cast<PyHeld&>(argument);
    if (const PyPartOf* part = part_of(argument)) {
        const py::object& loan = part->loan;
        if (py::isinstance<PyLoan>(loan)) return &py::cast<PyHeld&>(loan);
    }
    return nullptr;
}

// The kind of handle that an argument stands for, if any.
std::optional<HeldKind> held_kind(py::handle argument) {
    if (py::isinstance<PySliceOf>(argument) || py::isinstance<PySlice>(argument)) return HeldKind::slice;
    if (py::isinstance<PyLoan>(argument) || py::isinstance<PyLeaseOf>(argument) || py::isinstance<PyLease>(argument))
        return HeldKind::lease;
    if (py::isinstance<PySegment>(argument)) return HeldKind::segment;
    return std::nullopt;
}

// One task's arguments in the order of the parameters, checked.
class Row {
public:
    Row(const TaskList& tasks, const py::tuple& positional, const py::dict& named) : tasks_(&tasks) {
        std::vector<std::string> names;
        names.reserve(named.size());
        for (const auto& [name, value] : named) names.push_back(py::cast<std::string>(name));
        const std::vector<std::size_t> places = value_or_raise(tasks.parameters_of(positional.size(), names));
        arguments_.resize(places.size());
        std::size_t index = 0;
        for (const py::handle value : positional) arguments_[places[index++]] = value;
        for (const auto& [name, value] : named) arguments_[places[index++]] = value;
    }

    [[nodiscard]] std::vector<Bytes> encoded() const {
        std::vector<Bytes> row(arguments_.size());
        for (std::size_t parameter = 0; parameter < arguments_.size(); ++parameter) {
            const Field& wanted = tasks_->function().parameters[parameter];
            const std::string place = fmt::format("{}({})", tasks_->function().name, wanted.name);
            if (const auto kind = held_kind_of(wanted.type.kind); kind)
                require_held(arguments_[parameter], *kind, place);
            else row[parameter] = encode_value(arguments_[parameter], wanted.type, place);
        }
        return row;
    }

    // What is held leaves its objects.
    [[nodiscard]] std::vector<TaskMemory> take_held() const {
        std::vector<TaskMemory> all;
        for (const py::handle argument : arguments_) {
            const auto kind = held_kind(argument);
            if (!kind) continue;
            if (PyHeld* loan = loan_of(argument)) {
                const Loan& lent = std::get<Loan>(loan->memory());
                const PyPartOf* part = part_of(argument);
                if (part == nullptr) all.emplace_back(pool::lease_of(lent));
                else if (*kind == HeldKind::slice) all.emplace_back(pool::slice_of(lent, part->first, part->count));
                else all.emplace_back(pool::lease_of(lent, part->first, part->count));
                continue;
            }
            Memory& memory = py::cast<PyHeld&>(argument).memory();
            all.push_back(*kind == HeldKind::segment ? TaskMemory{std::move(std::get<Segment>(memory))}
                          : *kind == HeldKind::lease ? TaskMemory{std::move(std::get<Lease>(memory))}
                                                     : TaskMemory{std::move(std::get<Slice>(memory))});
        }
        return all;
    }

private:
    static void require_held(py::handle argument, HeldKind wanted, const std::string& place) {
        const auto kind = held_kind(argument);
        if (kind != wanted) {
            const PyHeld* const held = py::isinstance<PyHeld>(argument) ? &py::cast<PyHeld&>(argument) : nullptr;
            refuse(fmt::format("{}: expected a {}, got {}{}", place,
                               wanted == HeldKind::segment ? "baton.Segment"
                               : wanted == HeldKind::lease
                                   ? "baton.Loan, of which the task gets a lease, baton.lease_of(loan, first, count) "
                                     "or a baton.Lease"
                                   : "baton.slice_of(loan, first, count) or a baton.Slice",
                               Py_TYPE(argument.ptr())->tp_name,
                               held == nullptr || held->is_empty() ? ""
                               : wanted == HeldKind::segment       ? held->way_to(wanted)
                               : kind == HeldKind::segment         ? "; segment.lend() makes a loan"
                                                                   : ""));
        }
        if (const PyHeld* loan = loan_of(argument))
            loan->require_content();
        else if (part_of(argument) != nullptr)
            refuse(fmt::format("{}: {}() is of a baton.Loan, such as segment.lend() makes", place,
                               wanted == HeldKind::slice ? "slice_of" : "lease_of"));
        else
            static_cast<void>(py::cast<PyHeld&>(argument).about_to_go(place));
    }

    const TaskList* tasks_;
    std::vector<py::handle> arguments_;
};

}  // namespace

void fill(TaskList& tasks, const TaskRows& rows) {
    std::vector<Row> all;
    tasks.reserve(rows.size());
    for (const auto& [positional, named] : rows)
        tasks.add_encoded(all.emplace_back(tasks, positional, named).encoded());
    const bool takes_held = std::ranges::any_of(tasks.function().parameters, [](const Field& parameter) {
        return held_kind_of(parameter.type.kind).has_value();
    });
    if (!takes_held) return;
    for (const Row& row : all) tasks.hold(row.take_held());
}

}  // namespace baton::python
