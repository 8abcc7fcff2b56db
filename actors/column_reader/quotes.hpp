#pragma once
// Quotes: which bytes of a CSV text lie in quoted fields, 64 bytes at a time.
//
// The rule is that of Python's csv module: a quote at the start of a field opens it, the next one closes it, two in
// a row stand for one, and a quote in the middle of an unquoted field is a byte like any other. So counting
// quotes is not enough. It is where each opening quote follows a separator or a closing quote, which is
// nearly always; else the quotes of these 64 bytes are looked at one by one.
//
// Plain values: two states that are equal go on equally, which is how a cut in the middle of a file finds out
// whether it lies in quotes (parts.hpp). One thread.

#include <bit>
#include <cstdint>

namespace column_reader {

class Quotes {
public:
    // As at the start of a row, or as inside of a quoted field.
    enum class Start { row, quoted_field };
    explicit Quotes(Start start) noexcept : is_inside_(start == Start::quoted_field), may_open_(!is_inside_) {}

    // `quotes` and `separators` (delimiters and newlines, in quotes or not) are masks of the next 64 bytes; returned
    // are those in a quoted field, its opening quote included.
    [[nodiscard]] std::uint64_t inside(std::uint64_t quotes, std::uint64_t separators) noexcept {
        if (quotes == 0) {
            if (is_inside_) return ~std::uint64_t{0};
            may_open_ = (separators >> 63) != 0;
            return 0;
        }
        std::uint64_t inside = between(quotes);
        const std::uint64_t after = ((separators | quotes) << 1) | std::uint64_t{may_open_};
        if ((quotes & inside & ~after) != 0) [[unlikely]] {
            quotes = without_literal(quotes, separators);
            inside = between(quotes);
        }
        is_inside_ = (inside >> 63) != 0;
        may_open_ = !is_inside_ && ((separators | quotes) >> 63) != 0;
        return inside;
    }

    [[nodiscard]] bool is_inside() const noexcept { return is_inside_; }
    bool operator==(const Quotes&) const = default;

private:
    // From each opening quote up to before its closing one: the parity of the quotes up to each bit.
    [[nodiscard]] std::uint64_t between(std::uint64_t quotes) const noexcept {
        for (int shift = 1; shift < 64; shift *= 2) quotes ^= quotes << shift;
        return is_inside_ ? ~quotes : quotes;
    }

    // The quotes that open or close.
    [[nodiscard]] std::uint64_t without_literal(std::uint64_t quotes, std::uint64_t separators) const noexcept {
        std::uint64_t kept = 0;
        bool is_inside = is_inside_;
        for (std::uint64_t left = quotes; left != 0; left &= left - 1) {
            const std::uint64_t quote = left & -left;
            const bool may_open = quote == 1 ? may_open_ : ((separators | kept) & (quote >> 1)) != 0;
            if (!is_inside && !may_open) continue;
            is_inside = !is_inside;
            kept |= quote;
        }
        return kept;
    }

    bool is_inside_;
    bool may_open_;  // the byte before is a separator or a closing quote; false inside
};

}  // namespace column_reader
