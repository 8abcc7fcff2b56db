#pragma once
// Scenario: a C++ program that plays a story with actors.
//
//     int main(int argc, char** argv) {
//         return baton::run_scenario(argc, argv, [](baton::Scenario& scenario) {
//             auto alice = scenario.spawn<student::Protocol>({"student", "Alice"}).value();
//             fmt::print("{}\n", scenario.ask(alice, student::HoldThis{4}).value());
//         });
//     }
//
// run_scenario joins the session that BATON_SESSION or `--session ID` names, or starts a coordinator of its
// own; when the body ends or throws, everything that the scenario started is stopped. value() of a Result
// throws Failure, which run_scenario reports in one line. Ctrl-C once is an orderly stop (every wait
// answers `stopping`, exit code 130), twice ends at once. One thread: the body's.

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "runtime/session.hpp"

namespace baton {

class Scenario {
public:
    Scenario(Session& session, std::vector<std::string> arguments)
        : session_(&session), arguments_(std::move(arguments)) {}

    // ---- actors
    template <class P>
    Result<Ref<P>> spawn(const Program& program) {
        Result<std::vector<Ref<P>>> one = spawn_all<P>({program});
        if (!one) return one.error();
        return one->front();
    }
    // In parallel, within the longest of their deadlines; with a progress bar when there are several.
    template <class P>
    Result<std::vector<Ref<P>>> spawn_all(const std::vector<Program>& programs) {
        Result<std::vector<Spawned>> spawned = spawn_programs(programs, fingerprint_of(describe_protocol<P>()));
        if (!spawned) return spawned.error();
        std::vector<Ref<P>> refs;
        for (const Spawned& one : *spawned) refs.push_back(Ref<P>{one.actor.id, session_->loop().session()});
        return refs;
    }
    template <class P>
    Result<Ref<P>> find(std::string_view name) {
        return context().find<P>(name);
    }
    // Stopped by the ladder; the exit says how it went.
    Result<Ended> stop(AnyRef actor, Duration deadline = limits::stop_deadline);
    Result<std::vector<Ended>> stop_all(Duration deadline = limits::stop_deadline);
    Result<void> terminate(AnyRef actor) { return session_->signal(actor, 15); }
    Result<void> kill(AnyRef actor) { return session_->signal(actor, 9); }
    Result<Ended> join(AnyRef actor, Duration deadline) { return session_->join(actor, deadline); }
    Result<Exit> exit_of(AnyRef actor) { return session_->exit_of(actor); }
    Result<UniqueFd> sentinel(AnyRef actor) { return session_->sentinel(actor); }
    Result<std::vector<RosterRow>> roster(bool with_exited = false) { return session_->roster(with_exited); }

    // ---- messages; see Context for the contracts
    template <class P, class C>
    Result<void> send(const Ref<P>& to, C&& command, Duration deadline = limits::send_deadline) {
        return context().send(to, std::forward<C>(command), deadline);
    }
    template <class P, class C>
    auto ask(const Ref<P>& to, C&& command, Duration deadline = limits::ask_deadline) {
        return context().ask(to, std::forward<C>(command), deadline);
    }
    template <class P, class C>
    auto request(const Ref<P>& to, C&& command) {
        return context().request(to, std::forward<C>(command));
    }

    // ---- segments; see Context
    Result<Segment> create(std::uint64_t bytes, Duration deadline = limits::memory_deadline) {
        return context().create(bytes, deadline);
    }
    template <Shareable T>
    Result<Segment> create_array(std::vector<std::uint64_t> shape, Duration deadline = limits::memory_deadline) {
        return context().create_array<T>(std::move(shape), deadline);
    }
    Result<Lent> lend(Segment&& segment) { return context().lend(std::move(segment)); }
    Result<void> publish(const Lent& lent, const std::string& name, Published as = Published::to_read) {
        return context().publish(lent, name, as);
    }
    void withdraw(const Lent& lent) { context().withdraw(lent); }
    template <class Held>
    Result<Held> look_up(const std::string& name, Duration deadline = Duration::zero()) {
        return context().look_up<Held>(name, deadline);
    }
    template <Shareable T>
    Result<CreatedOrAttached> create_or_attach(const std::string& name, std::vector<std::uint64_t> shape,
                                               const std::function<void(std::span<T>)>& fill = {},
                                               Duration deadline = limits::memory_deadline) {
        return context().create_or_attach<T>(name, std::move(shape), fill, deadline);
    }
    // Commands of ours that came back with their segments, until there are `until.count` of them or the deadline.
    template <class C>
    Result<std::vector<Bounced<C>>> collect_bounced(const Session::Until& until) {
        // Taken only afterwards: after a failure, or an exception out of the wait, they are there for the next call.
        const auto has_enough = [&] { return context().template bounced_count<C>() >= until.count; };
        Result<void> waited = session_->wait_for(has_enough, until.deadline);
        if (!waited && waited.error().kind != ErrorKind::timed_out) return waited.error();
        std::vector<Bounced<C>> all;
        while (all.size() < until.count) {
            std::optional<Bounced<C>> one = context().template next_bounced<C>();
            if (!one) break;
            all.push_back(std::move(*one));
        }
        return all;
    }
    // To all of them; how many took it. Fewer than all of them: some were gone or overloaded.
    template <class P, class C>
    std::size_t broadcast(std::span<const Ref<P>> to, const C& command) {
        std::size_t taken = 0;
        for (const Ref<P>& one : to)
            if (send(one, command).ok()) ++taken;
        return taken;
    }
    // Asks all at once; one outcome each, in their order, within one deadline.
    template <class P, class C>
    auto ask_all(std::span<const Ref<P>> to, const C& command, Duration duration = limits::ask_deadline)
        -> std::vector<Result<typename C::Reply>> {
        std::vector<Result<Pending<typename C::Reply>>> pending;
        for (const Ref<P>& one : to) pending.push_back(request(one, command));
        const Deadline deadline = Deadline::in(session_->loop().clock(), duration);
        std::vector<Result<typename C::Reply>> outcomes;
        for (auto& one : pending) {
            if (one) {
                outcomes.push_back(one->get(deadline.left(session_->loop().clock())));
            } else {
                outcomes.push_back(one.error());
            }
        }
        return outcomes;
    }
    // Until these actors have handled all that this scenario sent them.
    Result<void> sync(std::span<const AnyRef> actors, Duration deadline = limits::ask_deadline) {
        return session_->sync(actors, deadline);
    }

    // Commands C that came to this scenario, until there are `until.count` of them, or none has come for
    // `until.quiet`, or `until.deadline` has passed; what has come by then is returned.
    template <class C>
    Result<std::vector<C>> collect(const Session::Until& until) {
        Result<std::vector<Session::Message>> messages = session_->collect(command_name<C>, until);
        if (!messages) return messages.error();
        std::vector<C> commands;
        for (Session::Message& message : *messages) {
            Result<C> command = decoded_reply<C>(
                ReplyFrame{std::move(message.body), 0, std::move(message.arrivals), session_->loop().session()});
            if (!command) return command.error();
            commands.push_back(std::move(*command));
        }
        return commands;
    }
    // This scenario's address, as an actor of protocol P.
    template <class P>
    [[nodiscard]] Ref<P> self() {
        return context().self<P>();
    }

    // The command line, without the options of run_scenario.
    [[nodiscard]] std::span<const std::string> arguments() const noexcept { return arguments_; }
    [[nodiscard]] Context& context() noexcept { return session_->context(); }
    [[nodiscard]] Session& session() noexcept { return *session_; }

private:
    [[nodiscard]] Result<std::vector<Spawned>> spawn_programs(const std::vector<Program>& programs, std::uint64_t fingerprint);
    Session* session_;
    std::vector<std::string> arguments_;
};

// Returns what main() shall return: 0, 1 when the body threw, 69 when there is no session, 74 when not all that was printed
// could be written, 130 after Ctrl-C, 141 when the reader of stdout has gone (`... | head -n 1`). The process is settled
// first, as docs/processes.md says.
[[nodiscard]] int run_scenario(int argc, char** argv, const std::function<void(Scenario&)>& body);

}  // namespace baton
