#include <baton/scenario.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <new>

#include "runtime/base/limit_behind.hpp"
#include "runtime/inbox/call.hpp"
#include "runtime/session/session.hpp"
#include "runtime/base/say.hpp"
#include "runtime/base/text.hpp"
#include "runtime/process/birth.hpp"
#include "runtime/process/output.hpp"
#include "runtime/process/signals.hpp"
#include "runtime/base/progress.hpp"

namespace baton {

using namespace detail;

namespace {

constexpr int exit_failed = 1;
constexpr int exit_unavailable = 69;  // EX_UNAVAILABLE of sysexits.h
constexpr int exit_interrupted = 130;

}  // namespace

Scenario::Scenario(Session& session, std::vector<std::string> arguments)
    : session_(&session), arguments_(std::move(arguments)) {}

Context& Scenario::context() noexcept { return session_->context(); }

Result<Ended> Scenario::stop(AnyRef actor, Within within) {
    Result<std::vector<Ended>> ended = session_->stop({actor}, within);
    if (!ended) return ended.error();
    if (ended->empty()) return Error{ErrorKind::timed_out, "the actor has not ended before the deadline"};
    return std::move(ended->front());
}

Result<std::vector<Ended>> Scenario::stop_all(Within within) { return session_->stop({}, within); }
Result<void> Scenario::terminate(AnyRef actor) { return session_->signal(actor, SIGTERM); }
Result<void> Scenario::kill(AnyRef actor) { return session_->signal(actor, SIGKILL); }
Result<Ended> Scenario::join(AnyRef actor, Within within) { return session_->join(actor, within); }
Result<Exit> Scenario::exit_of(AnyRef actor) { return session_->exit_of(actor); }
Result<UniqueFd> Scenario::sentinel(AnyRef actor) { return session_->sentinel(actor); }
Result<std::vector<RosterRow>> Scenario::roster(bool with_exited) { return session_->roster(with_exited); }
Result<void> Scenario::wait_for(const std::function<bool()>& done, Within within) { return session_->wait_for(done, within); }
Result<std::vector<Ended>> Scenario::close(Within within) { return session_->close(within); }
Result<void> Scenario::sync(std::span<const AnyRef> actors, Within within) { return session_->sync(actors, within); }

Result<std::vector<AnyRef>> Scenario::spawn_programs(const std::vector<Program>& programs, std::uint64_t fingerprint) {
    std::vector<Session::SpawnOptions> options;
    Duration deadline = Duration::zero();
    for (const Program& program : programs) {
        options.push_back({program.program, program.name, program.arguments, fingerprint, program.memory_bytes, program.folders});
        deadline = std::max(deadline, program.deadline);
    }
    Progress progress{"starting", options.size(), "actors"};
    const Result<std::vector<Spawned>> spawned =
        session_->spawn(options, deadline, [&progress](std::size_t ready) { progress.reach(ready); });
    if (!spawned) return spawned.error();
    std::vector<AnyRef> actors;
    for (const Spawned& one : *spawned) actors.emplace_back(one.actor.id, session_->loop().session());
    return actors;
}

Result<void> Scenario::collect_bodies(std::string_view command, const Enough& until, convert::ReadInto read, void* all) {
    Result<std::vector<Session::Message>> messages = session_->collect(command, until);
    if (!messages) return messages.error();
    for (Session::Message& message : *messages) {
        Result<ReplyFrame> frame = ReplyFrame{std::move(message.body), 0, std::move(message.arrivals), session_->loop().session()};
        if (std::optional<Error> why = read_reply(frame, read, all); why) return std::move(*why);
    }
    return {};
}

int run_scenario(int argc, char** argv, const std::function<void(Scenario&)>& body) {
    take_over_birth(Birth::program);
    const std::string program = std::filesystem::path(argv[0]).filename().string();
    Session::Entry entry;
    entry.name = readable(program, limits::name_bytes_max);
    std::ranges::replace_if(entry.name, [](unsigned char c) { return c <= ' ' || c == 0x7F; }, '_');
    std::vector<std::string> arguments;
    for (int index = 1; index < argc; ++index) {
        if (std::string_view(argv[index]) == "--session" && index + 1 < argc) {
            entry.session = argv[++index];
        } else {
            arguments.emplace_back(argv[index]);
        }
    }
    Result<StopSignals> signals = StopSignals::install(StopSignals::Second::exits_now);
    Result<std::unique_ptr<Session>> session = std::unique_ptr<Session>{};
    try {
        session = signals ? Session::enter(std::move(entry)) : Result<std::unique_ptr<Session>>{signals.error()};
    } catch (const std::bad_alloc&) {
        session = Error{ErrorKind::overloaded, "no memory is left" + limit_behind(ENOMEM)};
    }
    if (!session) {
        say(fmt::format("{}: {}\n", program, describe(session.error())));
        return exit_unavailable;
    }
    (*session)->loop().watch(signals->fd(), [&] {
        if (signals->take() != 0) (*session)->loop().stop(false);
    });

    int code = 0;
    try {
        Scenario scenario{**session, std::move(arguments)};
        body(scenario);
    } catch (const std::exception& exception) {
        // What a stop interrupted has been told why; there is nothing to add. Nor is there to what it could not print,
        // which is told below.
        if (signals->count() == 0 && std::ferror(stdout) == 0) {
            say(fmt::format("{}: {}\n", program, printable(exception.what(), Lines::many)));
            code = exit_failed;
        }
    }
    if (signals->count() > 0) {
        say(fmt::format("{}: interrupted, stopping\n", program));
        code = exit_interrupted;
    }
    if (const Result<std::vector<Ended>> closed = (*session)->close(); !closed && code == 0) {
        say(fmt::format("{}: {}\n", program, describe(closed.error())));
        code = exit_failed;
    }
    return code == 0 ? code_with_output(program, code) : code;
}

}  // namespace baton
