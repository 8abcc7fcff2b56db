// check_value(): what a receiver that knows the type only as data asks of a value before it looks at it. The texts are
// those of a receiver in C++ (runtime/wire/convert.cpp).
#include <algorithm>

#include "runtime/wire/dynamic.hpp"

namespace baton::detail {
namespace {

using Structs = std::vector<const TypeDescription*>;  // that enclose what is looked at, for `same`

class Checker {
public:
    explicit Checker(std::string_view what) : at_{what} {}
    [[nodiscard]] Error take_error() { return at_.take_error(); }

    bool fits(const TypeDescription& declared, Value value) {
        const TypeDescription& type = resolve(declared);
        const ValueKind kind = value.kind();
        if (type.kind == "optional") return kind == ValueKind::nil || fits(type.parts[0].type, value);
        if (!is_one_of(type, value)) return at_.expected(to_text(type), value);
        if (type.kind == "ref") {
            AnyRef ref;
            return decode(value, ref, at_);
        }
        if (handle_kind_of(type.kind)) return kind == ValueKind::handle || at_.expected(type.kind, value);
        if (type.kind == "variant") return fits_variant(type, value);
        if (type.kind == "list" || type.kind == "array") return fits_list(type, value);
        if (type.kind == "map") return fits_map(type, value);
        if (type.kind == "struct") return fits_struct(type, value);
        return true;
    }

private:
    const TypeDescription& resolve(const TypeDescription& type) const {
        if (type.kind != "same") return type;
        const auto found = std::find_if(outer_.rbegin(), outer_.rend(),
                                        [&](const TypeDescription* candidate) { return candidate->name == type.name; });
        return found == outer_.rend() ? type : **found;
    }

    bool fits_variant(const TypeDescription& type, Value value) {
        std::uint64_t index = 0;
        const bool is_pair = value.kind() == ValueKind::array && value.size() == 2;
        if (!is_pair || value.at(0).kind() != ValueKind::integer || !value.at(0).to_unsigned(index) ||
            index >= type.parts.size())
            return at_.expected(to_text(type), value);
        return fits(type.parts[index].type, value.at(1));
    }

    bool fits_list(const TypeDescription& type, Value value) {
        const bool has_length = type.kind == "array";
        if (value.kind() != ValueKind::array || (has_length && static_cast<std::int64_t>(value.size()) != type.count))
            return at_.expected(has_length ? "list of " + std::to_string(type.count) : "list", value);
        for (std::size_t index = 0; index < value.size(); ++index) {
            const Decoding::Inside here{at_, {}, index};
            if (!fits(type.parts[0].type, value.at(index))) return false;
        }
        return true;
    }

    bool fits_map(const TypeDescription& type, Value value) {
        if (value.kind() != ValueKind::map) return at_.expected("map", value);
        for (std::size_t index = 0; index < value.size(); ++index) {
            const Decoding::Inside here{at_, {}, index};
            if (!fits(type.parts[0].type, value.key_at(index)) || !fits(type.parts[1].type, value.value_at(index)))
                return false;
        }
        return true;
    }

    bool fits_struct(const TypeDescription& type, Value value) {
        if (value.kind() != ValueKind::map) return at_.expected("map", value);
        outer_.push_back(&type);
        for (std::size_t index = 0; index < value.size(); ++index) {
            const Value key = value.key_at(index);
            if (key.kind() != ValueKind::text) return at_.expected("a field's name", key);
            const auto part = std::ranges::find(type.parts, key.text(), &PartDescription::name);
            if (part == type.parts.end()) return at_.fail("has no field '" + std::string(key.text()) + "'");
            const Decoding::Inside here{at_, part->name, 0};
            if (!fits(part->type, value.value_at(index))) return false;
        }
        outer_.pop_back();
        for (const PartDescription& part : type.parts) {
            std::size_t times = 0;
            for (std::size_t index = 0; index < value.size(); ++index)
                times += value.key_at(index).text() == part.name ? 1 : 0;
            const Decoding::Inside here{at_, part.name, 0};
            if (times > 1) return at_.fail("stands there twice");
            if (times == 0 && part.type.kind != "optional") return at_.fail("is missing");
        }
        return true;
    }

    Decoding at_;
    Structs outer_;
};

}  // namespace

Result<void> check_value(const TypeDescription& type, Value value, std::string_view what) {
    Checker checker{what};
    if (checker.fits(type, value)) return {};
    return checker.take_error();
}

}  // namespace baton::detail
