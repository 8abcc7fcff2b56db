#include "runtime/inbox/loop.hpp"

namespace baton::detail {
namespace {

// Why a wait ends before what it waits for has come, if it does. An actor that is to drain first goes on waiting, but
// takes no more than what is there.
std::optional<Waited> ended(Self& self, Serving serving) {
    const bool drains = self.ending().stop == Ending::Stop::after_draining && serving == Serving::commands;
    if (self.ends_waits() || drains) return Waited::stopping;
    if (self.ending().has_lost_coordinator) return Waited::gone;
    return std::nullopt;
}

// What a handler waits for besides messages.
void look_at_handler(Handler& handler, const Clock& clock) {
    if (handler.descriptor() >= 0) handler.on_descriptor();
    if (handler.next_deadline().has_passed(clock)) handler.on_deadline();
}

}  // namespace

Loop::Loop(Transport& transport, const Clock& clock, Log& log)
    : Self(transport, clock, log),
      peers_(*this),
      returns_(*this),
      outbox_(*this, peers_, asks_, requests_, returns_, *this),
      asking_(*this, peers_, asks_, requests_, returns_, outbox_, *this),
      replies_(*this, peers_, asking_, returns_),
      commands_(*this, returns_.gifts()),
      exits_(*this, peers_, asking_, returns_, outbox_, replies_, commands_.intake()),
      control_(*this, peers_, outbox_, asking_, requests_, replies_, exits_),
      later_(*this, asks_, outbox_, asking_),
      waits_(*this, commands_, replies_, exits_, control_, later_) {}

// ---- messages out ----------------------------------------------------------------------------------------

Result<void> Loop::send(const Receiver& to, std::string_view tag, std::string_view body, Within within,
                        Urgency urgency, const Parcel* parcel) {
    if (!thread().is_this()) return thread().refusal();
    if (Result<void> ours = require_ours(to.ref); !ours) return ours;
    return outbox_.send(to.ref.id, {.tag = tag, .body = body, .parcel = parcel, .urgency = urgency},
                        within.deadline(clock()));
}

Result<AskId> Loop::request(const Receiver& to, std::string_view tag, std::string_view body, Within within,
                            const Parcel* parcel) {
    if (!thread().is_this()) return thread().refusal();
    if (Result<void> ours = require_ours(to.ref); !ours) return ours.error();
    return asking_.request(to.ref.id, {.tag = tag, .body = body, .parcel = parcel}, within.deadline(clock()));
}

Result<ReplyFrame> Loop::ask(const Receiver& to, std::string_view tag, std::string_view body, Within within,
                             const Parcel* parcel) {
    if (!thread().is_this()) return thread().refusal();
    if (Result<void> ours = require_ours(to.ref); !ours) return ours.error();
    return asking_.ask(to.ref.id, {.tag = tag, .body = body, .parcel = parcel}, within.deadline(clock()));
}

Result<ReplyFrame> Loop::await(AskId ask, Deadline deadline) {
    if (!thread().is_this()) return thread().refusal();
    return asking_.await(ask, deadline);
}

bool Loop::abandon(AskId ask, std::function<void(Result<ReplyFrame>)> take_late) {
    return asking_.abandon(ask, std::move(take_late));
}

// ---- waiting and serving ---------------------------------------------------------------------------------

Waited Loop::serve(Handler* handler, const std::function<bool()>& done, Deadline deadline) {
    thread().require();
    for (bool has_looked_last = false;;) {
        serve_links(Link{});
        commands_.answers().post_waiting();
        if (handler == nullptr && exits_.is_draining() && !is_handling()) handler = commands_.collect_meanwhile();
        serve_between_commands(handler);
        if (done()) return Waited::done;
        const Serving serving = handler == nullptr ? Serving::control_only : Serving::commands;
        if (const std::optional<Waited> end = ended(*this, serving); end) return *end;
        if (handler != nullptr) {
            const Commands::Handled handled = commands_.handle_some(*handler, done);
            if (handled == Commands::Handled::slice) waits_.wait(handler, Deadline{clock().now()}, Link{});
            if (exits_.is_draining()) exits_.tell_drained(handled == Commands::Handled::none);
            if (handled != Commands::Handled::none) continue;
        }
        outbox_.flush();
        returns_.look();
        // What had come by then counts, even if the deadline had passed before the first look.
        if (deadline.has_passed(clock()) && std::exchange(has_looked_last, true)) return Waited::deadline;
        waits_.wait(handler, handler == nullptr ? deadline : deadline.or_earlier(handler->next_deadline()), Link{});
    }
}

void Loop::serve_links(Link also) {
    control_.serve();
    replies_.collect();
    if (also.is_some() && also != control_.link()) static_cast<void>(replies_.take(also));
}

void Loop::serve_between_commands(Handler* handler) {
    const bool is_between = !is_handling();
    if (handler != nullptr && is_between) {
        const bool is_actor = commands_.collector() == nullptr;  // a scenario collects what has come
        returns_.give(is_actor ? Returns::Unwanted::released : Returns::Unwanted::kept);
        exits_.tell();
        control_.inheritances().give(is_actor ? Inheritances::Unwanted::declined : Inheritances::Unwanted::kept);
        later_.continue_settled();
        later_.look_around();
    }
    if (is_between) later_.send_due();
    if (handler != nullptr) look_at_handler(*handler, clock());
}

Waited Loop::wait_until(const std::function<bool()>& done, Deadline deadline) {
    return serve(nullptr, done, deadline);
}

Waited Loop::wait_for(const std::function<bool()>& done, Deadline deadline) {
    return serve(is_handling() ? nullptr : commands_.collector(), done, deadline);
}

Waited Loop::poll(const std::function<bool()>& done, Duration interval, Deadline deadline) {
    thread().require();
    for (;;) {
        serve_links(Link{});
        if (done()) return Waited::done;
        if (const std::optional<Waited> end = ended(*this, Serving::control_only); end) return *end;
        if (deadline.has_passed(clock())) return Waited::deadline;
        wait(deadline.or_earlier(Deadline::in(clock(), interval)), Link{});
    }
}

Deadline Loop::would_wait_for(Handler* handler, std::vector<int>& watched) {
    thread().require();
    return waits_.would_wait_for(handler, watched);
}

void Loop::watch(int descriptor, std::function<void()> on_readable) {
    waits_.watch(descriptor, std::move(on_readable));
}

// ---- its end ---------------------------------------------------------------------------------------------

std::vector<DeadLetter> Loop::finish(Handler& handler) {
    thread().require();
    // A sender that floods does not hold us for long.
    const Deadline enough = Deadline::in(clock(), limits::linger);
    waits_.wait(&handler, Deadline{clock().now()}, Link{});
    Commands::Unread unread;
    while (ending().stop == Ending::Stop::after_draining && commands_.handle_next(handler)) {
        control_.serve();
        commands_.answers().post_waiting();
    }
    while (ending().stop != Ending::Stop::after_draining && !enough.has_passed(clock()))
        if (!commands_.refuse_next(unread)) break;
    outbox_.flush();
    return Commands::dead_letters(unread);
}

void Loop::begin_leaving() {
    ending().is_leaving = true;
    // What links have not taken yet dies with this process.
    Answers& answers = commands_.answers();
    const Deadline enough = Deadline::in(clock(), limits::linger);
    for (answers.post_waiting(); answers.any_waiting() && !enough.has_passed(clock()); answers.post_waiting())
        wait(enough, Link{});
}

}  // namespace baton::detail
