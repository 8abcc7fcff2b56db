#include <baton/detail/pool/signature.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace baton::detail::pool {
namespace {

// Bits that hold its positive values; 0 if it is not an integer.
int bits_of(const TypeDescription& type) {
    static constexpr std::array<std::pair<std::string_view, int>, 8> all{
        {{"int8", 7}, {"int16", 15}, {"int32", 31}, {"int64", 63}, {"uint8", 8}, {"uint16", 16}, {"uint32",
                                                                                                  32}, {"uint64", 64}}};
    const auto* found = std::ranges::find(all, type.kind, &std::pair<std::string_view, int>::first);
    return found == all.end() ? 0 : found->second;
}

bool is_signed(const TypeDescription& type) { return type.kind.starts_with("int"); }
bool is_float(const TypeDescription& type) { return type.kind.starts_with("float"); }

// What is written alike on the wire, so that only the values decide.
bool is_alike(const TypeDescription& given, const TypeDescription& wanted) {
    if (wanted.kind == "optional") return given.kind == "nothing" || is_alike(given, wanted.parts[0].type);
    const auto group = [](const TypeDescription& type) -> std::string_view {
        if (bits_of(type) > 0) return "integer";
        if (type.kind == "array" || type.kind == "list" || type.kind == "set" || type.kind == "tuple") return "list";
        return type.kind;
    };
    return group(given) == group(wanted);
}

}  // namespace

std::string to_text(const Signature& signature) {
    std::string text = signature.name + "(";
    for (const PartDescription& parameter : signature.parameters)
        text += fmt::format("{}{}: {}", &parameter == signature.parameters.data() ? "" : ", ", parameter.name,
                            detail::to_text(parameter.type));
    return text + ") -> " + detail::to_text(signature.result);
}

Fit fit_of(const TypeDescription& given, const TypeDescription& wanted) {
    if (given == wanted) return Fit::always;
    const int given_bits = bits_of(given);
    const int wanted_bits = bits_of(wanted);
    if (is_float(wanted) && (is_float(given) || given_bits > 0)) return Fit::always;
    if (given_bits > 0 && wanted_bits >= given_bits && (is_signed(wanted) || !is_signed(given))) return Fit::always;
    return is_alike(given, wanted) ? Fit::perhaps : Fit::never;
}

}  // namespace baton::detail::pool
