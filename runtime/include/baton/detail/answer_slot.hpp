#pragma once
// AnswerSlot: the way back to the actor that asked.

#include <cstdint>
#include <string>
#include <string_view>

#include <baton/ref.hpp>
#include <baton/result.hpp>

namespace baton::detail {

class Answers;
struct Command;
struct Parcel;
enum class MessageKind : std::uint8_t;

// One connection, as one side sees it: of this process only. 0: none.
struct Link {
    std::uint32_t index = 0;
    auto operator<=>(const Link&) const = default;
    [[nodiscard]] bool is_some() const noexcept { return index != 0; }
};

// Answers one ask, once. Move-only; may be kept and answered later, by the loop's thread. Dropped without an
// answer, it answers `failed` itself, or `stopping` where its actor ends, so that no asker waits in vain. For a
// command that was only sent it takes the answer and does nothing.
class AnswerSlot {
public:
    AnswerSlot() = default;
    AnswerSlot(Answers& answers, const Command& command);
    AnswerSlot(AnswerSlot&& other) noexcept;
    AnswerSlot& operator=(AnswerSlot&& other) noexcept;
    ~AnswerSlot();

    [[nodiscard]] bool is_asked() const noexcept { return ask_id_ != 0; }
    [[nodiscard]] ActorId asker() const noexcept { return asker_; }
    [[nodiscard]] Link link() const noexcept { return link_; }

    // One encoded value. What it carries leaves the caller's hands when the reply is on its way, else it stays.
    void reply(std::string_view body, const Parcel* parcel = nullptr);
    void fail(const Error& error);

private:
    void drop();
    void answer(MessageKind kind, std::string_view body);
    Answers* answers_ = nullptr;  // nullptr: answered
    Link link_;
    ActorId asker_;
    std::uint64_t ask_id_ = 0;
    std::string tag_;
};

}  // namespace baton::detail

template <>
struct std::hash<baton::detail::Link> {
    std::size_t operator()(baton::detail::Link link) const noexcept { return link.index; }
};
