#pragma once
// Ref: the typed address of an actor. A plain value that may be copied, stored and sent in a command.
//
// It names one life of one actor and opens nothing by itself: before the first message to that actor, the coordinator
// is asked once where its inbox lies. If the actor has exited, the Ref stays valid and calls with it return `gone`. A
// Ref knows its session: in another one it is `refused`, because the same numbers mean another actor there. AnyRef is a
// Ref without a protocol; scripts use it. Thread rule: plain values.

#include <baton/limits.hpp>

#include <fmt/format.h>

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace baton {

// Identifies one life of one actor. `number` is the actor's row in the session's roster. It may be reused after an exit
// has been settled; then `incarnation` is one higher, so an ActorId never means two actors. The coordinator is number 1
// in every session.
struct ActorId {
    std::uint32_t number = 0;  // 0: nobody
    std::uint32_t incarnation = 0;

    auto operator<=>(const ActorId&) const = default;
    [[nodiscard]] bool is_somebody() const noexcept { return number != 0; }
};

// "3.1", as in logs and in the names of sockets.
[[nodiscard]] inline std::string to_string(ActorId id) {
    return std::to_string(id.number) + "." + std::to_string(id.incarnation);
}

namespace detail {

inline constexpr ActorId coordinator_id{1, 1};

// One connection, as one side sees it: of this process only. 0: none.
struct Link {
    std::uint32_t index = 0;
    auto operator<=>(const Link&) const = default;
    [[nodiscard]] bool is_some() const noexcept { return index != 0; }
};

// The id of a session, which has at most eight letters. Empty: the session in which the Ref is used.
struct SessionTag {
    std::uint64_t letters = 0;

    [[nodiscard]] static constexpr SessionTag of(std::string_view id) noexcept {
        SessionTag tag;
        for (std::size_t index = 0; index < id.size() && index < 8; ++index)
            tag.letters |= std::uint64_t{static_cast<unsigned char>(id[index])} << (8 * index);
        return tag;
    }
    auto operator<=>(const SessionTag&) const = default;
    [[nodiscard]] constexpr bool is_some() const noexcept { return letters != 0; }
    // True if the two may mean the same session.
    [[nodiscard]] constexpr bool fits(SessionTag other) const noexcept {
        return letters == other.letters || !is_some() || !other.is_some();
    }
};

[[nodiscard]] inline std::string to_string(SessionTag tag) {
    std::string id;
    for (std::uint64_t letters = tag.letters; letters != 0; letters >>= 8) id += static_cast<char>(letters & 0xFF);
    return id;
}

// Equal if they name the same life of the same actor, and the same session as far as both name one.
[[nodiscard]] constexpr std::strong_ordering compared(ActorId a, SessionTag of_a, ActorId b, SessionTag of_b) noexcept {
    if (const auto order = a <=> b; order != 0) return order;
    return of_a.fits(of_b) ? std::strong_ordering::equal : of_a <=> of_b;
}

}  // namespace detail

template <class Protocol>
struct Ref {
    ActorId id;
    detail::SessionTag session = {};  // empty if it was made by hand: the session in which it is used

    friend bool operator==(const Ref& a, const Ref& b) noexcept { return (a <=> b) == 0; }
    friend std::strong_ordering operator<=>(const Ref& a, const Ref& b) noexcept {
        return detail::compared(a.id, a.session, b.id, b.session);
    }
    // False for a default-constructed Ref, which addresses nobody.
    explicit operator bool() const noexcept { return id.is_somebody(); }
};

struct AnyRef {
    ActorId id;
    detail::SessionTag session;

    friend bool operator==(const AnyRef& a, const AnyRef& b) noexcept { return (a <=> b) == 0; }
    friend std::strong_ordering operator<=>(const AnyRef& a, const AnyRef& b) noexcept {
        return detail::compared(a.id, a.session, b.id, b.session);
    }

    AnyRef() = default;
    explicit AnyRef(ActorId actor, detail::SessionTag of = {}) : id(actor), session(of) {}
    template <class Protocol>
    AnyRef(const Ref<Protocol>& ref) : id(ref.id), session(ref.session) {}  // NOLINT: forgetting the type is safe
};

class Member;

// An actor by its name, across its lives. A Ref names one life; if that has ended, so has the Ref.
//
// What is sent or asked through a Named goes to the actor that has the name now. Its Ref is kept, so that costs no
// message more than a Ref does; when that life has ended the next one is looked up. While an actor is between two lives
// (Restart), a command waits for the next one, as long as the call may wait. An ask that a life has taken is never
// given to another one: if that life ends, the ask ends as `gone`, once. For the thread of the member that uses it.
template <class P>
class Named {
public:
    explicit Named(std::string name) : name_(std::move(name)) {}
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    // The life that was used last; nobody before the first use.
    [[nodiscard]] Ref<P> last() const noexcept { return Ref<P>{held_.id, held_.session}; }

private:
    friend class Member;
    std::string name_;
    AnyRef held_;
};

}  // namespace baton

template <>
struct std::hash<baton::ActorId> {
    std::size_t operator()(baton::ActorId id) const noexcept {
        return std::hash<std::uint64_t>{}(std::uint64_t{id.number} << 32 | id.incarnation);
    }
};

template <>
struct std::hash<baton::detail::Link> {
    std::size_t operator()(baton::detail::Link link) const noexcept { return link.index; }
};

// "3.1"; refs are formatted in the same way.
template <>
struct fmt::formatter<baton::ActorId> : fmt::formatter<std::string> {
    template <class FormatContext>
    auto format(baton::ActorId id, FormatContext& context) const {
        return fmt::formatter<std::string>::format(baton::to_string(id), context);
    }
};
template <>
struct fmt::formatter<baton::AnyRef> : fmt::formatter<baton::ActorId> {
    template <class FormatContext>
    auto format(const baton::AnyRef& ref, FormatContext& context) const {
        return fmt::formatter<baton::ActorId>::format(ref.id, context);
    }
};
template <class Protocol>
struct fmt::formatter<baton::Ref<Protocol>> : fmt::formatter<baton::ActorId> {
    template <class FormatContext>
    auto format(const baton::Ref<Protocol>& ref, FormatContext& context) const {
        return fmt::formatter<baton::ActorId>::format(ref.id, context);
    }
};
