#include <baton/detail/codec.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <msgpack.hpp>
#include <vector>

#include "runtime/base/check.hpp"

namespace baton::detail {
namespace {

struct Appender {
    Buffer& out;
    void write(const char* bytes, std::size_t size) { out.append(bytes, size); }
};

constexpr std::int8_t timestamp_extension = -1;  // the msgpack specification's own number
constexpr std::int8_t handle_extension = 1;      // ours: four bytes, the index in the manifest
constexpr std::uint32_t handle_bytes = 4;

const msgpack::object& of(const void* object) { return *static_cast<const msgpack::object*>(object); }

// Of what is far longer than a message may be nobody reads more than its first bytes.
std::uint32_t size_of(std::size_t size) {
    return static_cast<std::uint32_t>(std::min<std::size_t>(size, std::numeric_limits<std::uint32_t>::max()));
}

template <std::size_t Bytes, class Number>
std::string big_endian(unsigned char head, Number number) {
    std::string out(1, static_cast<char>(head));
    for (std::size_t byte = Bytes; byte-- > 0;)
        out += static_cast<char>(static_cast<unsigned char>(number >> (8 * byte)));
    return out;
}

}  // namespace

// ---- Encoder ---------------------------------------------------------------------------------------

void Encoder::append(std::string_view bytes) {
    if (is_full()) return;
    out_->append(bytes.substr(0, end_ - out_->size() + 1));
}

template <class Pack>
void Encoder::packed(Pack&& pack) {
    if (is_full()) return;
    Appender appender{*out_};
    msgpack::packer<Appender> packer{appender};
    pack(packer);
}

void Encoder::leave_too_deep() {
    if (is_too_deep_) return;
    is_too_deep_ = true;
    out_->resize(begin_);
    out_->append(nested_too_deep);
}

void Encoder::nil() {
    packed([](auto& packer) { packer.pack_nil(); });
}
void Encoder::boolean(bool value) {
    packed([value](auto& packer) { packer.pack(value); });
}
void Encoder::integer(std::int64_t value) {
    packed([value](auto& packer) { packer.pack_int64(value); });
}
void Encoder::unsigned_integer(std::uint64_t value) {
    packed([value](auto& packer) { packer.pack_uint64(value); });
}
// By hand: msgpack-cxx writes 2.0 as the integer 2, and -0.0 as 0.
void Encoder::real32(float value) { append(big_endian<4>(0xca, std::bit_cast<std::uint32_t>(value))); }
void Encoder::real64(double value) { append(big_endian<8>(0xcb, std::bit_cast<std::uint64_t>(value))); }
void Encoder::timestamp(Timestamp value) {
    packed([value](auto& packer) { packer.pack(value); });
}
void Encoder::array(std::size_t size) {
    packed([size](auto& packer) { packer.pack_array(size_of(size)); });
}
void Encoder::map(std::size_t size) {
    packed([size](auto& packer) { packer.pack_map(size_of(size)); });
}
void Encoder::text(std::string_view value) {
    packed([value](auto& packer) { packer.pack_str(size_of(value.size())); });
    append(value);
}
void Encoder::bytes(std::span<const std::byte> value) {
    packed([value](auto& packer) { packer.pack_bin(size_of(value.size())); });
    append({reinterpret_cast<const char*>(value.data()), value.size()});
}

void Encoder::handle(std::uint32_t index) {
    packed([index](auto& packer) {
        const unsigned char body[handle_bytes]{
            static_cast<unsigned char>(index >> 24), static_cast<unsigned char>(index >> 16),
            static_cast<unsigned char>(index >> 8), static_cast<unsigned char>(index)};
        packer.pack_ext(handle_bytes, handle_extension);
        packer.pack_ext_body(reinterpret_cast<const char*>(body), handle_bytes);
    });
}
void Encoder::depart(Holding& holding) {
    check(departing_ != nullptr, "a message that carries segments has a manifest");
    handle(static_cast<std::uint32_t>(departing_->size()));
    departing_->push_back(&holding);
}

// ---- Value -----------------------------------------------------------------------------------------

std::string_view name_of(ValueKind kind) noexcept {
    switch (kind) {
        case ValueKind::nil: return "nothing";
        case ValueKind::boolean: return "bool";
        case ValueKind::integer: return "integer";
        case ValueKind::real: return "float";
        case ValueKind::text: return "string";
        case ValueKind::bytes: return "bytes";
        case ValueKind::array: return "list";
        case ValueKind::map: return "map";
        case ValueKind::timestamp: return "timestamp";
        case ValueKind::handle: return "segment";
        case ValueKind::other: break;
    }
    return "unknown extension";
}

ValueKind Value::kind() const noexcept {
    if (object_ == nullptr) return ValueKind::nil;
    const msgpack::object& object = of(object_);
    switch (object.type) {
        case msgpack::type::NIL: return ValueKind::nil;
        case msgpack::type::BOOLEAN: return ValueKind::boolean;
        case msgpack::type::POSITIVE_INTEGER:
        case msgpack::type::NEGATIVE_INTEGER: return ValueKind::integer;
        case msgpack::type::FLOAT32:
        case msgpack::type::FLOAT64: return ValueKind::real;
        case msgpack::type::STR: return ValueKind::text;
        case msgpack::type::BIN: return ValueKind::bytes;
        case msgpack::type::ARRAY: return ValueKind::array;
        case msgpack::type::MAP: return ValueKind::map;
        case msgpack::type::EXT: {
            const std::uint32_t size = object.via.ext.size;
            const bool is_timestamp = object.via.ext.type() == timestamp_extension &&
                                      (size == 4 || size == 8 || size == 12);
            if (object.via.ext.type() == handle_extension && size == handle_bytes) return ValueKind::handle;
            return is_timestamp ? ValueKind::timestamp : ValueKind::other;
        }
        default: return ValueKind::other;
    }
}

bool Value::boolean() const noexcept { return of(object_).via.boolean; }

bool Value::to_integer(std::int64_t& out) const noexcept {
    const msgpack::object& object = of(object_);
    if (object.type == msgpack::type::NEGATIVE_INTEGER) {
        out = object.via.i64;
        return true;
    }
    if (object.via.u64 > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return false;
    out = static_cast<std::int64_t>(object.via.u64);
    return true;
}

bool Value::to_unsigned(std::uint64_t& out) const noexcept {
    const msgpack::object& object = of(object_);
    if (object.type == msgpack::type::NEGATIVE_INTEGER) return false;
    out = object.via.u64;
    return true;
}

double Value::real() const noexcept {
    const msgpack::object& object = of(object_);
    if (object.type == msgpack::type::POSITIVE_INTEGER) return static_cast<double>(object.via.u64);
    if (object.type == msgpack::type::NEGATIVE_INTEGER) return static_cast<double>(object.via.i64);
    return object.via.f64;
}

std::string_view Value::text() const noexcept {
    const msgpack::object& object = of(object_);
    return {object.via.str.ptr, object.via.str.size};
}

std::span<const std::byte> Value::bytes() const noexcept {
    const msgpack::object& object = of(object_);
    return {reinterpret_cast<const std::byte*>(object.via.bin.ptr), object.via.bin.size};
}

Timestamp Value::timestamp() const noexcept {
    // Read here and not by msgpack-cxx, whose conversion throws on hostile nanoseconds.
    const msgpack::object_ext& ext = of(object_).via.ext;
    const auto* byte = reinterpret_cast<const unsigned char*>(ext.data());
    const auto big_endian = [byte](std::size_t from, std::size_t count) {
        std::uint64_t value = 0;
        for (std::size_t i = from; i < from + count; ++i) value = value << 8 | byte[i];
        return value;
    };
    std::uint64_t nanoseconds = 0;
    std::int64_t seconds = 0;
    if (ext.size == 4) {
        seconds = static_cast<std::int64_t>(big_endian(0, 4));
    } else if (ext.size == 8) {
        const std::uint64_t packed = big_endian(0, 8);
        nanoseconds = packed >> 34;
        seconds = static_cast<std::int64_t>(packed & 0x3FFFFFFFFULL);
    } else {
        nanoseconds = big_endian(0, 4);
        seconds = static_cast<std::int64_t>(big_endian(4, 8));
    }
    seconds = std::clamp<std::int64_t>(seconds, -timestamp_max.count(), timestamp_max.count());
    nanoseconds = std::min<std::uint64_t>(nanoseconds, 999'999'999);
    return Timestamp{std::chrono::nanoseconds{seconds * 1'000'000'000 + static_cast<std::int64_t>(nanoseconds)}};
}

std::uint32_t Value::handle() const noexcept {
    const auto* byte = reinterpret_cast<const unsigned char*>(of(object_).via.ext.data());
    return std::uint32_t{byte[0]} << 24 | std::uint32_t{byte[1]} << 16 | std::uint32_t{byte[2]} << 8 | byte[3];
}

std::size_t Value::size() const noexcept {
    const msgpack::object& object = of(object_);
    return object.type == msgpack::type::MAP ? object.via.map.size : object.via.array.size;
}

Value Value::at(std::size_t index) const noexcept { return Value{&of(object_).via.array.ptr[index]}; }
Value Value::key_at(std::size_t index) const noexcept { return Value{&of(object_).via.map.ptr[index].key}; }
Value Value::value_at(std::size_t index) const noexcept { return Value{&of(object_).via.map.ptr[index].val}; }

// ---- Unpacker --------------------------------------------------------------------------------------

struct Unpacker::Memory {
    explicit Memory(std::size_t bytes) : zone(bytes) {}
    msgpack::zone zone;
    std::vector<std::unique_ptr<msgpack::object>> more;  // roots after the first
    msgpack::object first;
    bool first_in_use = false;
};

Unpacker::Unpacker() : Unpacker(MSGPACK_ZONE_CHUNK_SIZE) {}
Unpacker::Unpacker(std::size_t bytes) : memory_(std::make_unique<Memory>(bytes)) {}
Unpacker::~Unpacker() = default;
Unpacker::Unpacker(Unpacker&&) noexcept = default;
Unpacker& Unpacker::operator=(Unpacker&&) noexcept = default;

void Unpacker::clear() {
    memory_->zone.clear();
    memory_->more.clear();
    memory_->first_in_use = false;
}

Result<Value> Unpacker::next(std::string_view bytes, std::size_t& offset) {
    const std::size_t left = bytes.size() - std::min(offset, bytes.size());
    // Every element takes at least one byte, a map's pair two.
    const msgpack::unpack_limit limit{left, left / 2, left, left, left, limits::message_depth_max};
    const auto keep_by_reference = [](msgpack::type::object_type, std::size_t, void*) { return true; };
    msgpack::object* root = &memory_->first;
    if (memory_->first_in_use) root = memory_->more.emplace_back(std::make_unique<msgpack::object>()).get();
    memory_->first_in_use = true;
    try {
        bool referenced = false;
        *root = msgpack::unpack(memory_->zone, bytes.data(), bytes.size(), offset, referenced,
                                keep_by_reference, nullptr, limit);
        return Value{root};
    } catch (const msgpack::insufficient_bytes&) {
        return Error{ErrorKind::corrupt, "the bytes end in the middle of a msgpack value"};
    } catch (const msgpack::size_overflow& overflow) {
        return Error{ErrorKind::corrupt,
                     fmt::format("a msgpack value claims more than the message holds or nests deeper than {}: {}",
                                 limits::message_depth_max, overflow.what())};
    } catch (const std::exception& exception) {  // parse_error, bad_alloc
        return Error{ErrorKind::corrupt, fmt::format("not msgpack: {}", exception.what())};
    }
}

}  // namespace baton::detail
