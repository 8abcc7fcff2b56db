#pragma once
// ActorId: which actor, and which life of it.
//
// `number` is the actor's row in the session's roster and vitals and may be used again after an exit has
// been settled; `incarnation` then is one higher, so an ActorId never means two actors. The coordinator is
// number 1 in every session. Plain value, no thread rule.

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

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

}  // namespace baton

template <>
struct std::hash<baton::ActorId> {
    std::size_t operator()(baton::ActorId id) const noexcept {
        return std::hash<std::uint64_t>{}(std::uint64_t{id.number} << 32 | id.incarnation);
    }
};
