#pragma once
// Brief: a record for a member that knows the same protocol, in place of an envelope and a body with names: a command,
// or the reply to an ask that was one.
//
// It begins with a byte that begins no msgpack value, so the two are told apart by it. It goes through lanes alone, is
// a frame of its own, and is part of no format that anybody else reads: the machine's byte order, the body by position
// (baton/detail/positional.hpp), no segments. A command keeps its name, for those who report it unread.
// It is read where it lies, in memory that another process may change: its head is copied once, the copy is checked,
// and the name is copied before anybody looks at it. Pure functions over bytes.

#include <cstring>
#include <string>
#include <string_view>

#include "runtime/wire/envelope.hpp"

namespace baton::detail {

struct BriefHead {
    static constexpr std::uint8_t brief_mark = 0xc1;  // msgpack never uses it
    std::uint8_t mark = brief_mark;
    MessageKind kind = MessageKind::send;
    std::uint16_t tag_bytes = 0;
    std::uint32_t reserved = 0;
    ActorId from;
    ActorId to;
    std::uint64_t sequence = 0;
    std::uint64_t ask_id = 0;
    std::uint64_t protocol = 0;  // the fingerprint that both sides know
};
static_assert(sizeof(BriefHead) == 48 && std::is_trivially_copyable_v<BriefHead>);
static_assert(limits::tag_bytes_max <= 0xFFFF);

struct Brief {
    BriefHead head;
    std::string_view tag;   // in the memory that was given for it
    std::string_view body;  // where it lies
};

[[nodiscard]] inline bool is_brief(std::string_view frame) noexcept {
    return !frame.empty() && static_cast<std::uint8_t>(frame.front()) == BriefHead::brief_mark;
}
[[nodiscard]] inline std::size_t brief_bytes(std::string_view tag, std::size_t body_bytes) noexcept {
    return sizeof(BriefHead) + tag.size() + body_bytes;
}
// Returns where the body belongs.
inline std::byte* write_brief(std::byte* to, const BriefHead& head, std::string_view tag) noexcept {
    std::memcpy(to, &head, sizeof head);
    std::memcpy(to + sizeof head, tag.data(), tag.size());
    return to + sizeof head + tag.size();
}
// `tag` may hold the name of the last one: the same is not copied again.
[[nodiscard]] Result<Brief> read_brief(std::string_view frame, std::string& tag);

// ---- the reply. Its asker knows of whom it asked this, and what.

struct BriefReplyHead {
    std::uint8_t mark = BriefHead::brief_mark;
    MessageKind kind = MessageKind::reply;
    std::uint16_t reserved = 0;
    std::uint32_t more_reserved = 0;
    std::uint64_t ask_id = 0;
};
static_assert(sizeof(BriefReplyHead) == 16 && std::is_trivially_copyable_v<BriefReplyHead>);

struct BriefReply {
    std::uint64_t ask_id = 0;
    std::string_view body;  // where it lies
};
// Returns where the body belongs.
inline std::byte* write_brief_reply(std::byte* to, std::uint64_t ask_id) noexcept {
    const BriefReplyHead head{.ask_id = ask_id};
    std::memcpy(to, &head, sizeof head);
    return to + sizeof head;
}
[[nodiscard]] Result<BriefReply> read_brief_reply(std::string_view frame);

}  // namespace baton::detail
