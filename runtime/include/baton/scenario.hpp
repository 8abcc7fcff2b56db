#pragma once
// Scenario: a C++ program that drives actors.
//
//     int main(int argc, char** argv) {
//         return baton::run_scenario(argc, argv, [](baton::Scenario& scenario) {
//             auto alice = scenario.spawn<student::Protocol>({"student", "Alice"});
//             fmt::print("{}\n", scenario.ask(alice, student::HoldThis{4}));
//         });
//     }
//
// run_scenario joins the session that BATON_SESSION or `--session ID` names, or starts a coordinator of its own. When
// the body ends or throws, everything that the scenario started is stopped. The verbs are those of every member
// (<baton/member.hpp>); here they return their value and throw ErrorException, which run_scenario reports in one line.
// The first Ctrl-C stops the scenario in good order (every wait ends as `stopping`, exit code 130), the second at once.
// One thread: the body's. A body is tested with baton::testing::World::run_scenario (<baton/testing.hpp>).

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <baton/context.hpp>
#include <baton/unique_fd.hpp>

namespace baton {

// When collecting ends: at the first of these.
struct Enough {
    std::size_t count = limits::collected_commands_max;  // this many wanted messages have come
    Duration quiet = Duration::max();                    // no wanted message has come for this long
    Within within = limits::ask_timeout;                 // after that, whatever has come is returned
};

namespace detail {

class Session;
class Venue;  // a session or, in a test, a world

template <class Face>
class SessionVerbs : public Verbs<Face> {
    template <class T>
    using Of = typename Face::template Of<T>;

public:
    using Verbs<Face>::stop_all;
    // Stops all actors that were spawned in this session.
    Of<std::vector<Ended>> stop_all(Within within = limits::stop_timeout) {
        return Face::give(this->stop_actors({}, within));
    }
    // The commands C that came, in order of arrival; waits for them as `until` says. Asks among them fail: `failed`.
    template <class C>
    Of<std::vector<C>> collect(const Enough& until) {
        std::vector<C> commands;
        const auto read = [](Value from, void* all, Decoding& at) {
            return decode(from, static_cast<std::vector<C>*>(all)->emplace_back(), at);
        };
        return Face::give(
            collect_bodies(command_name<C>, until, read, &commands).transform([&] { return std::move(commands); }));
    }
    // Returns commands of ours that came back with their segments; waits for them as `until` says (`count`, `within`).
    template <class C>
    Of<std::vector<Bounced<C>>> collect_bounced(const Enough& until) {
        // Taken only afterwards: after a failure, or an exception out of the wait, they are there for the next call.
        const auto has_enough = [&] { return this->template bounced_count<C>() >= until.count; };
        Result<void> waited = this->wait_until(has_enough, until.within);
        if (!waited && waited.error().kind != ErrorKind::timed_out)
            return Face::give(Result<std::vector<Bounced<C>>>{std::move(waited).error()});
        std::vector<Bounced<C>> all;
        while (all.size() < until.count) {
            std::optional<Bounced<C>> one = this->template next_bounced<C>();
            if (!one) break;
            all.push_back(std::move(*one));
        }
        return Face::give(Result<std::vector<Bounced<C>>>{std::move(all)});
    }
    // A descriptor that becomes readable when the process of that actor has ended, and stays so: for poll(), select()
    // and other event loops. `refused` if nobody knows the process.
    Of<UniqueFd> sentinel(AnyRef actor) { return Face::give(sentinel_of(actor)); }
    // Ends the session before the body does, and returns every exit of its life; afterwards all verbs answer `gone`.
    Of<std::vector<Ended>> close(Within within = limits::stop_timeout) { return Face::give(close_session(within)); }

    // This member with the verbs of an actor, which return a Result: for functions that take a Context.
    [[nodiscard]] Context& context() noexcept { return context_of_venue(); }

protected:
    SessionVerbs(Session& session, std::vector<std::string> arguments);
    SessionVerbs(std::shared_ptr<Venue> venue, std::vector<std::string> arguments);

private:
    friend struct Access;
    [[nodiscard]] Result<void> collect_bodies(std::string_view command, const Enough& until, convert::ReadInto read,
                                              void* all);
    [[nodiscard]] Result<UniqueFd> sentinel_of(AnyRef actor);
    [[nodiscard]] Result<std::vector<Ended>> close_session(Within within);
    [[nodiscard]] Context& context_of_venue() noexcept;
    std::shared_ptr<Venue> venue_;
    Session* session_ = nullptr;  // nullptr in a test
};

}  // namespace detail

class Scenario final : public detail::SessionVerbs<detail::Throwing> {
public:
    Scenario(detail::Session& session, std::vector<std::string> arguments)
        : SessionVerbs(session, std::move(arguments)) {}
    Scenario(std::shared_ptr<detail::Venue> venue, std::vector<std::string> arguments)
        : SessionVerbs(std::move(venue), std::move(arguments)) {}
};

// Returns the exit code for main(): 0; 1 if the body threw; 69 if there is no session; 74 if not all of the output
// could be written; 130 after Ctrl-C; 141 if the reader of stdout has gone (`... | head -n 1`). What the process has
// inherited is normalized first, as docs/processes.md says.
[[nodiscard]] int run_scenario(int argc, char** argv, const std::function<void(Scenario&)>& body);

}  // namespace baton
