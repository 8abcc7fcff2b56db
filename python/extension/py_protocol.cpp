#include "python/extension/py_protocol.hpp"

#include <fmt/format.h>
#include <pybind11/stl.h>

#include <algorithm>

#include "python/extension/errors.hpp"
#include "python/extension/from_python.hpp"
#include "python/extension/py_pending.hpp"
#include "python/extension/ref.hpp"
#include <baton/text.hpp>

namespace baton::python {

using namespace dynamic;
namespace {

namespace py = pybind11;

// `where`: the field or reply, for what is wrong with its default.
Type type_from(const py::handle described, const std::string& where) {
    using Part = std::tuple<std::string, py::object, py::tuple>;
    const auto [kind, name, count, parts] =
        py::cast<std::tuple<std::string, std::string, std::int64_t, std::vector<Part>>>(described);
    Type type{kind, name, count, {}};
    for (const auto& [part, of, default_value] : parts) {
        const std::string place = part.empty() ? where : where + "." + part;
        const Field& added = type.parts.emplace_back(Field{part, type_from(of, place)});
        if (default_value.empty()) continue;
        if (!type.defaults) type.defaults.emplace(parts.size());
        (*type.defaults)[type.parts.size() - 1] = encode_value(default_value[0], added.type, place);
    }
    return type;
}

void add_ref(py::module_& module) {
    py::class_<PyRef> ref(
        module, "Ref",
        "The address of one life of one actor: a plain value that can be compared, kept and sent in a\n"
        "command. It opens nothing by itself; session.find(ref) makes an Actor of it.");
    ref.def(py::init([](std::uint32_t number, std::uint32_t incarnation, const std::string& session) {
                return PyRef{{number, incarnation}, SessionTag::of(session)};
            }),
            py::arg("number"), py::arg("incarnation"), py::arg("session") = "")
        .def_property_readonly(
            "number", [](const PyRef& self) { return self.id.number; }, "The row in the roster.")
        .def_property_readonly(
            "incarnation", [](const PyRef& self) { return self.id.incarnation; }, "Which life in that row.")
        .def_property_readonly(
            "session", [](const PyRef& self) { return readable(to_string(self.session)); },
            "The id of its session; '' if it was made without: it means the one in which it is used.")
        .def_property_readonly(
            "id", [](const PyRef& self) { return to_string(self.id); },
            "Number and incarnation as text, '3.1', as in the logs.")
        .def("__eq__",
             [](const PyRef& self, const py::object& other) -> py::object {
                 if (!py::isinstance<PyRef>(other)) return py::reinterpret_borrow<py::object>(Py_NotImplemented);
                 return py::bool_(self.any() == py::cast<const PyRef&>(other).any());
             })
        .def("__hash__", [](const PyRef& self) { return std::hash<ActorId>{}(self.id); })
        .def("__repr__",
             [](const PyRef& self) { return fmt::format("baton.Ref({}, {})", self.id.number, self.id.incarnation); })
        .def(py::pickle(
            [](const PyRef& self) { return py::make_tuple(self.id.number, self.id.incarnation, self.session.letters); },
            [](const py::tuple& state) {
                return PyRef{{state[0].cast<std::uint32_t>(), state[1].cast<std::uint32_t>()},
                             {state[2].cast<std::uint64_t>()}};
            }));
    ref.attr("__module__") = "baton";
}

void add_protocol(py::module_& module) {
    py::class_<dynamic::Protocol, std::shared_ptr<dynamic::Protocol>> protocol(
        module, "Protocol", "The commands that an actor accepts, as it published them itself. str() prints them.");
    protocol.def_readonly("name", &dynamic::Protocol::name, "The namespace of the commands: 'student'.")
        .def_property_readonly(
            "commands",
            [](const dynamic::Protocol& self) {
                py::list names;
                for (const Command& command : self.commands) names.append(command.name);
                return names;
            },
            "The names of the commands.")
        .def(
            "fields",
            [](const dynamic::Protocol& self, const std::string& command) {
                py::list names;
                if (const Command* const known = self.find(command); known != nullptr)
                    for (const Field& part : known->fields.parts) names.append(part.name);
                return names;
            },
            py::arg("command"), "The names of that command's fields; none if there is no such command.")
        .def(
            "_has_field",
            [](const dynamic::Protocol& self, const std::string& command, const std::string& field) {
                const Command* const known = self.find(command);
                return known != nullptr && std::ranges::find(known->fields.parts, field, &Field::name) !=
                                               known->fields.parts.end();
            },
            py::arg("command"), py::arg("field"))
        .def("__str__",
             [](const dynamic::Protocol& self) {
                 std::string text;
                 for (const Command& command : self.commands)
                     text += (text.empty() ? "" : "\n") + to_text(command);
                 return text;
             })
        .def("__repr__", [](const dynamic::Protocol& self) {
            return fmt::format("<baton.Protocol {}: {} commands>", self.name, self.commands.size());
        });
    protocol.attr("__module__") = "baton";
}

// ---- for baton.testing: messages without a session ---------------------------------------------------

// As it comes out at the other end.
py::object carried(const Type& type, const Bytes& bytes) {
    return to_python(type, value_or_raise(from_bytes(type, bytes)),
                     [](AnyRef ref) { return py::cast(to_py(ref)); },
                     [](const Value::Held&) -> py::object {
                         refuse("a test world has no shared memory: test this in a real session");
                     });
}

py::object carry(const ProtocolPtr& protocol, const std::string& command, const py::dict& fields) {
    const Command* const known = protocol->find(command);
    if (known == nullptr) static_cast<void>(encode_fields(protocol, command, fields));  // raises
    const Value read = read_fields(*protocol, command, fields);
    return carried(known->fields, value_or_raise(to_bytes(known->fields, read, command)));
}

py::object carry_reply(const ProtocolPtr& protocol, const std::string& command, const py::object& value) {
    const Type& type = reply_type(protocol, command);
    return carried(type, encode_value(value, type, "the reply to " + command));
}

void add_testing(py::module_& module) {
    module.def(
        "described",
        [](const py::object& described) { return std::make_shared<dynamic::Protocol>(protocol_from(described)); },
        py::arg("described"), "The Protocol of commands that a script has described.");
    module.def("carry", carry, py::arg("protocol"), py::arg("command"), py::arg("fields"),
               "The fields of a command as its receiver gets them; raises as sending them would.");
    module.def("carry_reply", carry_reply, py::arg("protocol"), py::arg("command"), py::arg("value"),
               "A reply as the asker gets it; raises as replying would.");
}

}  // namespace

dynamic::Protocol protocol_from(const py::object& described) {
    dynamic::Protocol protocol;
    if (described.is_none()) return protocol;
    const auto [name, commands] =
        py::cast<std::pair<std::string, std::vector<std::tuple<std::string, py::object, py::object>>>>(described);
    protocol.name = name;
    for (const auto& [command, fields, reply] : commands) {
        Command one{command, type_from(fields, command), std::nullopt};
        if (!reply.is_none()) one.reply = type_from(reply, "the reply to " + command);
        if (!is_sound(dynamic::Protocol{name, {one}}))
            refuse(fmt::format("{} is not described by types that others know", command));
        protocol.commands.push_back(std::move(one));
    }
    return protocol;
}

void add_value_classes(py::module_& module) {
    add_ref(module);
    add_protocol(module);
    add_testing(module);
}

}  // namespace baton::python
