#include <baton/layout.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/wire/element_type.hpp"

namespace baton {

using namespace detail;

namespace {

std::optional<std::uint64_t> product(std::uint64_t a, std::uint64_t b) {
    std::uint64_t out = 0;
    if (__builtin_mul_overflow(a, b, &out)) return std::nullopt;
    return out;
}

}  // namespace

std::optional<std::uint64_t> Layout::element_bytes() const noexcept { return bytes_of_element_type(type); }

std::optional<std::uint64_t> Layout::elements() const noexcept {
    std::optional<std::uint64_t> count = 1;
    for (const std::uint64_t length : shape)
        if (count) count = product(*count, length);
    return count;
}

std::optional<std::uint64_t> Layout::bytes() const noexcept {
    const std::optional<std::uint64_t> element = element_bytes();
    const std::optional<std::uint64_t> count = elements();
    return element && count ? product(*element, *count) : std::nullopt;
}

std::string to_text(const Layout& layout) {
    return fmt::format("{}[{}]", text_of_element_type(layout.type), fmt::join(layout.shape, ", "));
}

namespace detail {

std::string_view name_of(HandleKind kind) noexcept {
    switch (kind) {
        case HandleKind::segment: return "segment";
        case HandleKind::lease: return "lease";
        case HandleKind::slice: return "slice";
    }
    return "unknown";
}

std::optional<HandleKind> handle_kind_of(std::string_view name) noexcept {
    for (const HandleKind kind : {HandleKind::segment, HandleKind::lease, HandleKind::slice})
        if (name_of(kind) == name) return kind;
    return std::nullopt;
}

}  // namespace detail

}  // namespace baton
