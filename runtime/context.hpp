#pragma once
// Context: all that an actor may do to the world. Five verbs (send, ask, request, spawn, stop) and a few
// facts. Handed to the actor's constructor and valid as long as the actor lives. One thread: the actor's.
//
// Every wait has a deadline and ends at a stop. What can fail says so by its Result; a command that was not
// accepted is still yours to send again.

#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/inbox/call.hpp"
#include "runtime/protocol.hpp"
#include "runtime/ref.hpp"
#include "runtime/wire/convert.hpp"
#include "runtime/wire/description.hpp"

namespace baton {

// The answer to come of a request. Move-only; the one who lets it go does not hear the answer.
template <class R>
class Pending {
public:
    Pending(Loop& loop, AskId ask) : loop_(&loop), ask_(ask) {}
    Pending(Pending&& other) noexcept : loop_(std::exchange(other.loop_, nullptr)), ask_(other.ask_) {}
    Pending& operator=(Pending&& other) noexcept {
        if (this != &other) {
            cancel();
            loop_ = std::exchange(other.loop_, nullptr);
            ask_ = other.ask_;
        }
        return *this;
    }
    ~Pending() { cancel(); }

    // Has the outcome come? Looks once, without waiting.
    [[nodiscard]] bool ready();
    // Waits for the outcome: reply, error of the handler, gone, timed_out, stopping. Once: afterwards the
    // Pending is empty, and `refused` is all it answers.
    [[nodiscard]] Result<R> get(Duration deadline);
    void cancel() noexcept {
        if (Loop* loop = std::exchange(loop_, nullptr); loop != nullptr) loop->abandon(ask_);
    }

private:
    Loop* loop_;
    AskId ask_;
};

// What to start. The name is what the roster and the logs say; empty means after the program. An actor's
// children are named below it: "class/alice".
struct Program {
    std::string program;                       // looked up beside this program, beside the coordinator, in PATH
    std::string name = {};
    std::vector<std::string> arguments = {};   // the actor reads them from its Context
    Duration deadline = limits::spawn_deadline;
};

class Context {
public:
    explicit Context(Loop& loop, std::vector<std::string> arguments = {})
        : loop_(&loop), arguments_(std::move(arguments)) {}

    // ---- the five verbs
    // Delivers without a reply. ok() means: on its way, in order behind what was sent to `to` before. When
    // the receiver is behind, waits (back-pressure) until the deadline, then `overloaded`.
    template <class P, class C>
    Result<void> send(const Ref<P>& to, const C& command, Duration deadline = limits::send_deadline) {
        static_assert(AcceptedBy<P, C>, "this command is not in the receiver's protocol");
        return loop_->send(to.id, command_name<C>, encoded(command), deadline, urgency_);
    }

    // Delivers and waits for the reply; other commands wait meanwhile (no re-entrance).
    template <class P, class C>
    auto ask(const Ref<P>& to, const C& command, Duration deadline = limits::ask_deadline) {
        static_assert(AcceptedBy<P, C>, "this command is not in the receiver's protocol");
        static_assert(HasReply<C>, "this command has no Reply: it can be sent, not asked");
        return decoded_reply<typename C::Reply>(loop_->ask(to.id, command_name<C>, encoded(command), deadline));
    }

    // Delivers, and gives a Pending to wait for later: the way to ask many at once.
    template <class P, class C>
    auto request(const Ref<P>& to, const C& command, Duration deadline = limits::send_deadline)
        -> Result<Pending<typename C::Reply>> {
        static_assert(AcceptedBy<P, C>, "this command is not in the receiver's protocol");
        static_assert(HasReply<C>, "this command has no Reply: it can be sent, not asked");
        Result<AskId> ask = loop_->request(to.id, command_name<C>, encoded(command), deadline);
        if (!ask) return ask.error();
        return Pending<typename C::Reply>{*loop_, *ask};
    }

    // Starts a program as an actor and waits until it is ready. It ends with this actor at the latest.
    template <class P>
    Result<Ref<P>> spawn(const Program& program) {
        Result<coordinator::Spawned> spawned = spawn_program(program, fingerprint_of(describe_protocol<P>()));
        if (!spawned) return spawned.error();
        return Ref<P>{spawned->actor.id};
    }

    // Ends this actor after the command in hand. What the inbox still holds is reported as dead letters.
    void stop() { loop_->stop(false); }

    // ---- facts
    [[nodiscard]] const std::string& name() const noexcept { return loop_->name(); }
    [[nodiscard]] ActorId id() const noexcept { return loop_->me(); }
    template <class P>
    [[nodiscard]] Ref<P> self() const noexcept {
        return Ref<P>{loop_->me()};
    }
    // What the spawner gave along.
    [[nodiscard]] std::span<const std::string> arguments() const noexcept { return arguments_; }
    // The address of another actor by its name in the roster.
    template <class P>
    Result<Ref<P>> find(std::string_view name) {
        Result<coordinator::Spawned> found = find_actor(name, fingerprint_of(describe_protocol<P>()));
        if (!found) return found.error();
        return Ref<P>{found->actor.id};
    }
    [[nodiscard]] bool is_stopping() const noexcept { return loop_->is_stopping(); }
    [[nodiscard]] Instant now() const { return loop_->clock().now(); }
    [[nodiscard]] Log& log() const noexcept { return loop_->log(); }

    // For the runtime.
    [[nodiscard]] Loop& loop() const noexcept { return *loop_; }
    void send_at_once() noexcept { urgency_ = Loop::Urgency::now; }
    [[nodiscard]] Result<coordinator::Spawned> find_actor(std::string_view name, std::uint64_t fingerprint);

private:
    [[nodiscard]] Result<coordinator::Spawned> spawn_program(const Program& program, std::uint64_t fingerprint);

    template <class C>
    std::string_view encoded(const C& command) {
        body_.clear();
        Encoder encoder{body_};
        encode(encoder, command);
        return body_;
    }
    Loop* loop_;
    std::vector<std::string> arguments_;
    Buffer body_;
    // Within a handler what waits goes out when it returns; outside of one nobody would send it later.
    Loop::Urgency urgency_ = Loop::Urgency::may_share;
};

template <class R>
bool Pending<R>::ready() {
    if (loop_ == nullptr) return false;
    static_cast<void>(loop_->serve(nullptr, [this] { return loop_->is_settled(ask_); },
                                   Deadline{loop_->clock().now()}));
    return loop_->is_settled(ask_);
}

template <class R>
Result<R> Pending<R>::get(Duration deadline) {
    Loop* loop = std::exchange(loop_, nullptr);
    if (loop == nullptr) return Error{ErrorKind::refused, "the outcome of this request has been taken already"};
    return decoded_reply<R>(loop->await(ask_, Deadline::in(loop->clock(), deadline)));
}

}  // namespace baton
