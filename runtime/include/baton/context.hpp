#pragma once
// Context: everything that an actor can do to the world. Its verbs are those of every member (<baton/member.hpp>): send
// and ask, hold memory, start and stop others, wait. They return a Result. The Context is passed to the actor's
// constructor and is valid as long as the actor lives. One thread: the actor's.

#include <baton/member.hpp>

namespace baton {

class Context final : public detail::Verbs<detail::Returning> {
public:
    explicit Context(detail::Loop& loop, std::vector<std::string> arguments = {}) : Verbs(loop, std::move(arguments)) {}
    explicit Context(detail::Directory& directory, std::vector<std::string> arguments = {})
        : Verbs(directory, std::move(arguments)) {}

    using Verbs::stop;
    // Ends this actor after the command that it is handling. What the inbox still holds is reported as dead letters.
    void stop();
    using Verbs::link;
    // Links this actor with another one: they end together.
    [[nodiscard]] Result<void> link(AnyRef other) { return link(AnyRef{id(), session()}, other); }
    using Verbs::unlink;
    [[nodiscard]] Result<void> unlink(AnyRef other) { return unlink(AnyRef{id(), session()}, other); }
    // The sender of the command that is being handled, as its connection proves. Nobody between commands.
    [[nodiscard]] AnyRef sender() const noexcept;
};

namespace detail {

// How the verbs of a member fail, Returning or Throwing: for what is made with a member and fails as its verbs do.
template <class Face>
Face face_of(const Verbs<Face>& member);  // for its type alone
template <class M>
using FaceOf = decltype(face_of(std::declval<const M&>()));
template <class M>
concept AnyMember = requires(const M& member) { face_of(member); };

// The Context of an actor, which is itself, or of a scenario.
template <AnyMember M>
[[nodiscard]] Context& context_of(M& member) noexcept {
    if constexpr (requires { member.context(); }) return member.context();
    else return member;
}

}  // namespace detail
}  // namespace baton
