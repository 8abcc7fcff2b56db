#pragma once
// Positional: C++ values as bytes without names, between two processes of one machine that know the same protocol.
//
// | C++                                              | bytes, in the machine's own order, nothing aligned     |
// | integers; float, double; bool                    | as in memory; one, 0 or 1                              |
// | an enum                                          | one, 1 if it is negative; the number in eight          |
// | std::string; std::vector<std::byte>              | the length in four; then that many                     |
// | list, set                                        | the count in four; then each element                   |
// | map                                              | the count in four; then each key and its value         |
// | std::array, pair, tuple, a struct                | each part; one byte, 0, if there is none               |
// | std::optional<T>                                 | one, 0 or 1; then T                                    |
// | std::variant<T...>                               | the index in four; then the value                      |
// | std::monostate                                   | one, 0                                                 |
// | Timestamp; std::chrono::duration                 | nanoseconds in eight                                   |
// | Ref<P>, AnyRef, ActorId                          | number and incarnation in four each; session, eight    |
//
// So each value takes a byte at least, and a count is never larger than the bytes that are left. What carries segments
// has no such form. docs/decisions/0023-positional-bodies.md says when it is used.
//
// A value is measured, then written into memory of that size: in one pass, without a buffer. It is read straight into
// the C++ value. The bytes lie in memory that another process may change at any time, so each is read once, what is
// checked is a private copy, and bounds are kept in private memory. Thread rule: pure functions.

#include <atomic>
#include <bit>
#include <cstring>

#include <baton/detail/convert.hpp>

namespace baton::detail::positional {

using namespace convert;

// ---- the size ----------------------------------------------------------------------------------------

// True if all bytes of that size are a value: nothing can be wrong with them.
template <class T, class... Outer>
consteval bool is_plain() {
    if constexpr (std::is_same_v<T, bool> || std::is_enum_v<T> || Held<T> || IsRef<T>::value ||
                  std::is_same_v<T, Timestamp> || IsDuration<T>::value || std::is_same_v<T, std::monostate> ||
                  std::is_same_v<T, ActorId> || std::is_same_v<T, std::string> ||
                  std::is_same_v<T, std::string_view>) {
        return false;
    } else if constexpr (std::is_arithmetic_v<T>) {
        return true;
    } else if constexpr (IsArray<T>::value) {
        return std::tuple_size_v<T> > 0 && is_plain<typename T::value_type, Outer...>();
    } else if constexpr (IsList<T>::value || IsSet<T>::value || IsMap<T>::value || IsOptional<T>::value ||
                         IsVariant<T>::value || IsTuple<T>::value || (std::is_same_v<T, Outer> || ...)) {
        return false;
    } else {
        static_assert(fields_can_travel<T>());
        return []<class... M>(std::type_identity<std::tuple<M&...>>) {
            return sizeof...(M) > 0 && (is_plain<std::remove_cv_t<M>, T, Outer...>() && ...);
        }(std::type_identity<decltype(fields::tie_fields(std::declval<T&>()))>{});
    }
}
template <class T>
consteval std::size_t bytes_of_plain() {
    if constexpr (std::is_arithmetic_v<T>) {
        return sizeof(T);
    } else if constexpr (IsArray<T>::value) {
        return std::tuple_size_v<T> * bytes_of_plain<typename T::value_type>();
    } else {
        return []<class... M>(std::type_identity<std::tuple<M&...>>) {
            return (std::size_t{0} + ... + bytes_of_plain<std::remove_cv_t<M>>());
        }(std::type_identity<decltype(fields::tie_fields(std::declval<T&>()))>{});
    }
}

// Adds up what a value takes, no further than somebody wants to know.
class Meter {
public:
    explicit Meter(std::size_t bytes_max) : bytes_max_(bytes_max) {}
    void add(std::size_t bytes) noexcept { bytes_ += bytes; }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    // Larger than that, or nested deeper than anybody reads.
    [[nodiscard]] bool is_over() const noexcept { return is_too_deep_ || bytes_ > bytes_max_; }
    class Deeper {
    public:
        explicit Deeper(Meter& meter) : meter_(&meter) {
            if (++meter.depth_ > limits::message_depth_max) meter.is_too_deep_ = true;
        }
        ~Deeper() { --meter_->depth_; }
        Deeper(const Deeper&) = delete;
        Deeper& operator=(const Deeper&) = delete;

    private:
        Meter* meter_;
    };

private:
    std::size_t bytes_ = 0;
    std::size_t bytes_max_;
    std::size_t depth_ = 0;
    bool is_too_deep_ = false;
};

template <class T>
void measure(Meter& meter, const T& value) {
    if constexpr (is_plain<T>()) {
        meter.add(bytes_of_plain<T>());
    } else if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::monostate>) {
        meter.add(1);
    } else if constexpr (std::is_enum_v<T>) {
        meter.add(9);
    } else if constexpr (std::is_same_v<T, Timestamp> || IsDuration<T>::value) {
        meter.add(8);
    } else if constexpr (IsRef<T>::value || std::is_same_v<T, ActorId>) {
        meter.add(16);
    } else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view> ||
                         std::is_same_v<T, Bytes>) {
        meter.add(4 + value.size());
    } else if constexpr (IsList<T>::value || IsSet<T>::value || IsMap<T>::value) {
        const Meter::Deeper deeper{meter};
        meter.add(4);
        if constexpr (is_plain<typename T::value_type>()) {
            meter.add(value.size() * bytes_of_plain<typename T::value_type>());
        } else {
            for (const auto& element : value) {
                if (meter.is_over()) return;
                if constexpr (IsMap<T>::value) {
                    measure(meter, element.first);
                    measure(meter, element.second);
                } else {
                    measure<typename T::value_type>(meter, element);
                }
            }
        }
    } else if constexpr (IsOptional<T>::value) {
        meter.add(1);
        if (value.has_value()) measure(meter, *value);
    } else if constexpr (IsVariant<T>::value) {
        const Meter::Deeper deeper{meter};
        meter.add(4);
        std::visit([&meter](const auto& alternative) { measure(meter, alternative); }, value);
    } else if constexpr (IsArray<T>::value) {
        const Meter::Deeper deeper{meter};
        if (value.empty()) meter.add(1);
        for (const auto& element : value) measure(meter, element);
    } else {
        const Meter::Deeper deeper{meter};
        if (meter.is_over()) return;
        const auto all = [&meter](const auto&... part) {
            if constexpr (sizeof...(part) == 0) meter.add(1);
            (measure(meter, part), ...);
        };
        if constexpr (IsTuple<T>::value) std::apply(all, value);
        else std::apply(all, fields::tie_fields(value));
    }
}

// ---- out ---------------------------------------------------------------------------------------------

// Writes behind each other what has been measured.
class Writer {
public:
    explicit Writer(std::byte* to) : at_(to) {}
    template <class Number>
    void number(Number value) noexcept {
        std::memcpy(at_, &value, sizeof value);
        at_ += sizeof value;
    }
    void count(std::size_t value) noexcept { number(static_cast<std::uint32_t>(value)); }
    void bytes(const void* from, std::size_t size) noexcept {
        if (size > 0) std::memcpy(at_, from, size);
        at_ += size;
    }
    [[nodiscard]] std::byte* end() const noexcept { return at_; }

private:
    std::byte* at_;
};

// Numbers that lie in memory as they travel.
template <class T>
inline constexpr bool is_block = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;

template <class T>
void write(Writer& to, const T& value) {
    if constexpr (is_block<T>) {
        to.number(value);
    } else if constexpr (std::is_same_v<T, bool>) {
        to.number(static_cast<std::uint8_t>(value ? 1 : 0));
    } else if constexpr (std::is_same_v<T, std::monostate>) {
        to.number(std::uint8_t{0});
    } else if constexpr (std::is_enum_v<T>) {
        const auto number = static_cast<std::underlying_type_t<T>>(value);
        const bool is_negative = std::is_signed_v<decltype(number)> && static_cast<std::int64_t>(number) < 0;
        to.number(static_cast<std::uint8_t>(is_negative ? 1 : 0));
        to.number(static_cast<std::uint64_t>(number));
    } else if constexpr (std::is_same_v<T, Timestamp>) {
        to.number(static_cast<std::int64_t>(value.time_since_epoch().count()));
    } else if constexpr (IsDuration<T>::value) {
        to.number(nanoseconds_of(value));
    } else if constexpr (std::is_same_v<T, ActorId>) {
        to.number(value.number);
        to.number(value.incarnation);
        to.number(std::uint64_t{0});
    } else if constexpr (IsRef<T>::value) {
        to.number(value.id.number);
        to.number(value.id.incarnation);
        to.number(value.session.letters);
    } else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view> ||
                         std::is_same_v<T, Bytes>) {
        to.count(value.size());
        to.bytes(value.data(), value.size());
    } else if constexpr (IsList<T>::value || IsSet<T>::value || IsMap<T>::value) {
        to.count(value.size());
        if constexpr (is_block<typename T::value_type> && requires { value.data(); }) {
            to.bytes(value.data(), value.size() * sizeof(typename T::value_type));
        } else {
            for (const auto& element : value) {
                if constexpr (IsMap<T>::value) {
                    write(to, element.first);
                    write(to, element.second);
                } else {
                    write<typename T::value_type>(to, element);
                }
            }
        }
    } else if constexpr (IsOptional<T>::value) {
        to.number(static_cast<std::uint8_t>(value.has_value() ? 1 : 0));
        if (value.has_value()) write(to, *value);
    } else if constexpr (IsVariant<T>::value) {
        to.count(value.index());
        std::visit([&to](const auto& alternative) { write(to, alternative); }, value);
    } else if constexpr (IsArray<T>::value) {
        if (value.empty()) to.number(std::uint8_t{0});
        for (const auto& element : value) write(to, element);
    } else {
        const auto all = [&to](const auto&... part) {
            if constexpr (sizeof...(part) == 0) to.number(std::uint8_t{0});
            (write(to, part), ...);
        };
        if constexpr (IsTuple<T>::value) std::apply(all, value);
        else std::apply(all, fields::tie_fields(value));
    }
}

// ---- in ----------------------------------------------------------------------------------------------

// Takes bytes from memory that may change while it is read: each of them once.
class Reader {
public:
    explicit Reader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}
    [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }
    // The next bytes, which are then behind; there are that many.
    [[nodiscard]] const char* take(std::size_t bytes) noexcept {
        const char* const here = at_;
        at_ += bytes;
        return here;
    }
    // A private copy, which is not read again where it came from.
    template <class Number>
    [[nodiscard]] bool number(Number& out) noexcept {
        if (left() < sizeof out) return false;
        std::memcpy(&out, take(sizeof out), sizeof out);
        std::atomic_signal_fence(std::memory_order_seq_cst);
        return true;
    }
    // False, too, if it cannot be true because each element takes a byte.
    [[nodiscard]] bool count(std::uint32_t& out) noexcept { return number(out) && out <= left(); }

    class Deeper {
    public:
        explicit Deeper(Reader& reader) : reader_(&reader) { ++reader.depth_; }
        ~Deeper() { --reader_->depth_; }
        Deeper(const Deeper&) = delete;
        Deeper& operator=(const Deeper&) = delete;
        [[nodiscard]] bool is_too_deep() const noexcept { return reader_->depth_ > limits::message_depth_max; }

    private:
        Reader* reader_;
    };

private:
    const char* at_;
    const char* end_;
    std::size_t depth_ = 0;
};

// Each returns false, to be returned.
bool fail_short(Decoding& at);
bool fail_deep(Decoding& at);
bool fail_flag(Decoding& at, unsigned got);
bool fail_number(Decoding& at, std::string_view expected, bool is_negative, std::uint64_t got);
bool fail_enumerator(Decoding& at, std::span<const std::string_view> names, bool is_negative, std::uint64_t got);
[[nodiscard]] bool read_flag(Reader& from, bool& out, Decoding& at);
[[nodiscard]] bool read_text(Reader& from, std::string& out, Decoding& at);
[[nodiscard]] bool read_ref(Reader& from, ActorId& id, SessionTag& session, Decoding& at);
[[nodiscard]] bool read_nothing(Reader& from, Decoding& at);

// There are that many bytes.
template <class T>
void read_plain(Reader& from, T& out) noexcept {
    if constexpr (std::is_arithmetic_v<T>) {
        std::memcpy(&out, from.take(sizeof out), sizeof out);
    } else if constexpr (IsArray<T>::value) {
        for (auto& element : out) read_plain(from, element);
    } else {
        std::apply([&from](auto&... part) { (read_plain(from, part), ...); }, fields::tie_fields(out));
    }
}

template <class T>
[[nodiscard]] bool read(Reader& from, T& out, Decoding& at);

template <class T>
bool read_elements(Reader& from, T& out, Decoding& at) {
    const Reader::Deeper deeper{from};
    if (deeper.is_too_deep()) return fail_deep(at);
    std::uint32_t count = 0;
    if (!from.count(count)) return fail_short(at);
    out.clear();
    using Element = typename T::value_type;
    if constexpr (is_block<Element> && requires { out.data(); }) {
        if (count > from.left() / sizeof(Element)) return fail_short(at);
        out.resize(count);
        if (count > 0) std::memcpy(out.data(), from.take(count * sizeof(Element)), count * sizeof(Element));
        return true;
    } else {
        if constexpr (requires { out.reserve(0); } && IsList<T>::value) out.reserve(room_for<Element>(count));
        for (std::size_t index = 0; index < count; ++index) {
            const Decoding::Inside here{at, {}, index};
            Element element{};
            if (!read(from, element, at)) return false;
            if constexpr (IsList<T>::value) out.push_back(std::move(element));
            else if (!out.insert(std::move(element)).second) return at.fail("is in the set twice");
        }
        return true;
    }
}
template <class T>
bool read_map(Reader& from, T& out, Decoding& at) {
    const Reader::Deeper deeper{from};
    if (deeper.is_too_deep()) return fail_deep(at);
    std::uint32_t count = 0;
    if (!from.count(count)) return fail_short(at);
    out.clear();
    for (std::size_t index = 0; index < count; ++index) {
        typename T::key_type key{};
        typename T::mapped_type element{};
        {
            const Decoding::Inside here{at, {}, index};
            if (!read(from, key, at) || !read(from, element, at)) return false;
        }
        if (!out.emplace(std::move(key), std::move(element)).second) return at.fail("has a key twice");
    }
    return true;
}
template <class... T>
bool read_variant(Reader& from, std::variant<T...>& out, Decoding& at) {
    const Reader::Deeper deeper{from};
    if (deeper.is_too_deep()) return fail_deep(at);
    std::uint32_t index = 0;
    if (!from.number(index)) return fail_short(at);
    if (index >= sizeof...(T)) return fail_number(at, "the index of an alternative", false, index);
    bool fine = false;
    const auto try_one = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
        if (I != index) return;
        std::variant_alternative_t<I, std::variant<T...>> value{};
        fine = read(from, value, at);
        if (fine) out.template emplace<I>(std::move(value));
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (try_one(std::integral_constant<std::size_t, I>{}), ...);
    }(std::index_sequence_for<T...>{});
    return fine;
}
template <class T>
bool read_enum(Reader& from, T& out, Decoding& at) {
    using Under = std::underlying_type_t<T>;
    bool is_negative = false;
    std::uint64_t number = 0;
    if (!read_flag(from, is_negative, at)) return false;
    if (!from.number(number)) return fail_short(at);
    out = static_cast<T>(static_cast<Under>(number));
    const auto again = static_cast<Under>(number);
    const bool is_same = is_negative ? std::is_signed_v<Under> && static_cast<std::int64_t>(again) < 0 &&
                                           static_cast<std::int64_t>(again) == static_cast<std::int64_t>(number)
                                     : std::in_range<Under>(number);
    if constexpr (std::is_same_v<Under, bool>) {
        if (is_negative || number > 1) return fail_number(at, "an integer in range", is_negative, number);
    } else {
        if (!is_same) return fail_number(at, "an integer in range", is_negative, number);
    }
    return fields::is_enumerator(out) || fail_enumerator(at, fields::enumerator_names<T>, is_negative, number);
}
template <class T>
bool read_parts(Reader& from, T& out, Decoding& at) {
    const Reader::Deeper deeper{from};
    if (deeper.is_too_deep()) return fail_deep(at);
    if constexpr (IsTuple<T>::value) {
        const auto one = [&](std::size_t index, auto& part) {
            const Decoding::Inside here{at, {}, index};
            return read(from, part, at);
        };
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            if constexpr (sizeof...(I) == 0) return read_nothing(from, at);
            return (one(I, std::get<I>(out)) && ...);
        }(std::make_index_sequence<std::tuple_size_v<T>>{});
    } else {
        auto members = fields::tie_fields(out);
        const auto one = [&]<class Member>(std::string_view name, Member& member) {
            const Decoding::Inside here{at, name, 0};
            return read(from, member, at);
        };
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            if constexpr (sizeof...(I) == 0) return read_nothing(from, at);
            return (one(fields::names_of<T>[I], std::get<I>(members)) && ...);
        }(std::make_index_sequence<std::tuple_size_v<decltype(members)>>{});
    }
}

// Fills `out`, which is default-constructed; false and an error in `at` if the bytes are no such value.
template <class T>
bool read(Reader& from, T& out, Decoding& at) {
    if constexpr (is_plain<T>()) {
        if (from.left() < bytes_of_plain<T>()) return fail_short(at);
        read_plain(from, out);
        return true;
    } else if constexpr (std::is_same_v<T, bool>) {
        return read_flag(from, out, at);
    } else if constexpr (std::is_same_v<T, std::monostate>) {
        return read_nothing(from, at);
    } else if constexpr (std::is_enum_v<T>) {
        return read_enum(from, out, at);
    } else if constexpr (std::is_same_v<T, Timestamp>) {
        std::int64_t nanoseconds = 0;
        if (!from.number(nanoseconds)) return fail_short(at);
        out = Timestamp{std::chrono::nanoseconds{nanoseconds}};
        return true;
    } else if constexpr (IsDuration<T>::value) {
        std::int64_t nanoseconds = 0;
        if (!from.number(nanoseconds)) return fail_short(at);
        return duration_of(nanoseconds, out) ||
               fail_number(at, "a duration in range", nanoseconds < 0, static_cast<std::uint64_t>(nanoseconds));
    } else if constexpr (std::is_same_v<T, ActorId>) {
        SessionTag session;
        return read_ref(from, out, session, at);
    } else if constexpr (IsRef<T>::value) {
        return read_ref(from, out.id, out.session, at);
    } else if constexpr (std::is_same_v<T, std::string>) {
        return read_text(from, out, at);
    } else if constexpr (std::is_same_v<T, Bytes>) {
        std::uint32_t count = 0;
        if (!from.count(count)) return fail_short(at);
        const auto* first = reinterpret_cast<const std::byte*>(from.take(count));
        out.assign(first, first + count);
        return true;
    } else if constexpr (IsList<T>::value || IsSet<T>::value) {
        return read_elements(from, out, at);
    } else if constexpr (IsMap<T>::value) {
        return read_map(from, out, at);
    } else if constexpr (IsOptional<T>::value) {
        bool has_value = false;
        out.reset();
        if (!read_flag(from, has_value, at)) return false;
        return !has_value || read(from, out.emplace(), at);
    } else if constexpr (IsVariant<T>::value) {
        return read_variant(from, out, at);
    } else if constexpr (IsArray<T>::value) {
        const Reader::Deeper deeper{from};
        if (deeper.is_too_deep()) return fail_deep(at);
        if (out.empty()) return read_nothing(from, at);
        for (std::size_t index = 0; index < out.size(); ++index) {
            const Decoding::Inside here{at, {}, index};
            if (!read(from, out[index], at)) return false;
        }
        return true;
    } else {
        return read_parts(from, out, at);
    }
}

// ---- values whose type only the caller knows -----------------------------------------------------------

// How much a value takes; more than `bytes_max` if it is larger or nested too deep.
template <class T>
std::size_t measure_of(const T& value, std::size_t bytes_max) {
    if constexpr (is_plain<T>()) {
        return bytes_of_plain<T>();
    } else {
        Meter meter{bytes_max};
        measure(meter, value);
        return meter.is_over() ? bytes_max + 1 : meter.bytes();
    }
}
// Into memory of that size.
using WriteTo = void (*)(const void* value, std::byte* to);
template <class T>
void write_to(const void* value, std::byte* to) {
    Writer writer{to};
    write(writer, *static_cast<const T*>(value));
}
using ReadInto = bool (*)(std::string_view bytes, void* out, Decoding& at);
bool fail_left(Decoding& at, std::size_t bytes);
template <class T>
bool read_into(std::string_view bytes, void* out, Decoding& at) {
    Reader reader{bytes};
    if (!read(reader, *static_cast<T*>(out), at)) return false;
    return reader.left() == 0 || fail_left(at, reader.left());
}

// A command or a reply, still in its C++ form.
struct Body {
    const void* value = nullptr;
    std::size_t bytes = 0;  // over limits::message_bytes_max: too many, or nested too deep
    WriteTo write = nullptr;
};
template <class T>
[[nodiscard]] Body body_of(const T& value) {
    return {&value, measure_of<T>(value, limits::message_bytes_max), &write_to<T>};
}
struct CommandBody : Body {
    std::uint64_t (*protocol)() = nullptr;  // the fingerprint of what its sender takes the receiver for
};
template <class C>
[[nodiscard]] CommandBody body_of(const C& command, std::uint64_t (*protocol)()) {
    return {body_of(command), protocol};
}

}  // namespace baton::detail::positional

namespace baton::detail {

// How a value of some type is read, in whichever form it has come.
struct BodyReader {
    convert::ReadInto by_name = nullptr;
    positional::ReadInto by_position = nullptr;  // nullptr: it has no such form, as it carries segments
};
template <class T>
consteval BodyReader body_reader() {
    if constexpr (carries_held<T>()) return {&convert::read_into<T>, nullptr};
    else return {&convert::read_into<T>, &positional::read_into<T>};
}

}  // namespace baton::detail
