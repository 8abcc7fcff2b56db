#include "python/extension/to_python.hpp"

#include <datetime.h>
#include <fmt/format.h>

#include <algorithm>

#include "python/extension/errors.hpp"

namespace baton::python {

using namespace dynamic;
namespace {

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
bool can_be_in_set(const Type& type) {
    if (type.kind == "struct" || type.kind == "same" || type.kind == "map") return false;
    return type.kind == "enum" ||
           std::ranges::all_of(type.parts, [](const Field& part) { return can_be_in_set(part.type); });
}
bool can_be_in_set(const Value& value) {
    if (value.as<Value::Map>() != nullptr) return false;
    const auto* const list = value.as<Value::List>();
    return list == nullptr || std::ranges::all_of(*list, [](const Value& one) { return can_be_in_set(one); });
}

class Converter {
public:
    Converter(const MakeRef& make_ref, const MakeHeld& make_held) : make_ref_(make_ref), make_held_(make_held) {}

    // The type matters for what is empty only; nullptr: it is not known.
    py::object convert(const Type* declared, const Value& value) {
        const Type* const type = resolve(declared);
        if (type != nullptr && type->kind == "optional")
            return value.is_nothing() ? py::none() : convert(&type->parts[0].type, value);
        if (const auto* const list = value.as<Value::List>()) return convert_list(type, *list, value.form);
        if (const auto* const map = value.as<Value::Map>()) return convert_map(type, *map, value.form);
        return std::visit([this](const auto& one) { return plain(one); }, value.value);
    }

private:
    const Type* resolve(const Type* type) const {
        if (type == nullptr || type->kind == "variant") return nullptr;  // which alternative it is shows in the value
        if (type->kind != "same") return type;
        const auto found = std::find_if(outer_.rbegin(), outer_.rend(),
                                        [&](const Type* candidate) { return candidate->name == type->name; });
        return found == outer_.rend() ? nullptr : *found;
    }
    static const Type* part_of(const Type* type, std::size_t index) {
        return type != nullptr && index < type->parts.size() ? &type->parts[index].type : nullptr;
    }

    py::object convert_list(const Type* type, const Value::List& from, Form form) {
        if (form == Form::tuple) {
            py::tuple tuple{from.size()};
            for (std::size_t index = 0; index < from.size(); ++index)
                tuple[index] = convert(part_of(type, index), from[index]);
            return tuple;
        }
        const Type* const of = part_of(type, 0);
        const auto all_can_be_in_set = [&] {
            return std::ranges::all_of(from, [](const Value& one) { return can_be_in_set(one); });
        };
        const bool is_set = form == Form::set && (of != nullptr ? can_be_in_set(*of) : all_can_be_in_set());
        if (is_set) {
            py::set set;
            for (const Value& one : from) set.add(as_key(convert(of, one)));
            return set;
        }
        py::list list{from.size()};
        for (std::size_t index = 0; index < from.size(); ++index) list[index] = convert(of, from[index]);
        return list;
    }

    py::object convert_map(const Type* type, const Value::Map& from, Form form) {
        const bool is_struct = form == Form::fields;
        if (is_struct && type != nullptr) outer_.push_back(type);
        py::dict dict;
        bool has_names = true;
        for (const auto& [key, element] : from) {
            const auto* const name = key.as<std::string>();
            has_names = has_names && name != nullptr;
            const Type* const of = is_struct ? type_of_field(type, name) : part_of(type, 1);
            dict[is_struct ? text_of(*name) : as_key(convert(part_of(type, 0), key))] = convert(of, element);
        }
        if (is_struct && type != nullptr) outer_.pop_back();
        if (is_struct || (form == Form::plain && has_names)) return struct_of(std::move(dict));
        return dict;
    }
    static const Type* type_of_field(const Type* type, const std::string* name) {
        if (type == nullptr) return nullptr;
        const auto part = std::ranges::find(type->parts, *name, &Field::name);
        return part == type->parts.end() ? nullptr : &part->type;
    }

    py::object plain(std::monostate) const { return py::none(); }
    py::object plain(bool value) const { return py::bool_(value); }
    py::object plain(std::int64_t value) const { return py::int_(value); }
    py::object plain(std::uint64_t value) const { return py::int_(value); }
    py::object plain(double value) const { return py::float_(value); }
    py::object plain(const std::string& value) const { return text_of(value); }
    py::object plain(const Bytes& value) const {
        return py::bytes(reinterpret_cast<const char*>(value.data()), value.size());
    }
    py::object plain(Timestamp value) const { return datetime_of(value); }
    py::object plain(const AnyRef& value) const { return make_ref_(value); }
    py::object plain(const Value::Held& value) const { return make_held_(value); }
    py::object plain(const Value::List&) const { return py::none(); }  // convert_list() has them
    py::object plain(const Value::Map&) const { return py::none(); }

    const MakeRef& make_ref_;
    const MakeHeld& make_held_;
    std::vector<const Type*> outer_;  // the structs that enclose what is looked at, for `same`
};

}  // namespace

py::object to_python(const Type& type, const Value& value, const MakeRef& make_ref, const MakeHeld& make_held) {
    return Converter{make_ref, make_held}.convert(&type, value);
}

py::object to_python(const Value& value, const MakeRef& make_ref, const MakeHeld& make_held) {
    return Converter{make_ref, make_held}.convert(nullptr, value);
}

}  // namespace baton::python
