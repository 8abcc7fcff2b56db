#include "runtime/wire/element_type.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "runtime/base/text.hpp"
#include <baton/limits.hpp>

namespace baton::detail {
namespace {

constexpr std::size_t simple_bytes_max = 14;  // "|V1099511627776" has no more

std::optional<std::uint64_t> product(std::uint64_t a, std::uint64_t b) noexcept {
    std::uint64_t out = 0;
    if (__builtin_mul_overflow(a, b, &out) || out > limits::segment_bytes_max) return std::nullopt;
    return out;
}

struct Simple {
    char kind = 0;
    std::uint64_t bytes = 0;
};

std::optional<Simple> simple_of(std::string_view type) noexcept {
    if (type.size() < 3 || type.size() > simple_bytes_max + 1) return std::nullopt;
    Simple out{type[1], 0};
    const auto [end, error] = std::from_chars(type.data() + 2, type.data() + type.size(), out.bytes);
    if (error != std::errc{} || end != type.data() + type.size() || type[2] == '0' ||
        out.bytes > limits::segment_bytes_max)
        return std::nullopt;
    const auto is = [&out](std::initializer_list<std::uint64_t> sizes) {
        for (const std::uint64_t size : sizes)
            if (out.bytes == size) return true;
        return false;
    };
    switch (out.kind) {
        case 'V':
        case 'S': return type[0] == '|' ? std::optional{out} : std::nullopt;
        case 'i':
        case 'u':
            if (!is({1, 2, 4, 8})) return std::nullopt;
            break;
        case 'f':
            if (!is({2, 4, 8, 16})) return std::nullopt;
            break;
        case 'c':
            if (!is({8, 16, 32})) return std::nullopt;
            break;
        case 'b':
            if (!is({1})) return std::nullopt;
            break;
        default: return std::nullopt;
    }
    return type[0] == (out.bytes == 1 ? '|' : '<') ? std::optional{out} : std::nullopt;
}

// Reads a record; tells each field to `out`, when there is one.
class RecordReader {
public:
    RecordReader(std::string_view text, std::string* out) noexcept : rest_(text), out_(out) {}

    // All of the text.
    std::optional<std::uint64_t> read() {
        const std::optional<std::uint64_t> bytes = record(1);
        return bytes && rest_.empty() ? bytes : std::nullopt;
    }

private:
    bool take(char expected) noexcept {
        if (!rest_.starts_with(expected)) return false;
        rest_.remove_prefix(1);
        return true;
    }

    // A name or a type in quotes.
    std::optional<std::string_view> quoted() noexcept {
        if (!take('\'')) return std::nullopt;
        const std::size_t end = rest_.find_first_of("'\\");
        if (end == std::string_view::npos || rest_[end] != '\'') return std::nullopt;
        const std::string_view text = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        for (const char letter : text)
            if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7F) return std::nullopt;
        return is_utf8(text) ? std::optional{text} : std::nullopt;
    }

    // "(2,3)" or "(2,)".
    std::optional<std::uint64_t> shape(std::string& shown) {
        if (!take('(')) return std::nullopt;
        std::uint64_t elements = 1;
        for (std::size_t dimension = 0; !take(')'); ++dimension) {
            if (dimension == limits::shape_dimensions_max) return std::nullopt;
            std::uint64_t length = 0;
            const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), length);
            if (error != std::errc{} || length == 0) return std::nullopt;
            rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
            const std::optional<std::uint64_t> more = product(elements, length);
            if (!more) return std::nullopt;
            elements = *more;
            if (out_ != nullptr) shown += fmt::format("{}{}", dimension == 0 ? "" : ", ", length);
            if (!take(',') && !rest_.starts_with(')')) return std::nullopt;
        }
        return elements;
    }

    std::optional<std::uint64_t> field(std::size_t depth, bool is_first) {
        if (!take('(')) return std::nullopt;
        const std::optional<std::string_view> name = quoted();
        if (!name || !take(',')) return std::nullopt;
        const bool is_shown = out_ != nullptr && !name->empty();
        if (is_shown) *out_ += fmt::format("{}{}: ", is_first ? "" : ", ", *name);
        std::optional<std::uint64_t> bytes;
        if (rest_.starts_with('[')) {
            std::string* const shown = out_;
            if (name->empty()) out_ = nullptr;  // a gap
            bytes = record(depth + 1);
            out_ = shown;
        } else if (const std::optional<std::string_view> type = quoted(); type) {
            const std::optional<Simple> simple = simple_of(*type);
            if (simple) bytes = simple->bytes;
            if (is_shown) *out_ += text_of_element_type(*type);
        }
        if (!bytes) return std::nullopt;
        if (take(',')) {
            std::string shown;
            const std::optional<std::uint64_t> elements = shape(shown);
            if (!elements) return std::nullopt;
            bytes = product(*bytes, *elements);
            if (is_shown) *out_ += "[" + shown + "]";
        }
        return bytes && take(')') ? bytes : std::nullopt;
    }

    std::optional<std::uint64_t> record(std::size_t depth) {
        if (depth > limits::record_depth_max || !take('[')) return std::nullopt;
        if (out_ != nullptr) *out_ += '{';
        std::uint64_t sum = 0;
        bool is_first = true;
        do {
            const bool has_name = !rest_.starts_with("(''");
            const std::optional<std::uint64_t> bytes = field(depth, is_first);
            if (!bytes || *bytes > limits::segment_bytes_max - sum) return std::nullopt;
            sum += *bytes;
            is_first = is_first && !has_name;
        } while (take(','));
        if (out_ != nullptr) *out_ += '}';
        return take(']') ? std::optional{sum} : std::nullopt;
    }

    std::string_view rest_;
    std::string* out_;
};

}  // namespace

std::optional<std::uint64_t> bytes_of_element_type(std::string_view type) noexcept {
    if (is_record_type(type))
        return type.size() <= limits::element_type_bytes_max ? RecordReader{type, nullptr}.read() : std::nullopt;
    const std::optional<Simple> simple = simple_of(type);
    return simple ? std::optional{simple->bytes} : std::nullopt;
}

bool is_seen_as(std::string_view is, std::string_view wanted) noexcept {
    if (is == wanted) return true;
    const bool is_bytes = is_record_type(is) || is.starts_with("|S") || is.starts_with("|V");
    return is_bytes && wanted.starts_with("|V") && bytes_of_element_type(is) == bytes_of_element_type(wanted);
}

std::string text_of_element_type(std::string_view type) {
    if (is_record_type(type)) {
        std::string text;
        return RecordReader{type, &text}.read() ? text : std::string(type);
    }
    const std::optional<Simple> simple = simple_of(type);
    if (!simple) return std::string(type);
    switch (simple->kind) {
        case 'i': return fmt::format("int{}", simple->bytes * 8);
        case 'u': return fmt::format("uint{}", simple->bytes * 8);
        case 'f': return fmt::format("float{}", simple->bytes * 8);
        case 'c': return fmt::format("complex{}", simple->bytes * 8);
        case 'b': return "bool";
        case 'S': return fmt::format("bytes of {}", simple->bytes);
        default: return fmt::format("struct of {} bytes", simple->bytes);
    }
}

}  // namespace baton::detail
