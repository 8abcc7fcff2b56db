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

#include <baton/context.hpp>
#include <baton/detail/unique_fd.hpp>

namespace baton {

namespace detail {

class Session;

}  // namespace detail

// How much of what comes is enough.
struct Enough {
    std::size_t count = limits::collected_commands_max;  // so many are
    Duration quiet = Duration::max();                    // none that is wanted for so long is
    Within within = limits::ask_deadline;            // what has come by then is, in any case
};

class Scenario {
public:
    Scenario(detail::Session& session, std::vector<std::string> arguments);

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
        Result<std::vector<AnyRef>> spawned = spawn_programs(programs, detail::fingerprint_of(detail::describe_protocol<P>()));
        if (!spawned) return std::move(spawned.error());
        std::vector<Ref<P>> refs;
        for (const AnyRef& one : *spawned) refs.push_back(Ref<P>{one.id, one.session});
        return refs;
    }
    template <class P>
    Result<Ref<P>> find(std::string_view name) {
        return context().find<P>(name);
    }
    // Stopped by the ladder; the exit says how it went.
    Result<Ended> stop(AnyRef actor, Within within = limits::stop_deadline);
    Result<std::vector<Ended>> stop_all(Within within = limits::stop_deadline);
    Result<void> terminate(AnyRef actor);
    Result<void> kill(AnyRef actor);
    Result<Ended> join(AnyRef actor, Within within);
    Result<Exit> exit_of(AnyRef actor);
    // A descriptor that becomes readable when the process of that actor has ended; see Session::sentinel.
    Result<detail::UniqueFd> sentinel(AnyRef actor);
    Result<std::vector<RosterRow>> roster(bool with_exited = false);
    // Waits until `done`, which is asked whenever something has come: `timed_out` at the deadline, `stopping`. Commands
    // that come are kept for collect().
    Result<void> wait_for(const std::function<bool()>& done, Within within);
    // Ends everything before the body does, and returns every exit of the session's life; afterwards all answers `gone`.
    Result<std::vector<Ended>> close(Within within = limits::stop_deadline);

    // ---- messages; see Context for the contracts
    template <class P, class C>
    Result<void> send(const Ref<P>& to, C&& command, Within within = limits::send_deadline) {
        return context().send(to, std::forward<C>(command), within);
    }
    template <class P, class C>
    auto ask(const Ref<P>& to, C&& command, Within within = limits::ask_deadline) {
        return context().ask(to, std::forward<C>(command), within);
    }
    template <class P, class C>
    auto request(const Ref<P>& to, C&& command) {
        return context().request(to, std::forward<C>(command));
    }

    // ---- segments; see Context
    Result<Segment> create(std::uint64_t bytes, Within within = limits::memory_deadline) {
        return context().create(bytes, within);
    }
    template <Shareable T>
    Result<Segment> create_array(std::vector<std::uint64_t> shape, Within within = limits::memory_deadline) {
        return context().create_array<T>(std::move(shape), within);
    }
    Result<Lent> lend(Segment&& segment) { return context().lend(std::move(segment)); }
    Result<void> publish(const Lent& lent, const std::string& name, Published as = Published::to_read) {
        return context().publish(lent, name, as);
    }
    void withdraw(const Lent& lent) { context().withdraw(lent); }
    template <class Held>
    Result<Held> look_up(const std::string& name, Within within = Duration::zero()) {
        return context().look_up<Held>(name, within);
    }
    template <Shareable T>
    Result<CreatedOrAttached> create_or_attach(const std::string& name, std::vector<std::uint64_t> shape,
                                               const std::function<void(std::span<T>)>& fill = {},
                                               Within within = limits::memory_deadline) {
        return context().create_or_attach<T>(name, std::move(shape), fill, within);
    }
    // Commands of ours that came back with their segments, until there are `until.count` of them or the deadline.
    template <class C>
    Result<std::vector<Bounced<C>>> collect_bounced(const Enough& until) {
        // Taken only afterwards: after a failure, or an exception out of the wait, they are there for the next call.
        const auto has_enough = [&] { return context().template bounced_count<C>() >= until.count; };
        Result<void> waited = context().wait_for(has_enough, until.within);
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
    auto ask_all(std::span<const Ref<P>> to, const C& command, Within within = limits::ask_deadline)
        -> std::vector<Result<typename C::Reply>> {
        std::vector<Result<Pending<typename C::Reply>>> pending;
        for (const Ref<P>& one : to) pending.push_back(request(one, command));
        const Deadline deadline = context().deadline(within);
        std::vector<Result<typename C::Reply>> outcomes;
        for (auto& one : pending) {
            if (one) {
                outcomes.push_back(one->get(deadline));
            } else {
                outcomes.push_back(one.error());
            }
        }
        return outcomes;
    }
    // Until these actors have handled all that this scenario sent them.
    Result<void> sync(std::span<const AnyRef> actors, Within within = limits::ask_deadline);

    // Commands C that came to this scenario, until there are `until.count` of them, or none has come for
    // `until.quiet`, or `until.within` has passed; what has come by then is returned.
    template <class C>
    Result<std::vector<C>> collect(const Enough& until) {
        std::vector<C> commands;
        const auto read = [](detail::Value from, void* all, detail::Decoding& at) {
            return detail::decode(from, static_cast<std::vector<C>*>(all)->emplace_back(), at);
        };
        if (Result<void> done = collect_bodies(detail::command_name<C>, until, read, &commands); !done) return std::move(done.error());
        return commands;
    }
    // This scenario's address, as an actor of protocol P.
    template <class P>
    [[nodiscard]] Ref<P> self() {
        return context().self<P>();
    }

    // The command line, without the options of run_scenario.
    [[nodiscard]] std::span<const std::string> arguments() const noexcept { return arguments_; }
    [[nodiscard]] Context& context() noexcept;

private:
    friend struct detail::Access;
    [[nodiscard]] Result<std::vector<AnyRef>> spawn_programs(const std::vector<Program>& programs, std::uint64_t fingerprint);
    [[nodiscard]] Result<void> collect_bodies(std::string_view command, const Enough& until, detail::convert::ReadInto read, void* all);
    detail::Session* session_;
    std::vector<std::string> arguments_;
};

// Returns what main() shall return: 0, 1 when the body threw, 69 when there is no session, 74 when not all that was printed
// could be written, 130 after Ctrl-C, 141 when the reader of stdout has gone (`... | head -n 1`). The process is settled
// first, as docs/processes.md says.
[[nodiscard]] int run_scenario(int argc, char** argv, const std::function<void(Scenario&)>& body);

}  // namespace baton
