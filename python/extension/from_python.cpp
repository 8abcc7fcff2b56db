#include "python/extension/from_python.hpp"

#include <datetime.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "python/extension/errors.hpp"
#include "python/extension/py_held.hpp"
#include "python/extension/ref.hpp"
#include <baton/text.hpp>

namespace baton::python {

using namespace dynamic;
namespace {

constexpr double seconds_max = 9e9;  // about what nanoseconds in 64 bits can hold
// Longer than any session, and sums with it still fit.
constexpr Duration for_ever = std::chrono::hours{24 * 365 * 100};

std::string type_name_of(py::handle value) { return Py_TYPE(value.ptr())->tp_name; }

void import_datetime() {
    if (PyDateTimeAPI == nullptr) PyDateTime_IMPORT;
    if (PyDateTimeAPI == nullptr) throw py::error_already_set();
}

// Any timedelta; not exactly.
double length_in_seconds(py::handle delta) {
    return 86'400.0 * PyDateTime_DELTA_GET_DAYS(delta.ptr()) + PyDateTime_DELTA_GET_SECONDS(delta.ptr()) +
           1e-6 * PyDateTime_DELTA_GET_MICROSECONDS(delta.ptr());
}
// Exactly, of one of less than 290,000 years: a timedelta may have more than fit.
std::chrono::microseconds microseconds_of(py::handle delta) {
    return std::chrono::days{PyDateTime_DELTA_GET_DAYS(delta.ptr())} +
           std::chrono::seconds{PyDateTime_DELTA_GET_SECONDS(delta.ptr())} +
           std::chrono::microseconds{PyDateTime_DELTA_GET_MICROSECONDS(delta.ptr())};
}

// Reads one value, with its type if that is known.
class Reader {
public:
    // What a duration without a type becomes: seconds, which the encoder turns to what the type wants, or
    // nanoseconds as on the wire.
    enum class Untyped { seconds, nanoseconds };
    Reader(std::string_view what, Untyped untyped) : path_(what), untyped_(untyped) { import_datetime(); }

    Value read(py::handle value, const Type* declared) {
        const Type* type = resolve(declared);
        const std::string_view kind = type == nullptr ? std::string_view{} : std::string_view{type->kind};
        if (value.is_none()) return {};
        if (kind == "optional") return read(value, &type->parts[0].type);
        PyObject* object = value.ptr();
        if (py::isinstance<PyHeld>(value)) return held(py::cast<PyHeld&>(value), held_kind_of(kind));
        if (held_kind_of(kind) && PyObject_CheckBuffer(object))
            refuse(fmt::format("{}: expected a baton.{}, got {}{}", path_, class_name_of(*held_kind_of(kind)),
                               type_name_of(value),
                               kind == "segment"
                                   ? "; session.array_from(array) copies one into a segment"
                                   : "; lend a copy and keep the loan, loan = session.array_from(array).lend(), then "
                                     "send a part of that"));
        if (PyBool_Check(object)) return {object == Py_True};
        if ((PyLong_Check(object) || PyUnicode_Check(object)) && !PyLong_CheckExact(object) &&
            !PyUnicode_CheckExact(object) && is_enum(value))
            return enumerator(value, kind);
        if (PyLong_Check(object)) return integer(value, kind);
        if (PyFloat_Check(object)) return {PyFloat_AS_DOUBLE(object)};
        if (PyUnicode_Check(object)) return text(value);
        if (PyBytes_Check(object) || PyByteArray_Check(object) || PyMemoryView_Check(object)) return bytes(value);
        if (PyComplex_Check(object))
            refuse(fmt::format(
                "{}: a complex number can't travel in a field: send its real and its imag, or an array of them as a "
                "segment",
                path_));
        if (py::isinstance<PyRef>(value)) return {py::cast<const PyRef&>(value).any()};
        if (PyDateTime_Check(object)) return timestamp(value);
        if (PyDelta_Check(object)) return duration(value);
        if (is_enum(value)) return enumerator(value, kind);
        const bool wants_list = kind == "list" || kind == "array" || kind == "set" || kind == "tuple";
        if (!wants_list)
            if (py::object fields = fields_of(value, kind); fields) return map(fields, type);
        if (py::hasattr(value, "tolist")) return array(value, declared);
        if (py::hasattr(value, "__iter__") && !PyDict_Check(object)) return list(value, wants_list ? type : nullptr);
        if (PyIndex_Check(object)) return integer(checked(PyNumber_Index(object)), kind);
        if (kind.starts_with("float") && py::hasattr(value, "__float__"))  // Decimal, Fraction
            return {PyFloat_AS_DOUBLE(checked(PyNumber_Float(object)).ptr())};
        refuse(fmt::format("{}: expected {}, got {}", path_,
                           type == nullptr ? "a value that can travel" : to_text(*type), type_name_of(value)));
    }

private:
    const Type* resolve(const Type* type) const {
        if (type == nullptr || type->kind != "same") return type;
        const auto found = std::find_if(outer_.rbegin(), outer_.rend(), [&](const Type* candidate) {
            return candidate->name == type->name;
        });
        return found == outer_.rend() ? nullptr : *found;
    }

    static py::object checked(PyObject* object) {
        if (object == nullptr) throw py::error_already_set();
        return py::reinterpret_steal<py::object>(object);
    }

    static bool is_enum(py::handle value) { return py::isinstance(value, py::module_::import("enum").attr("Enum")); }

    // Enters a list or a map; refused if it would be nested too deeply.
    void begin_container() const {
        if (depth_ < limits::message_depth_max) return;
        refuse(
            fmt::format("{}: is nested deeper than {} (limits::message_depth_max)", path_, limits::message_depth_max));
    }

    template <class Function>
    Value deeper(Function&& read_inner) {
        begin_container();
        ++depth_;
        Value out = read_inner();
        --depth_;
        return out;
    }

    Value inside(std::string_view step, py::handle value, const Type* type) {
        const std::size_t size = path_.size();
        path_ += step;
        Value out = deeper([&] { return read(value, type); });
        path_.resize(size);
        return out;
    }

    // An array or a number of NumPy's, or an array.array.
    Value array(py::handle value, const Type* declared) {
        std::string of;
        if (py::hasattr(value, "dtype") && py::hasattr(value.attr("dtype"), "kind"))
            of = py::cast<std::string>(py::str(value.attr("dtype").attr("kind")));
        if (of == "m" || of == "M")
            refuse(fmt::format("{}: NumPy's {} can't travel: {}", path_, of == "M" ? "datetime64" : "timedelta64",
                               of == "M"
                                   ? "send array.astype('int64'), or datetime objects with a time zone"
                                   : "send array.astype('int64'), or array / numpy.timedelta64(1, 's') as seconds"));
        if (py::hasattr(value, "__len__") || py::hasattr(value, "size")) {
            const py::object count =
                py::hasattr(value, "size") ? py::object(value.attr("size")) : py::object(py::int_(py::len(value)));
            if (PyLong_Check(count.ptr())) spend(PyLong_AsSize_t(count.ptr()));
        }
        const py::object plain = value.attr("tolist")();
        // A longdouble stays one: it has no exact float.
        if (Py_TYPE(plain.ptr()) == Py_TYPE(value.ptr())) {
            if (PyIndex_Check(plain.ptr()) || !py::hasattr(plain, "__float__"))
                refuse(fmt::format("{}: {} can't travel", path_, type_name_of(value)));
            return {PyFloat_AS_DOUBLE(checked(PyNumber_Float(plain.ptr())).ptr())};
        }
        return deeper([&] { return read(plain, declared); });
    }

    // Each element takes a byte at least, each byte of text one: what is more than a message is not read to its end.
    void spend(std::size_t bytes) {
        spent_ += std::min(bytes, limits::message_bytes_max + 1);
        if (spent_ > limits::message_bytes_max)
            refuse(fmt::format(
                "{}: this is more than a message holds, {} bytes (limits::message_bytes_max): send it in pieces, or as "
                "a segment, session.array_from(array)",
                path_, limits::message_bytes_max));
    }

    Value held(PyHeld& value, std::optional<HeldKind> wanted) {
        if (const std::string way = wanted && !value.is_empty() ? value.way_to(*wanted) : std::string(); !way.empty())
            refuse(fmt::format("{}: expected {}, got {}{}", path_, word_of(*wanted), value.word(), way));
        const std::shared_ptr<Memory>& memory = value.about_to_go(path_);
        if (std::ranges::find(seen_, memory.get()) != seen_.end())
            refuse(fmt::format("{}: {} is in this message already, and can go only once", path_, value.to_text()));
        seen_.push_back(memory.get());
        return {Value::Held{value.kind(), memory}};
    }

    Value integer(py::handle value, std::string_view kind) {
        if (kind.starts_with("float")) {
            const double real = PyLong_AsDouble(value.ptr());
            if (real == -1.0 && PyErr_Occurred() != nullptr) {
                PyErr_Clear();
                out_of_range(value, kind);
            }
            return {real};
        }
        int overflow = 0;
        const long long number = PyLong_AsLongLongAndOverflow(value.ptr(), &overflow);
        if (overflow == 0) {
            if (number == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
            return {std::int64_t{number}};
        }
        if (overflow > 0) {
            const unsigned long long natural = PyLong_AsUnsignedLongLong(value.ptr());
            if (PyErr_Occurred() == nullptr) return {std::uint64_t{natural}};
            PyErr_Clear();
        }
        const bool wants_integer = kind.starts_with("int") || kind.starts_with("uint");
        out_of_range(value, wants_integer ? kind : "64 bits");
    }
    [[noreturn]] void out_of_range(py::handle value, std::string_view range) {
        // Python itself refuses to print very long ones.
        const bool is_long = py::cast<std::size_t>(value.attr("bit_length")()) > 256;
        refuse(fmt::format("{}: {} is out of range of {}", path_, is_long ? "the integer" : std::string(py::str(value)),
                           range));
    }

    Value text(py::handle value) {
        spend(static_cast<std::size_t>(PyUnicode_GET_LENGTH(value.ptr())));
        const py::object encoded =
            py::reinterpret_steal<py::object>(PyUnicode_AsEncodedString(value.ptr(), "utf-8", "strict"));
        if (!encoded) {
            PyErr_Clear();
            refuse(fmt::format("{}: the text holds a lone surrogate, which UTF-8 can't express", path_));
        }
        return {
            std::string(PyBytes_AS_STRING(encoded.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(encoded.ptr())))};
    }

    Value bytes(py::handle value) {
        spend(PyMemoryView_Check(value.ptr()) ? PyLong_AsSize_t(py::object(value.attr("nbytes")).ptr())
                                              : py::len(value));
        const py::object flat = PyBytes_Check(value.ptr()) ? py::reinterpret_borrow<py::object>(value)
                                                           : checked(PyBytes_FromObject(value.ptr()));
        const auto* start = reinterpret_cast<const std::byte*>(PyBytes_AS_STRING(flat.ptr()));
        return {Bytes(start, start + PyBytes_GET_SIZE(flat.ptr()))};
    }

    Value timestamp(py::handle value) {
        if (value.attr("tzinfo").is_none() || value.attr("utcoffset")().is_none())
            refuse(fmt::format("{}: the datetime has no time zone; datetime.now(timezone.utc) has one", path_));
        const py::object epoch = checked(PyDateTimeAPI->DateTime_FromDateAndTime(
            1970, 1, 1, 0, 0, 0, 0, PyDateTime_TimeZone_UTC, PyDateTimeAPI->DateTimeType));
        const auto since = microseconds_of(checked(PyNumber_Subtract(value.ptr(), epoch.ptr())));
        if (std::abs(std::chrono::duration<double>(since).count()) > seconds_max)
            refuse(fmt::format("{}: {} is out of range of a timestamp", path_, std::string(py::str(value))));
        return {Timestamp{since}};
    }

    Value duration(py::handle value) {
        const double seconds = length_in_seconds(value);
        const bool is_exact = std::abs(seconds) <= seconds_max;
        if (untyped_ == Untyped::seconds)
            return {is_exact ? std::chrono::duration<double>(microseconds_of(value)).count() : seconds};
        if (!is_exact) refuse(fmt::format("{}: {} s is out of range", path_, seconds));
        return {std::int64_t{std::chrono::nanoseconds(microseconds_of(value)).count()}};
    }

    Value enumerator(py::handle value, std::string_view kind) {
        if (kind == "enum") return text(value.attr("name"));
        return deeper([&] { return read(value.attr("value"), nullptr); });
    }

    // The fields of whatever has some, as a dict; nothing for other objects.
    static py::object fields_of(py::handle value, std::string_view kind) {
        if (PyDict_Check(value.ptr())) return py::reinterpret_borrow<py::object>(value);
        if (PyList_CheckExact(value.ptr()) || PyTuple_CheckExact(value.ptr())) return {};
        if (PyTuple_Check(value.ptr()) && kind != "struct" && !kind.empty()) return {};
        py::object fields = py::module_::import("baton._values").attr("fields_of")(value);
        return fields.is_none() ? py::object{} : fields;
    }

    Value map(py::handle fields, const Type* type) {
        begin_container();
        const bool is_struct = type != nullptr && type->kind == "struct";
        const bool is_map = type != nullptr && type->kind == "map";
        if (is_struct) outer_.push_back(type);
        Value::Map map;
        for (const auto& [key, value] : py::reinterpret_borrow<py::dict>(fields)) {
            spend(1);
            Value name = read(key, is_map ? &type->parts[0].type : nullptr);
            const auto* text = std::get_if<std::string>(&name.value);
            const Type* of_value = is_map ? &type->parts[1].type : nullptr;
            if (is_struct && text != nullptr)
                for (const Field& part : type->parts)
                    if (part.name == *text) of_value = &part.type;
            const std::string step =
                text == nullptr ? "[" + readable(std::string(py::str(key)), 40) + "]" : "." + readable(*text, 40);
            map.emplace_back(std::move(name), inside(step, value, of_value));
        }
        if (is_struct) outer_.pop_back();
        return {std::move(map)};
    }

    Value list(py::handle value, const Type* type) {
        begin_container();
        Value::List list;
        for (const py::handle element : py::iter(value)) {
            spend(1);  // an iterable need not end
            // A tuple may be too long: encoding refuses it.
            const std::size_t part = type != nullptr && type->kind == "tuple" ? list.size() : 0;
            const bool is_known = type != nullptr && part < type->parts.size();
            list.push_back(
                inside(fmt::format("[{}]", list.size()), element, is_known ? &type->parts[part].type : nullptr));
        }
        return {std::move(list)};
    }

    std::string path_;
    Untyped untyped_;
    std::size_t depth_ = 0;
    std::size_t spent_ = 0;
    std::vector<const Type*> outer_;
    std::vector<const Memory*> seen_;
};

}  // namespace

std::optional<HeldKind> held_kind_of(std::string_view kind) noexcept {
    if (kind == "segment") return HeldKind::segment;
    if (kind == "lease") return HeldKind::lease;
    if (kind == "slice") return HeldKind::slice;
    return std::nullopt;
}

Value read_fields(const dynamic::Protocol& protocol, std::string_view command, const py::dict& fields) {
    const Command* const known = protocol.find(command);
    return Reader{command, Reader::Untyped::seconds}.read(fields, known == nullptr ? nullptr : &known->fields);
}

EncodedCommand encode_fields(const ProtocolPtr& protocol, std::string_view command, const py::dict& fields) {
    const Value read = read_fields(*protocol, command, fields);
    return value_or_raise(EncodedCommand::of(protocol, command, *read.as<Value::Map>()));
}

Value read_value(py::handle value, const Type& type, std::string_view what) {
    return Reader{what, Reader::Untyped::seconds}.read(value, &type);
}

Value read_untyped(py::handle value, std::string_view what) {
    return Reader{what, Reader::Untyped::nanoseconds}.read(value, nullptr);
}

Bytes encode_value(py::handle value, const Type& type, std::string_view what) {
    return value_or_raise(to_bytes(type, read_value(value, type, what), what));
}

Duration to_duration(py::handle timeout) {
    import_datetime();
    if (timeout.is_none()) return for_ever;
    double seconds = 0;
    if (PyDelta_Check(timeout.ptr())) {
        seconds = length_in_seconds(timeout);
    } else if (!PyFloat_Check(timeout.ptr()) && !PyLong_Check(timeout.ptr()) &&
               py::isinstance(timeout, py::module_::import("baton._values").attr("Deadline"))) {
        return to_duration(timeout.attr("left")());
    } else {
        seconds = PyFloat_AsDouble(timeout.ptr());
        if (seconds == -1.0 && PyErr_Occurred() != nullptr) {
            const bool is_huge = PyErr_ExceptionMatches(PyExc_OverflowError) != 0;
            PyErr_Clear();
            if (is_huge) return timeout > py::int_(0) ? for_ever : Duration::zero();
            throw py::type_error(
                fmt::format("a timeout is seconds, a timedelta, a baton.Deadline or None (for ever), not {}",
                            type_name_of(timeout)));
        }
    }
    if (std::isnan(seconds))
        throw py::type_error("a timeout is seconds, a timedelta, a baton.Deadline or None (for ever), not nan");
    if (std::chrono::duration<double>(seconds) > for_ever) return for_ever;
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(std::max(seconds, 0.0)));
}

}  // namespace baton::python
