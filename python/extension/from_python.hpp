#pragma once
// From Python: fields, values and timeouts as the wire wants them. Whatever does not fit raises
// baton.Refused with the place, `HoldThis.number: ...`, before anything is sent. Called with the GIL held.
//
// | Python                                               | for a field of                              |
// | bool, int, float, str, NumPy's scalars               | bool, integers, floats, string              |
// | bytes, bytearray, memoryview                         | bytes                                       |
// | list, tuple, any iterable, array                     | list, set, array, tuple                     |
// | dict, baton.Struct, dataclass, namedtuple, namespace | struct; dict also map                       |
// | None                                                 | optional                                    |
// | str, number or a member of an enum.Enum (its name)   | enum                                        |
// | datetime with a time zone; timedelta or seconds      | timestamp; duration                         |
// | baton.Ref (an Actor is one)                          | ref                                         |
// | baton.Segment, Lease, Slice, each in one field only  | segment, lease, slice                       |

#include <pybind11/pybind11.h>

#include <baton/dynamic.hpp>
#include <baton/outsider.hpp>

namespace baton::python {

using namespace dynamic;

namespace py = pybind11;

using ProtocolPtr = std::shared_ptr<dynamic::Protocol>;

// The kind of memory that such a field is for: "segment", "lease", "slice"; nothing for other kinds.
[[nodiscard]] std::optional<HeldKind> held_kind_of(std::string_view kind) noexcept;

// A command that is ready to be sent; what it carries is still in the hands of its Python objects.
[[nodiscard]] EncodedCommand encode_fields(const ProtocolPtr& protocol, std::string_view command,
                                           const py::dict& fields);
// The fields as a value, for such a command; checked by nobody yet.
[[nodiscard]] Value read_fields(const dynamic::Protocol& protocol, std::string_view command, const py::dict& fields);

// A value of that type; `what` names it in errors. Whether it fits shows when it is written.
[[nodiscard]] Value read_value(py::handle value, const Type& type, std::string_view what);
// A value whose type nobody has described, as bytes say it.
[[nodiscard]] Value read_untyped(py::handle value, std::string_view what);

// A value of that type, encoded; what it carries is refused.
[[nodiscard]] Bytes encode_value(py::handle value, const Type& type, std::string_view what);

// What is left of a timeout: seconds, a timedelta, a baton.Deadline, or None for ever.
[[nodiscard]] Duration to_duration(py::handle timeout);

}  // namespace baton::python
