#include "python/extension/task_arguments.hpp"

#include <fmt/format.h>

#include "python/extension/errors.hpp"
#include "python/extension/from_python.hpp"
#include "python/extension/py_held.hpp"

namespace baton::python {

using namespace detail;
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
std::optional<HandleKind> held_kind(py::handle argument) {
    if (py::isinstance<PySliceOf>(argument) || py::isinstance<PySlice>(argument)) return HandleKind::slice;
    if (py::isinstance<PyLoan>(argument) || py::isinstance<PyLeaseOf>(argument) || py::isinstance<PyLease>(argument))
        return HandleKind::lease;
    if (py::isinstance<PySegment>(argument)) return HandleKind::segment;
    return std::nullopt;
}

// One task's arguments in the order of the parameters, checked.
class Row {
public:
    Row(const pool::Signature& signature, const py::tuple& positional, const py::dict& named) : signature_(&signature) {
        std::vector<pool::Given> given;
        std::vector<std::string> names;
        names.reserve(named.size());
        const auto type_at = [&](std::size_t parameter) {
            return parameter < signature.parameters.size() ? signature.parameters[parameter].type : TypeDescription{};
        };
        for (std::size_t index = 0; index < positional.size(); ++index) given.push_back({{}, type_at(index)});
        for (const auto& [name, value] : named) {
            names.push_back(py::cast<std::string>(name));
            const auto found = std::ranges::find(signature.parameters, names.back(), &PartDescription::name);
            given.push_back({names.back(), type_at(static_cast<std::size_t>(found - signature.parameters.begin()))});
        }
        const pool::Plan plan = value_or_raise(pool::Plan::make(signature, given));
        arguments_.resize(given.size());
        std::size_t index = 0;
        for (const py::handle value : positional) arguments_[plan.parameter_of(index++)] = value;
        for (const auto& [name, value] : named) arguments_[plan.parameter_of(index++)] = value;
    }

    void encode(Buffer& out) const {
        Buffer row;
        Encoder encoder{row};
        encoder.array(arguments_.size());
        for (std::size_t parameter = 0; parameter < arguments_.size(); ++parameter) {
            const PartDescription& wanted = signature_->parameters[parameter];
            const std::string place = fmt::format("{}({})", signature_->name, wanted.name);
            if (const auto kind = handle_kind_of(wanted.type.kind); !kind) {
                encoder.encoded(encode_value(arguments_[parameter], wanted.type, place));
            } else {
                require_held(arguments_[parameter], *kind, place);
                encoder.nil();
            }
        }
        out += row;
    }

    // What is held leaves its objects.
    [[nodiscard]] std::vector<pool::HeldArgument> take_held() const {
        std::vector<pool::HeldArgument> all;
        for (const py::handle argument : arguments_) {
            const auto kind = held_kind(argument);
            if (!kind) continue;
            if (PyHeld* loan = loan_of(argument)) {
                const Lender lender{loan->memory()};
                const PyPartOf* part = part_of(argument);
                if (part == nullptr) all.emplace_back(pool::LeaseOf{lender});
                else if (*kind == HandleKind::slice)
                    all.emplace_back(pool::SliceOf{lender, part->first, part->count});
                else all.emplace_back(pool::LeaseOf{lender, part->first, part->count});
                continue;
            }
            SegmentBase& memory = py::cast<PyHeld&>(argument).memory();
            const auto moved = [&memory]<class T>(T typed) {
                static_cast<SegmentBase&>(typed) = std::move(memory);
                return pool::HeldArgument{std::move(typed)};
            };
            all.push_back(*kind == HandleKind::segment ? moved(Segment{})
                          : *kind == HandleKind::lease ? moved(Lease{})
                                                       : moved(Slice{}));
        }
        return all;
    }

private:
    static void require_held(py::handle argument, HandleKind wanted, const std::string& place) {
        const auto kind = held_kind(argument);
        if (kind != wanted)
            refuse(fmt::format("{}: expected a {}, got {}", place,
                               wanted == HandleKind::segment ? "baton.Segment"
                               : wanted == HandleKind::lease
                                   ? "baton.Loan, of which the task gets a lease, baton.lease_of(loan, first, count) "
                                     "or a baton.Lease"
                                   : "baton.slice_of(loan, first, count) or a baton.Slice",
                               Py_TYPE(argument.ptr())->tp_name));
        if (const PyHeld* loan = loan_of(argument))
            static_cast<void>(loan->holding());
        else if (part_of(argument) != nullptr)
            refuse(fmt::format("{}: {}() is of a baton.Loan", place,
                               wanted == HandleKind::slice ? "slice_of" : "lease_of"));
        else
            static_cast<void>(py::cast<PyHeld&>(argument).about_to_go(place));
    }

    const pool::Signature* signature_;
    std::vector<py::handle> arguments_;
};

}  // namespace

void fill(pool::Job& job, const TaskRows& rows) {
    std::vector<Row> all;
    job.reserve(rows.size());
    for (const auto& [positional, named] : rows) {
        all.emplace_back(*job.function, positional, named).encode(job.arguments);
        job.add();
    }
    const bool takes_held = std::ranges::any_of(job.function->parameters, [](const PartDescription& parameter) {
        return handle_kind_of(parameter.type.kind).has_value();
    });
    if (!takes_held) return;
    for (const Row& row : all) job.held.push_back(row.take_held());
}

}  // namespace baton::python
