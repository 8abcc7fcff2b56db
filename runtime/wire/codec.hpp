#pragma once
// Codec: the front of msgpack and UTF-8. codec.cpp is the only file of the runtime that includes msgpack-cxx
// and utfcpp.
//
// Encoder appends one value after another to a Buffer. Unpacker turns bytes into Values: views into the
// bytes and into the unpacker's own memory, valid until its next clear(). Bytes are hostile: depth and
// every length are bounded by what is there (an array of n values needs at least n bytes), so a claim of
// four billion elements in five bytes is `corrupt` and allocates nothing. One thread at a time.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/result.hpp"

namespace baton {

using Buffer = std::string;  // encoded bytes

struct Holding;   // what stands behind a Segment, Lease or Slice: runtime/holdings/holdings.hpp
class Arrivals;   // what came with a message: runtime/holdings/arrivals.hpp

class Encoder {
public:
    explicit Encoder(Buffer& out) : out_(&out) {}
    // Of a message whose manifest can list handles: what the body refers to is added to `departing`.
    Encoder(Buffer& out, std::vector<Holding*>& departing) : out_(&out), departing_(&departing) {}

    void nil();
    void boolean(bool value);
    void integer(std::int64_t value);
    void unsigned_integer(std::uint64_t value);
    void real32(float value);
    void real64(double value);
    void text(std::string_view value);
    void bytes(std::span<const std::byte> value);
    void timestamp(Timestamp value);
    void array(std::size_t size);  // then `size` values
    void map(std::size_t size);    // then `size` pairs
    void encoded(std::string_view value) { out_->append(value); }
    // A reference to a handle of the manifest, by its index.
    void handle(std::uint32_t index);
    // The same of `holding`, which becomes the last of those that depart. check()s that this message has a manifest.
    void depart(Holding& holding);

private:
    Buffer* out_;
    std::vector<Holding*>* departing_ = nullptr;
};

enum class ValueKind { nil, boolean, integer, real, text, bytes, array, map, timestamp, handle, other };
[[nodiscard]] std::string_view name_of(ValueKind kind) noexcept;

// One decoded value. An accessor may be called only for its kind; integer accessors answer whether the
// value fits.
class Value {
public:
    Value() = default;
    explicit Value(const void* object) : object_(object) {}

    [[nodiscard]] ValueKind kind() const noexcept;
    [[nodiscard]] bool boolean() const noexcept;
    [[nodiscard]] bool to_integer(std::int64_t& out) const noexcept;
    [[nodiscard]] bool to_unsigned(std::uint64_t& out) const noexcept;
    [[nodiscard]] double real() const noexcept;  // also of an integer
    [[nodiscard]] std::string_view text() const noexcept;
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept;
    [[nodiscard]] Timestamp timestamp() const noexcept;
    [[nodiscard]] std::uint32_t handle() const noexcept;  // the index in the manifest
    [[nodiscard]] std::size_t size() const noexcept;  // of an array or map
    [[nodiscard]] Value at(std::size_t index) const noexcept;
    [[nodiscard]] Value key_at(std::size_t index) const noexcept;
    [[nodiscard]] Value value_at(std::size_t index) const noexcept;

private:
    const void* object_ = nullptr;
};

// Text on the wire is UTF-8 (no overlong forms, no surrogates), so that every language can read it.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

class Unpacker {
public:
    Unpacker();
    ~Unpacker();
    Unpacker(Unpacker&&) noexcept;
    Unpacker& operator=(Unpacker&&) noexcept;

    // The value that starts at `offset`, which then stands behind it.
    [[nodiscard]] Result<Value> next(std::string_view bytes, std::size_t& offset);
    // Ends the life of all Values handed out.
    void clear();

private:
    struct Memory;
    std::unique_ptr<Memory> memory_;
};

}  // namespace baton
