#include "runtime/inbox/spawning.hpp"

#include <csignal>

#include "runtime/inbox/call.hpp"

namespace baton::detail {

Result<Spawning> Spawning::begin(Loop& loop, coordinator::Spawn command, Deadline deadline) {
    command.until = until_of(deadline);
    Result<AskId> ask = loop.request(coordinator_id, command_name<coordinator::Spawn>, encoded_body(command), deadline);
    if (!ask) return ask.error();
    const SpawnOptions& options = command.options;
    const std::string program =
        options.name.empty() ? options.program : fmt::format("{} ({})", options.name, options.program);
    return Spawning{loop, *ask, program, options.timeout, with_grace(loop.clock(), deadline)};
}

Spawning::Spawning(Spawning&& other) noexcept
    : loop_(other.loop_),
      ask_(std::exchange(other.ask_, 0)),
      program_(std::move(other.program_)),
      timeout_(other.timeout_),
      patience_(other.patience_),
      was_given_up_(other.was_given_up_) {}

Spawning::~Spawning() { static_cast<void>(give_up()); }

// True if an answer may still come.
bool Spawning::give_up() {
    if (ask_ == 0) return false;
    return loop_->abandon(std::exchange(ask_, 0), [loop = loop_](Result<ReplyFrame> reply) {
        const Result<coordinator::Spawned> late = decoded_reply<coordinator::Spawned>(std::move(reply));
        if (!late) return;
        loop->log().warn("actor.unwanted", "name={} it was ready only after its spawner had given up: killed",
                         late->name);
        static_cast<void>(tell(*loop, coordinator::Signal{late->actor, SIGKILL}));
    });
}

Result<coordinator::Spawned> Spawning::end() {
    Result<ReplyFrame> reply = loop_->await(ask_, patience_);
    was_given_up_ = give_up();
    if (was_given_up_ && reply.error().kind == ErrorKind::timed_out)
        return Error{
            ErrorKind::timed_out,
            fmt::format("{} has not become an actor within {:.3g} s: the coordinator has not answered (is it frozen?); "
                        "it will not be left running",
                        program_, std::chrono::duration<double>(timeout_).count())};
    return decoded_reply<coordinator::Spawned>(std::move(reply));
}

}  // namespace baton::detail
