#include <baton/pending.hpp>

#include "runtime/inbox/call.hpp"

namespace baton::detail {

bool read_spawned(Value from, AnyRef& out, Decoding& at) {
    coordinator::Spawned spawned;
    if (!decode(from, spawned, at)) return false;
    out = AnyRef{spawned.actor.id, at.session()};
    return true;
}

bool PendingReply::ready() {
    if (loop_ == nullptr) return false;
    static_cast<void>(loop_->serve(
        nullptr, [this] { return loop_->is_settled(ask_); }, Deadline{loop_->clock().now()}));
    return loop_->is_settled(ask_);
}

bool PendingReply::is_settled() const { return loop_ != nullptr && loop_->is_settled(ask_); }

bool PendingReply::cancel() noexcept {
    Loop* const loop = std::exchange(loop_, nullptr);
    return loop != nullptr && loop->abandon(ask_) == Fate::withdrawn;
}

void PendingReply::commit() noexcept {
    if (loop_ != nullptr) loop_->asking().commit(ask_);
}

namespace {

Error has_been_taken() { return Error{ErrorKind::refused, "the outcome of this request has been taken already"}; }

Result<void> read_outcome(Result<ReplyFrame> reply, const BodyReader& read, void* out) {
    if (std::optional<Error> why = read_reply(reply, read, out); why) return std::move(*why);
    return {};
}

}  // namespace

Result<void> PendingReply::take(Within within, const BodyReader& read, void* out) {
    if (loop_ == nullptr) return has_been_taken();
    // Another thread's call has changed nothing, and an exception out of the wait leaves it to be waited for again.
    if (!loop_->thread().is_this()) return loop_->thread().refusal();
    Result<ReplyFrame> reply = loop_->await(ask_, within.deadline(loop_->clock()));
    loop_ = nullptr;
    return read_outcome(std::move(reply), read, out);
}

Result<void> PendingReply::take_word(Within within, const BodyReader& read, void* out) {
    if (loop_ == nullptr) return has_been_taken();
    // What throws out of the wait leaves the ask to cancel().
    Result<ReplyFrame> reply = loop_->asking().await_word(ask_, within.deadline(loop_->clock()));
    loop_ = nullptr;
    return read_outcome(std::move(reply), read, out);
}

void PendingReply::then(Within within, std::function<void(const Read&)> take) {
    Loop* const loop = std::exchange(loop_, nullptr);
    if (loop == nullptr) return take([](const BodyReader&, void*) -> Result<void> { return has_been_taken(); });
    const Deadline deadline = within.deadline(loop->clock());
    loop->later().continue_with(ask_, deadline, [take = std::move(take)](Result<ReplyFrame> reply) {
        take([&reply](const BodyReader& read, void* out) { return read_outcome(std::move(reply), read, out); });
    });
}

}  // namespace baton::detail
