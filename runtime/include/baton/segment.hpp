#pragma once
// Segment, Loan, Lease, Slice: memory that actors hand to each other instead of copying it.
//
// | you hold                  | the ledger says             | you may                                         |
// | Segment                   | owned by you                | read, write, give away, lend, export by name    |
// | a moved-from Segment      | in transit, or another's    | assign to it                                    |
// | Loan                      | lent by you, n leases out   | make leases and slices, reclaim                 |
// | Lease                     | all or a range, read-only   | read, drop                                      |
// | Slice                     | an exclusive range of yours | read and write it, drop                         |
// | Slice made by share()     | a range of yours and others | change its words atomically, drop               |
//
//     baton::Segment photo = context.create_array<float>({480, 640}).value();
//     for (float& pixel : photo.as<float>()) pixel = 0.5F;
//     context.send(darkroom, darkroom::Develop{std::move(photo), 1.5F});   // no copy; photo is empty now
//
// All are move-only, and end what they stand for when they are destroyed. A Segment is given by putting it into a
// command or reply; it stays yours until the send was accepted, and comes back as Bounced if the
// receiver dies first. A Loan does not travel; its leases and slices do, once, from lender to borrower.
//
// Bytes are those of the process's memory: no endianness, no pointers, no class with a destructor. The memory is
// not cleared when it is made, and is committed: touching it never fails. What is given away must not be touched
// any more through a pointer kept from before; builds without NDEBUG, or with BATON_GUARD=1, fault at once then.
//
// Errors of as() and at() are thrown as ErrorException (`refused`), because a wrong type is a mistake in the program.
// One thread, the actor's. A handle that outlives its actor or session is empty.

#include <array>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include <baton/result.hpp>
#include <baton/time.hpp>
#include <baton/layout.hpp>
#include <baton/detail/convert.hpp>

namespace baton {

namespace detail {

class Holdings;
class Loop;
struct Access;  // the runtime's way to what is private here

// std::complex<float> and its like: two numbers, the real one first.
template <class T>
concept ComplexNumber = std::is_trivially_copyable_v<T> && requires(const T number) {
    requires std::is_floating_point_v<typename T::value_type>;
    requires sizeof(T) == 2 * sizeof(typename T::value_type);
    number.real();
    number.imag();
};

// What may lie in shared memory: its bytes mean the same in every process.
template <class T>
consteval bool is_shareable() {
    if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_same_v<T, std::byte>) {
        return !std::is_same_v<T, long double>;
    } else if constexpr (ComplexNumber<T>) {
        return sizeof(T) <= 2 * sizeof(double);
    } else if constexpr (convert::IsArray<T>::value) {
        return is_shareable<typename T::value_type>();
    } else if constexpr (std::is_pointer_v<T> || std::is_reference_v<T> || !std::is_trivially_copyable_v<T>) {
        return false;
    } else if constexpr (fields::Struct<T>) {
        return []<class... M>(std::type_identity<std::tuple<M&...>>) {
            return (is_shareable<std::remove_cv_t<M>>() && ...);
        }(std::type_identity<decltype(fields::tie_fields(std::declval<T&>()))>{});
    } else {
        return false;
    }
}

template <class T>
concept Shareable = is_shareable<std::remove_cv_t<T>>();

// The type as NumPy writes it: "<f8", "|u1", "|V24".
template <Shareable T>
[[nodiscard]] std::string element_type() {
    const std::string bytes = std::to_string(sizeof(T));
    const std::string order = sizeof(T) == 1 ? "|" : "<";
    if constexpr (std::is_same_v<T, bool>) return "|b1";
    else if constexpr (std::is_floating_point_v<T>) return order + "f" + bytes;
    else if constexpr (std::is_same_v<T, std::byte>) return "|u1";
    else if constexpr (ComplexNumber<T>) return order + "c" + bytes;
    else if constexpr (std::is_enum_v<T>) return element_type<std::underlying_type_t<T>>();
    else if constexpr (std::is_integral_v<T>) return order + (std::is_signed_v<T> ? "i" : "u") + bytes;
    else return "|V" + bytes;
}

}  // namespace detail

// The layout of an array of T, for calls that take a Layout: layout_of<double>({480, 640}).
template <detail::Shareable T>
[[nodiscard]] Layout layout_of(std::vector<std::uint64_t> shape) {
    return {detail::element_type<T>(), std::move(shape)};
}

namespace detail {

// The common part: a place in the book of Holdings, and the ticket that says whether it is still meant.
class SegmentBase {
public:
    // One that receives a segment if its owner dies: a member of the session, meant as the life that is named, or the
    // next life of the owner itself, if that is restarted after a failure.
    struct Heir {
        AnyRef actor;
        bool is_next_life = false;

        Heir(const AnyRef& heir) : actor(heir) {}  // NOLINT: so that a list of heirs is a list of addresses
        template <class P>
        Heir(const Ref<P>& heir) : actor(heir) {}  // NOLINT
        static Heir next_life() {
            Heir heir{AnyRef{}};
            heir.is_next_life = true;
            return heir;
        }
    };

    SegmentBase() = default;
    SegmentBase(Holdings& holdings, Holding& holding);
    SegmentBase(SegmentBase&& other) noexcept
        : holdings_(std::move(other.holdings_)), holding_(other.holding_), ticket_(other.ticket_) {}
    SegmentBase& operator=(SegmentBase&& other) noexcept;
    SegmentBase(const SegmentBase&) = delete;
    SegmentBase& operator=(const SegmentBase&) = delete;
    ~SegmentBase();

    // False for one that was moved from, given away, or never made.
    explicit operator bool() const noexcept;
    [[nodiscard]] std::uint64_t size_bytes() const;
    // Element type and shape; 0-dimensional without a shape.
    [[nodiscard]] const Layout& layout() const;
    [[nodiscard]] std::span<const std::uint64_t> shape() const { return layout().shape; }
    // "segment 17.3 (float64[480, 640])", for logs.
    [[nodiscard]] std::string to_text() const;

protected:
    friend struct Access;
    [[nodiscard]] Holding* holding() const noexcept;
    [[nodiscard]] Holdings* holdings() const noexcept { return holdings_.get(); }
    // The holding goes to somebody else's hand.
    [[nodiscard]] Holding& release_to_runtime();

    void encode_held(Encoder& encoder) const;
    bool decode_held(Value from, Decoding& at, HandleKind kind);
    Result<void> name_heirs_of_held(const std::vector<Heir>& heirs, std::string_view label);
    [[nodiscard]] std::span<std::byte> memory() const;
    // Throws if T is not the element type. Bytes fit every type, and a struct every record and text of its size.
    void require_type(std::string_view type, std::size_t element_bytes) const;
    [[nodiscard]] std::size_t index_of(std::initializer_list<std::uint64_t> position) const;
    // Of a lease or slice: where in the lender's array it begins, in elements or rows.
    [[nodiscard]] std::uint64_t first_index() const;
    template <class T>
    [[nodiscard]] std::span<T> elements() const {
        using Element = std::remove_const_t<T>;
        static_assert(Shareable<Element>, "bytes of this type do not mean the same in every process");
        require_type(element_type<Element>(), sizeof(Element));
        const std::span<std::byte> bytes = memory();
        return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(Element)};
    }

private:
    std::shared_ptr<Holdings> holdings_;  // nullptr: empty
    Holding* holding_ = nullptr;
    std::uint32_t ticket_ = 0;
};

}  // namespace detail

class Segment : public detail::SegmentBase {
public:
    static constexpr detail::HandleKind held_kind = detail::HandleKind::segment;
    using SegmentBase::SegmentBase;

    [[nodiscard]] std::span<std::byte> bytes() { return memory(); }
    [[nodiscard]] std::span<const std::byte> bytes() const { return memory(); }
    // All elements, rows first. T is the element type, or std::byte.
    template <class T>
    [[nodiscard]] std::span<T> as() { return elements<T>(); }
    template <class T>
    [[nodiscard]] std::span<const T> as() const { return elements<const T>(); }
    // One element, bounds-checked in every dimension: photo.at<float>({row, column}).
    template <class T>
    [[nodiscard]] T& at(std::initializer_list<std::uint64_t> position) { return elements<T>()[index_of(position)]; }
    template <class T>
    [[nodiscard]] const T& at(std::initializer_list<std::uint64_t> position) const {
        return elements<const T>()[index_of(position)];
    }
    // The same bytes under another type or shape that needs no more of them.
    Result<void> reshape(Layout layout);
    // If this actor dies while the segment is its own, the first of them that lives and wants it receives it
    // (Inherited, below) with its type and shape of now and this label. If none does, it is released, and the exit of
    // this actor says so. A gift that its receiver has not taken counts as this actor's own. Named anew, these heirs
    // replace the earlier ones; with an empty list there are none. `refused` for more than limits::heirs_max, or a
    // label of more than limits::heir_label_bytes_max; `overloaded` if memory is short.
    Result<void> name_heirs(const std::vector<Heir>& heirs, std::string_view label = {}) {
        return name_heirs_of_held(heirs, label);
    }

    void encode_into(detail::Encoder& encoder) const { encode_held(encoder); }
    bool decode_from(detail::Value from, detail::Decoding& at) { return decode_held(from, at, held_kind); }
};

class Lease : public detail::SegmentBase {
public:
    static constexpr detail::HandleKind held_kind = detail::HandleKind::lease;
    using SegmentBase::SegmentBase;

    [[nodiscard]] std::span<const std::byte> bytes() const { return memory(); }
    template <class T>
    [[nodiscard]] std::span<const T> as() const { return elements<const T>(); }
    template <class T>
    [[nodiscard]] const T& at(std::initializer_list<std::uint64_t> position) const {
        return elements<const T>()[index_of(position)];
    }
    // The index in the lender's array of this lease's first element, or of its first row; 0 for a lease of all.
    [[nodiscard]] std::uint64_t first() const { return first_index(); }

    void encode_into(detail::Encoder& encoder) const { encode_held(encoder); }
    bool decode_from(detail::Value from, detail::Decoding& at) { return decode_held(from, at, held_kind); }
};

class Slice : public detail::SegmentBase {
public:
    static constexpr detail::HandleKind held_kind = detail::HandleKind::slice;
    using SegmentBase::SegmentBase;

    [[nodiscard]] std::span<std::byte> bytes() { return memory(); }
    [[nodiscard]] std::span<const std::byte> bytes() const { return memory(); }
    template <class T>
    [[nodiscard]] std::span<T> as() { return elements<T>(); }
    template <class T>
    [[nodiscard]] std::span<const T> as() const { return elements<const T>(); }
    template <class T>
    [[nodiscard]] T& at(std::initializer_list<std::uint64_t> position) { return elements<T>()[index_of(position)]; }
    // The index in the lender's array of this slice's first element, or of its first row.
    [[nodiscard]] std::uint64_t first() const { return first_index(); }

    void encode_into(detail::Encoder& encoder) const { encode_held(encoder); }
    bool decode_from(detail::Value from, detail::Decoding& at) { return decode_held(from, at, held_kind); }
};

namespace detail {
class Lender;
}

class Loan : public detail::SegmentBase {
public:
    // What others may do with a segment that is published under a name: read all of it (a Lease), or read it and change
    // its words together by atomic operations (a shared Slice, as share() makes them).
    enum class Published : std::uint8_t { to_read, to_share };

    using SegmentBase::SegmentBase;

    // The right to read all of it, for the actor that it is sent to. Refused while a slice is out.
    [[nodiscard]] Result<Lease> lease();
    // The right to read the elements (of the first dimension: rows) [first, first + count). Leases may overlap each
    // other, and slices may be out beside it: a stencil reads its neighbours' edge rows. Refused if it overlaps a slice
    // that is out.
    [[nodiscard]] Result<Lease> lease(std::uint64_t first, std::uint64_t count);
    // The right to write the elements (of the first dimension: rows) [first, first + count), for one borrower.
    // Refused if it overlaps a slice or lease that is out.
    [[nodiscard]] Result<Slice> slice(std::uint64_t first, std::uint64_t count);
    // Like slice(), but may overlap other shared slices (never a lease or an exclusive slice). Access it only through
    // std::atomic_ref; there is no other synchronization.
    [[nodiscard]] Result<Slice> share(std::uint64_t first, std::uint64_t count);
    // Leases and slices granted or claimed.
    [[nodiscard]] std::uint32_t leases_out() const;
    // As for a Segment. Heirs receive it when all leases and slices have been returned.
    Result<void> name_heirs(const std::vector<Heir>& heirs, std::string_view label = {}) {
        return name_heirs_of_held(heirs, label);
    }
    // Waits until all leases and slices have been returned (those of dead borrowers end by themselves), and returns the
    // Segment; this is then empty. If it is published under a name, the name is withdrawn first, so that nobody new
    // attaches. `timed_out`, and still lent, if some are out at the deadline; `stopping` if this actor is told to stop.
    [[nodiscard]] Result<Segment> reclaim(Within within = std::chrono::seconds{5});

private:
    friend struct detail::Access;
    [[nodiscard]] Result<detail::Lender> lender() const;
    detail::Loop* loop_ = nullptr;  // which waits
};

namespace detail {

// Makes leases and slices of a Loan that somebody else holds, as that could; a copyable value. Once the Loan has
// ended, or was reclaimed, it is refused.
class Lender {
public:
    Lender() = default;  // of nothing
    explicit Lender(const SegmentBase& lent);

    [[nodiscard]] Result<Lease> lease() const;
    [[nodiscard]] Result<Lease> lease(std::uint64_t first, std::uint64_t count) const;
    [[nodiscard]] Result<Slice> slice(std::uint64_t first, std::uint64_t count) const;
    [[nodiscard]] Result<Slice> share(std::uint64_t first, std::uint64_t count) const;

private:
    enum class Right { read, write, share };
    [[nodiscard]] Holding* holding() const noexcept;
    // A Lease or Slice of the elements or rows [first, first + count).
    template <class T>
    [[nodiscard]] Result<T> part(std::uint64_t first, std::uint64_t count, Right right) const;
    std::shared_ptr<Holdings> holdings_;
    Holding* holding_ = nullptr;
    std::uint32_t ticket_ = 0;
};

}  // namespace detail

// What an owner that has died has left to this member (Segment::name_heirs).
struct Inherited {
    Segment segment;
    std::string label;
    // The owner died while it could write: what it did last may be half done. False if it had lent the segment or given
    // it away.
    bool was_written = false;
    AnyRef owner;
    std::string owner_name;
};

// A command that came back with everything that it carried, and the reason. The segments in it are the sender's again.
template <class C>
struct Bounced {
    using CommandType = C;
    C command;
    AnyRef to;
    Error why;
};

namespace detail {

// A segment that several members share under a name, as create_or_attach() returns it.
struct CreatedOrAttached {
    Loan loan;    // of the creator: the name and the memory exist as long as this. Empty: another member created it
    Slice slice;  // all of it
    [[nodiscard]] bool was_created() const { return static_cast<bool>(loan); }
};

// The Bounced<C> that a function takes.
template <class>
struct BouncedOf;
template <class Taker, class C>
struct BouncedOf<void (Taker::*)(Bounced<C>)> {
    using type = Bounced<C>;
};
template <class Taker, class C>
struct BouncedOf<void (Taker::*)(Bounced<C>) const> {
    using type = Bounced<C>;
};

}  // namespace detail

}  // namespace baton
