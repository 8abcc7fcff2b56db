#pragma once
// ActorId: which actor, and which life of it.
//
// `number` is the actor's row in the session's roster and vitals and may be used again after an exit has
// been settled; `incarnation` then is one higher, so an ActorId never means two actors. The coordinator is
// number 1 in every session. SessionTag: of which session, so that an address that was carried into another one is
// told apart there. Plain values, no thread rule.

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace baton {

struct ActorId {
    std::uint32_t number = 0;  // 0: nobody
    std::uint32_t incarnation = 0;

    auto operator<=>(const ActorId&) const = default;
    [[nodiscard]] bool is_somebody() const noexcept { return number != 0; }
};

inline constexpr ActorId coordinator_id{1, 1};

// "3.1": as in logs and in the names of sockets.
[[nodiscard]] inline std::string to_string(ActorId id) {
    return std::to_string(id.number) + "." + std::to_string(id.incarnation);
}

// The first eight letters of a session's id, which are all that it has. None: of the session in which it is used.
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
    // Whether the two may mean one session.
    [[nodiscard]] constexpr bool fits(SessionTag other) const noexcept {
        return letters == other.letters || !is_some() || !other.is_some();
    }
};

[[nodiscard]] inline std::string to_string(SessionTag tag) {
    std::string id;
    for (std::uint64_t letters = tag.letters; letters != 0; letters >>= 8) id += static_cast<char>(letters & 0xFF);
    return id;
}

}  // namespace baton

template <>
struct std::hash<baton::ActorId> {
    std::size_t operator()(baton::ActorId id) const noexcept {
        return std::hash<std::uint64_t>{}(std::uint64_t{id.number} << 32 | id.incarnation);
    }
};
