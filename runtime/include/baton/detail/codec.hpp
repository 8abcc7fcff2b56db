#pragma once
// Codec: the front of msgpack. codec.cpp is the only file of the runtime that includes msgpack-cxx.
//
// Encoder appends one value after another to a Buffer. Unpacker turns bytes into Values: views into the
// bytes and into the unpacker's own memory, valid until its next clear(). Bytes are hostile: depth and
// every length are bounded by what is there (an array of n values needs at least n bytes), so a claim of
// four billion elements in five bytes is `corrupt` and allocates nothing. Decoding says where in a message a Value is
// that does not fit. One thread at a time.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <baton/limits.hpp>
#include <baton/ref.hpp>
#include <baton/result.hpp>
#include <baton/time.hpp>

namespace baton::detail {

using Buffer = std::string;  // encoded bytes

struct Holding;   // what stands behind a Segment, Lease or Slice: runtime/holdings/holdings.hpp
class Arrivals;   // what came with a message: runtime/holdings/arrivals.hpp

// What one message carries, from the encoder that writes the message until it is accepted or has come back; and the C++
// type of the message, by which what comes back finds who wants it.
struct Parcel {
    std::string_view type;
    std::vector<Holding*> holdings;
    bool was_taken = false;  // the receiver has accepted the first of them: those that are left are still on their way
};

// Not an encoded value: an encoder leaves only this for a value that is nested deeper than anybody reads.
inline constexpr std::string_view nested_too_deep = "\xc1";

// It stops soon after the bound of a message, so that what can't travel is not built first: such a value ends up longer
// than `bytes_max`, and the sending code refuses it by its size. Nothing that it is given ends the process.
class Encoder {
public:
    static constexpr std::size_t unbounded = std::size_t{1} << 62;  // for what is not sent
    explicit Encoder(Buffer& out, std::size_t bytes_max = limits::message_bytes_max)
        : out_(&out), begin_(out.size()), end_(out.size() + bytes_max) {}
    // Of a message whose manifest can list handles: what the body refers to is added to `departing`.
    Encoder(Buffer& out, std::vector<Holding*>& departing) : Encoder(out) { departing_ = &departing; }

    // Nothing more is appended: the rest of a long list need not be looked at.
    [[nodiscard]] bool is_full() const noexcept { return is_too_deep_ || out_->size() > end_; }
    // While it lives what is encoded lies one level deeper.
    class Deeper {
    public:
        explicit Deeper(Encoder& encoder) : encoder_(&encoder) {
            if (++encoder.depth_ > limits::message_depth_max) encoder.leave_too_deep();
        }
        ~Deeper() { --encoder_->depth_; }
        Deeper(const Deeper&) = delete;
        Deeper& operator=(const Deeper&) = delete;

    private:
        Encoder* encoder_;
    };

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
    void encoded(std::string_view value) { append(value); }
    // A reference to a handle of the manifest, by its index.
    void handle(std::uint32_t index);
    // Writes a reference to the handle of `holding`, which becomes the last of those that depart. check()s that this
    // message has a manifest.
    void depart(Holding& holding);

private:
    void append(std::string_view bytes);  // enough of it to show that it is too long
    template <class Pack>
    void packed(Pack&& pack);
    void leave_too_deep();

    Buffer* out_;
    std::vector<Holding*>* departing_ = nullptr;
    std::size_t begin_;
    std::size_t end_;
    std::size_t depth_ = 0;
    bool is_too_deep_ = false;
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
    [[nodiscard]] double real() const noexcept;  // of an integer, too
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

class Unpacker {
public:
    Unpacker();
    // Asks for that much memory at once, and keeps it from one clear() to the next: for large values. What is not used
    // of it takes addresses only.
    explicit Unpacker(std::size_t bytes);
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

// Where in a command the decoder stands, and what it found wrong there. The path is only spelled out when
// something is wrong.
class Decoding {
public:
    explicit Decoding(std::string_view root, Arrivals* arrivals = nullptr, SessionTag session = {})
        : root_{root, 0, nullptr}, arrivals_(arrivals), session_(session) {}
    Decoding(const Decoding&) = delete;
    Decoding& operator=(const Decoding&) = delete;
    // What came with the message; nullptr if nothing can.
    [[nodiscard]] Arrivals* arrivals() const noexcept { return arrivals_; }
    // In which it came: that of a Ref which does not say its own.
    [[nodiscard]] SessionTag session() const noexcept { return session_; }

    struct Step {
        std::string_view name;  // of a field, or empty for an element
        std::size_t index;
        const Step* outer;
    };

    // One step deeper, as long as it lives.
    class Inside {
    public:
        Inside(Decoding& at, std::string_view field, std::size_t index) : at_(&at), step_{field, index, at.here_} {
            at.here_ = &step_;
        }
        ~Inside() { at_->here_ = step_.outer; }
        Inside(const Inside&) = delete;
        Inside& operator=(const Inside&) = delete;

    private:
        Decoding* at_;
        Step step_;
    };

    // Both return false, to be returned.
    bool expected(std::string_view what, Value got);
    bool fail(std::string_view what);

    [[nodiscard]] Error take_error() { return Error{ErrorKind::refused, std::move(text_)}; }

private:
    [[nodiscard]] std::string path() const;
    Step root_;
    const Step* here_ = &root_;
    std::string text_;
    Arrivals* arrivals_;
    SessionTag session_;
};

}  // namespace baton::detail
