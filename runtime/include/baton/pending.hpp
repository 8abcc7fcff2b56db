#pragma once
// Pending: a reply that has not arrived yet, as request() returns it. Thread rule: the thread of the actor or scenario.

#include <functional>
#include <utility>

#include <baton/detail/convert.hpp>
#include <baton/detail/positional.hpp>
#include <baton/protocol.hpp>
#include <baton/ref.hpp>
#include <baton/result.hpp>
#include <baton/time.hpp>

namespace baton {

namespace detail {

class Loop;

// The outcome of one ask, without its type. Move-only.
class PendingReply {
public:
    PendingReply() = default;
    PendingReply(Loop& loop, std::uint64_t ask) : loop_(&loop), ask_(ask) {}
    PendingReply(PendingReply&& other) noexcept : loop_(std::exchange(other.loop_, nullptr)), ask_(other.ask_) {}
    PendingReply& operator=(PendingReply&& other) noexcept {
        if (this != &other) {
            cancel();
            loop_ = std::exchange(other.loop_, nullptr);
            ask_ = other.ask_;
        }
        return *this;
    }
    ~PendingReply() { cancel(); }

    [[nodiscard]] bool ready();
    [[nodiscard]] bool is_settled() const;
    // The outcome into `out`, whose type `read` knows.
    [[nodiscard]] Result<void> take(Within within, const BodyReader& read, void* out);
    [[nodiscard]] Result<void> take_word(Within within, const BodyReader& read, void* out);
    // Calls `take` with a function that does the same, between commands, once the outcome has come or the time has
    // passed.
    using Read = std::function<Result<void>(const BodyReader& read, void* out)>;
    void then(Within within, std::function<void(const Read&)> take);
    bool cancel() noexcept;
    void commit() noexcept;

private:
    Loop* loop_ = nullptr;  // nullptr: taken, or never asked
    std::uint64_t ask_ = 0;
};

// What the coordinator says of a spawn, as the address of the actor.
[[nodiscard]] bool read_spawned(Value from, AnyRef& out, Decoding& at);

template <class R>
inline constexpr BodyReader reply_reader = body_reader<ReplyValue<R>>();
template <class P>
inline constexpr BodyReader spawned_reader{[](Value from, void* out, Decoding& at) {
    AnyRef actor;
    const bool fine = read_spawned(from, actor, at);
    *static_cast<Ref<P>*>(out) = Ref<P>{actor.id, actor.session};
    return fine;
}};

}  // namespace detail

// Move-only. Destroying it discards the reply; the command is withdrawn if its receiver has not begun it. A
// default-constructed one, and one whose outcome was taken, answers `refused`.
template <class R>
class Pending {
public:
    Pending() = default;
    explicit Pending(detail::PendingReply reply, const detail::BodyReader& read = detail::reply_reader<R>)
        : reply_(std::move(reply)), read_(read) {}

    // True once the outcome has come. Looks once, without waiting.
    [[nodiscard]] bool ready() { return reply_.ready(); }
    // True if the outcome is known to have come. Does not look: meant for the condition of a wait_for().
    [[nodiscard]] bool is_settled() const { return reply_.is_settled(); }
    // Waits for the outcome: the reply, the error of the handler, gone, timed_out, stopping. Once.
    [[nodiscard]] Result<R> get(Within within) {
        return detail::read_reply_value<R>([&](void* out) { return reply_.take(within, read_, out); });
    }
    // Like get(), for a receiver that answers at once if it can: with no time left the outcome is what it answers now,
    // or `timed_out` if it does not answer.
    [[nodiscard]] Result<R> get_word(Within within) {
        return detail::read_reply_value<R>([&](void* out) { return reply_.take_word(within, read_, out); });
    }
    // Calls `take` with the outcome, between commands, once it has come; in the meantime the actor goes on with its
    // commands, so it can ask on behalf of others. `timed_out` if the outcome has not come in time. Leaves this empty.
    void then(std::function<void(Result<R>)> take, Within within = limits::ask_timeout) {
        reply_.then(within, [take = std::move(take), read = read_](const detail::PendingReply::Read& outcome) {
            take(detail::read_reply_value<R>([&](void* out) { return outcome(read, out); }));
        });
    }
    // Discards the reply. True if the command is withdrawn: it had not begun, and never will. False if it may have
    // begun, and may still finish.
    bool cancel() noexcept { return reply_.cancel(); }
    // From here on giving up does not withdraw the command: it runs even if nobody waits for its reply any more.
    void commit() noexcept { reply_.commit(); }

private:
    detail::PendingReply reply_;
    detail::BodyReader read_ = detail::reply_reader<R>;
};

}  // namespace baton
