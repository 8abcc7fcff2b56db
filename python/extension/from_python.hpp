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

#include "runtime/inbox/gifts.hpp"
#include "runtime/wire/dynamic.hpp"

namespace baton::python {

using namespace detail;

namespace py = pybind11;

// A message, and what it carries: still in the hands of its Python objects.
struct Written {
    Buffer body;
    Parcel parcel;
};
// The types of the parcels, which tell a bounced command from a reply.
inline constexpr std::string_view command_parcel = "python command";
inline constexpr std::string_view reply_parcel = "python reply";

[[nodiscard]] Written encode_fields(const ProtocolDescription& protocol, std::string_view command,
                                    const py::dict& fields);

// A value of that type, encoded; what it carries is refused. `what` names it in errors.
[[nodiscard]] Buffer encode_value(py::handle value, const TypeDescription& type, std::string_view what);

// A reply of that type, with what it carries; `what` names it in errors.
[[nodiscard]] Written encode_reply(const TypeDescription& type, py::handle value, std::string_view what);

// A value whose type nobody has described, as msgpack says it; `what` names it in errors.
[[nodiscard]] Written encode_untyped(py::handle value, std::string_view what);

// What is left of a timeout: seconds, a timedelta, a baton.Deadline, or None for ever.
[[nodiscard]] Duration to_duration(py::handle timeout);

}  // namespace baton::python
