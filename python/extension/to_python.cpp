#include "python/extension/to_python.hpp"

#include <datetime.h>
#include <fmt/format.h>

#include <algorithm>

#include "python/extension/errors.hpp"

namespace baton::python {

using namespace detail;
namespace {

using Structs = std::vector<const TypeDescription*>;  // that enclose what is looked at, for `same`

py::object stolen(PyObject* object) {
    if (object == nullptr) throw py::error_already_set();
    return py::reinterpret_steal<py::object>(object);
}

py::object text_of(std::string_view text) {
    return stolen(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "surrogateescape"));
}

py::object struct_of(py::dict fields) { return py::module_::import("baton._values").attr("Struct")(std::move(fields)); }

py::object datetime_of(Timestamp timestamp) {
    if (PyDateTimeAPI == nullptr) PyDateTime_IMPORT;
    using namespace std::chrono;
    const auto since_epoch = timestamp.time_since_epoch();
    const auto day = floor<days>(since_epoch);
    const auto second = floor<seconds>(since_epoch - day);
    const auto microsecond = floor<microseconds>(since_epoch - day - second);
    const py::object epoch = stolen(PyDateTimeAPI->DateTime_FromDateAndTime(
        1970, 1, 1, 0, 0, 0, 0, PyDateTime_TimeZone_UTC, PyDateTimeAPI->DateTimeType));
    const py::object since = stolen(PyDelta_FromDSU(static_cast<int>(day.count()), static_cast<int>(second.count()),
                                                    static_cast<int>(microsecond.count())));
    return stolen(PyNumber_Add(epoch.ptr(), since.ptr()));
}

// A list or a set can't be the key of a dict, or in a set: what is in it neither.
py::object as_key(py::object key) {
    if (PySet_Check(key.ptr())) return py::reinterpret_steal<py::object>(PyFrozenSet_New(key.ptr()));
    if (!PyList_Check(key.ptr()) && !PyTuple_CheckExact(key.ptr())) return key;
    py::list elements;
    for (const py::handle element : key) elements.append(as_key(py::reinterpret_borrow<py::object>(element)));
    return py::tuple(elements);
}

// True if Python can have values of that type in a set, as as_key() makes them.
bool can_be_in_set(const TypeDescription& type) {
    if (type.kind == "struct" || type.kind == "same" || type.kind == "map") return false;
    return type.kind == "enum" || std::ranges::all_of(type.parts, [](const PartDescription& part) {
               return can_be_in_set(part.type);
           });
}

class Converter {
public:
    Converter(const MakeRef& make_ref, const MakeHeld& make_held) : make_ref_(make_ref), make_held_(make_held) {}

    py::object convert(const TypeDescription& declared, Value value) {
        const TypeDescription& type = resolve(declared);
        const ValueKind kind = value.kind();
        if (type.kind == "optional") return kind == ValueKind::nil ? py::none() : convert(type.parts[0].type, value);
        if (!is_one_of(type, value)) misfit(type, value);
        if (kind == ValueKind::integer && type.kind.starts_with("float")) return py::float_(value.real());
        if (type.kind == "enum") return enumerator(type, value);
        if (type.kind == "duration") {
            std::int64_t nanoseconds = 0;
            if (!value.to_integer(nanoseconds)) misfit(type, value);
            return py::float_(static_cast<double>(nanoseconds) / 1e9);
        }
        if (type.kind == "ref") {
            AnyRef ref;
            Decoding at{"ref"};
            if (!decode(value, ref, at)) misfit(type, value);
            return make_ref_(ref);
        }
        if (const auto held = handle_kind_of(type.kind)) {
            if (kind != ValueKind::handle) misfit(type, value);
            return make_held_(value, held);
        }
        if (type.kind == "variant") {
            std::uint64_t index = 0;
            if (kind != ValueKind::array || value.size() != 2 || value.at(0).kind() != ValueKind::integer ||
                !value.at(0).to_unsigned(index) || index >= type.parts.size())
                misfit(type, value);
            return convert(type.parts[index].type, value.at(1));
        }
        if (type.kind == "list" || type.kind == "array") {
            if (kind != ValueKind::array ||
                (type.kind == "array" && static_cast<std::int64_t>(value.size()) != type.count))
                misfit(type, value);
            py::list list{value.size()};
            for (std::size_t index = 0; index < value.size(); ++index)
                list[index] = convert(type.parts[0].type, value.at(index));
            return list;
        }
        if (type.kind == "tuple") {
            if (kind != ValueKind::array || value.size() != type.parts.size()) misfit(type, value);
            py::tuple tuple{value.size()};
            for (std::size_t index = 0; index < value.size(); ++index)
                tuple[index] = convert(type.parts[index].type, value.at(index));
            return tuple;
        }
        if (type.kind == "set") return set(type, value);
        if (type.kind == "map") {
            if (kind != ValueKind::map) misfit(type, value);
            py::dict dict;
            for (std::size_t index = 0; index < value.size(); ++index)
                dict[as_key(convert(type.parts[0].type, value.key_at(index)))] =
                    convert(type.parts[1].type, value.value_at(index));
            if (has_twice(type, value)) misfit(type, value);
            return dict;
        }
        if (type.kind == "struct") return structure(type, value);
        return to_python_untyped(value, make_held_);
    }

private:
    const TypeDescription& resolve(const TypeDescription& type) const {
        if (type.kind != "same") return type;
        const auto found = std::find_if(outer_.rbegin(), outer_.rend(),
                                        [&](const TypeDescription* candidate) { return candidate->name == type.name; });
        return found == outer_.rend() ? type : **found;
    }

    [[noreturn]] static void misfit(const TypeDescription& type, Value value) {
        std::int64_t number = 0;
        const bool is_number = value.kind() == ValueKind::integer && value.to_integer(number);
        raise(Error{ErrorKind::corrupt,
                    fmt::format("expected {}, got {}", to_text(type),
                                is_number ? std::to_string(number) : std::string(name_of(value.kind())))});
    }

    py::object enumerator(const TypeDescription& type, Value value) {
        std::int64_t number = 0;
        if (value.to_integer(number))
            for (const PartDescription& part : type.parts)
                if (part.type.count == number) return text_of(part.name);
        return to_python_untyped(value, make_held_);
    }

    py::object set(const TypeDescription& type, Value value) {
        if (value.kind() != ValueKind::array) misfit(type, value);
        const TypeDescription& element = type.parts[0].type;
        const bool is_set = can_be_in_set(element);
        py::set set;
        py::list list;
        for (std::size_t index = 0; index < value.size(); ++index) {
            py::object one = convert(element, value.at(index));
            if (is_set) set.add(as_key(std::move(one)));
            else list.append(std::move(one));
        }
        if (has_twice(type, value)) misfit(type, value);
        return is_set ? py::object(std::move(set)) : py::object(std::move(list));
    }

    // What a field that was left out is: its default, or None.
    py::object left_out(const TypeDescription& of, const PartDescription& part) {
        const std::string_view bytes = default_bytes(of, part);
        if (bytes.empty()) return py::none();
        Unpacker unpacker;
        std::size_t offset = 0;
        return convert(part.type, value_or_raise(unpacker.next(bytes, offset)));
    }

    py::object structure(const TypeDescription& type, Value value) {
        if (value.kind() != ValueKind::map || !has_all_fields(type, value)) misfit(type, value);
        py::dict fields;
        outer_.push_back(&type);
        for (std::size_t index = 0; index < value.size(); ++index) {
            const Value key = value.key_at(index);
            if (key.kind() != ValueKind::text) misfit(type, value);
            const auto part = std::ranges::find(type.parts, key.text(), &PartDescription::name);
            fields[text_of(key.text())] = part == type.parts.end()
                                              ? to_python_untyped(value.value_at(index), make_held_)
                                              : convert(part->type, value.value_at(index));
        }
        for (const PartDescription& part : type.parts)
            if (const py::object name = text_of(part.name); !fields.contains(name)) fields[name] = left_out(type, part);
        outer_.pop_back();
        return struct_of(std::move(fields));
    }

    const MakeRef& make_ref_;
    const MakeHeld& make_held_;
    Structs outer_;
};

}  // namespace

py::object to_python(const TypeDescription& type, Value value, const MakeRef& make_ref, const MakeHeld& make_held) {
    return Converter{make_ref, make_held}.convert(type, value);
}

py::object to_python_untyped(Value value, const MakeHeld& make_held) {
    switch (value.kind()) {
        case ValueKind::nil:
        case ValueKind::other: return py::none();
        case ValueKind::handle: return make_held(value, std::nullopt);
        case ValueKind::boolean: return py::bool_(value.boolean());
        case ValueKind::integer: {
            std::int64_t number = 0;
            if (value.to_integer(number)) return py::int_(number);
            std::uint64_t natural = 0;
            static_cast<void>(value.to_unsigned(natural));
            return py::int_(natural);
        }
        case ValueKind::real: return py::float_(value.real());
        case ValueKind::text: return text_of(value.text());
        case ValueKind::bytes:
            return py::bytes(reinterpret_cast<const char*>(value.bytes().data()), value.bytes().size());
        case ValueKind::timestamp: return datetime_of(value.timestamp());
        case ValueKind::array: {
            py::list list{value.size()};
            for (std::size_t index = 0; index < value.size(); ++index)
                list[index] = to_python_untyped(value.at(index), make_held);
            return list;
        }
        case ValueKind::map: {
            py::dict dict;
            bool has_names = true;
            for (std::size_t index = 0; index < value.size(); ++index) {
                has_names = has_names && value.key_at(index).kind() == ValueKind::text;
                dict[as_key(to_python_untyped(value.key_at(index), make_held))] =
                    to_python_untyped(value.value_at(index), make_held);
            }
            if (has_names) return struct_of(std::move(dict));
            return dict;
        }
    }
    return py::none();
}

}  // namespace baton::python
