#include "runtime/wire/dynamic.hpp"

#include <algorithm>

namespace baton::detail {

const TypeDescription& resolve(const TypeDescription& type, const Structs& outer) {
    if (type.kind != "same") return type;
    const auto found = std::find_if(outer.rbegin(), outer.rend(),
                                    [&](const TypeDescription* candidate) { return candidate->name == type.name; });
    return found == outer.rend() ? type : **found;
}

std::optional<IntegerRange> range_of(std::string_view kind) {
    if (kind == "int8") return IntegerRange{INT8_MIN, INT8_MAX};
    if (kind == "int16") return IntegerRange{INT16_MIN, INT16_MAX};
    if (kind == "int32") return IntegerRange{INT32_MIN, INT32_MAX};
    if (kind == "int64") return IntegerRange{INT64_MIN, INT64_MAX};
    if (kind == "uint8") return IntegerRange{0, UINT8_MAX};
    if (kind == "uint16") return IntegerRange{0, UINT16_MAX};
    if (kind == "uint32") return IntegerRange{0, UINT32_MAX};
    if (kind == "uint64") return IntegerRange{0, UINT64_MAX};
    return std::nullopt;
}

bool has_all_fields(const TypeDescription& type, Value fields) {
    for (const PartDescription& part : type.parts) {
        std::size_t times = 0;
        for (std::size_t index = 0; index < fields.size(); ++index) {
            const Value key = fields.key_at(index);
            if (key.kind() == ValueKind::text && key.text() == part.name) ++times;
        }
        if (times > 1 || (times == 0 && !may_be_left_out(type, part))) return false;
    }
    return true;
}

bool is_one_of(const TypeDescription& type, Value value) {
    const ValueKind kind = value.kind();
    const std::string& wanted = type.kind;
    if (const auto range = range_of(wanted)) {
        if (kind != ValueKind::integer) return false;
        std::int64_t number = 0;
        if (value.to_integer(number))
            return number >= range->min && (number < 0 || static_cast<std::uint64_t>(number) <= range->max);
        return range->max == UINT64_MAX;
    }
    if (wanted == "bool") return kind == ValueKind::boolean;
    if (wanted == "float32" || wanted == "float64") return kind == ValueKind::real || kind == ValueKind::integer;
    if (wanted == "string") return kind == ValueKind::text;
    if (wanted == "bytes") return kind == ValueKind::bytes;
    if (wanted == "timestamp") return kind == ValueKind::timestamp;
    if (wanted == "duration") return kind == ValueKind::integer;
    if (wanted == "nothing") return kind == ValueKind::nil;
    if (wanted != "enum") return true;
    std::int64_t number = 0;
    if (kind != ValueKind::integer) return false;
    if (type.parts.empty()) return true;
    return value.to_integer(number) && std::ranges::any_of(type.parts, [number](const PartDescription& part) {
               return part.type.count == number;
           });
}

}  // namespace baton::detail
