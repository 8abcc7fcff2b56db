#pragma once
// Element types: what an element of shared memory is, as NumPy writes it.
//
//   "|b1" "|u1" "<i4" "<f8" "<c16"      bool, integers, floats, complex numbers; little-endian, as on all our machines
//   "|S5"                               text or other bytes of a fixed length, filled up with zeros
//   "|V24"                              that many bytes, whatever they mean: what a struct of C++ is
//   "[('x','<f4'),('at','<i8',(2,)),('','|V4')]"
//                                       a record: its fields in order, each a type (a record, too) and perhaps a shape.
//                                       Those without a name are gaps. No blanks
//
// These texts come from peers: they are read within limits::element_type_bytes_max and limits::record_depth_max.
// Pure functions.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace baton::detail {

// How many bytes one element has, 1 and more; nothing for what is none of these types.
[[nodiscard]] std::optional<std::uint64_t> bytes_of_element_type(std::string_view type) noexcept;

[[nodiscard]] constexpr bool is_record_type(std::string_view type) noexcept { return type.starts_with('['); }

// True if memory of type `is` may be looked at as `wanted`: the same type, or plain bytes of the element's size.
[[nodiscard]] bool is_seen_as(std::string_view is, std::string_view wanted) noexcept;

// "float64", "complex64", "bytes of 5", "{x: float32, at: int64[2]}", for people.
[[nodiscard]] std::string text_of_element_type(std::string_view type);

}  // namespace baton::detail
