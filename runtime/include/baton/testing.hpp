#pragma once
// Testing: runs an actor inside a test, without processes, at a time that the test sets. Works with any test framework,
// and needs none.
//
//     baton::testing::World world;
//     auto teller = world.peer<teller::Protocol>("teller");                          // played by the test
//     auto account = world.start<Account, account::Protocol>("account", {"100"});    // the class under test
//     assert(account.ask(account::Withdraw{500}).error().kind == baton::ErrorKind::refused);
//     world.advance(24h);                                                            // on_deadline() is called
//     assert(teller.received<teller::Statement>().size() == 1);
//     teller.kill();                                                                 // on_exited() is called
//
// The actor is the class that run_actor() would make, with a real Context: its commands are encoded, checked and
// decoded as between processes, its segments are in a real ledger, and its errors are those of a session. Only
// processes, sockets and /dev/shm are missing. The body of a script, a function that takes a Scenario&, runs in a world
// as it is: world.run_scenario(body). Everything happens in the thread of the test, inside the calls below, in
// an order that is the same in every run: a debugger, a sanitizer and a breakpoint in on() see all of it.
//
// Time stands still except in advance(), and in a wait that nothing else can end: an actor that asks a peer that does
// not answer is timed out at once, and the world's clock advances by that timeout. A wait that nothing can ever end
// throws std::logic_error out of the handler.
//
// What differs from a session, and so needs a test with processes: all actors share one stack. One that waits in the
// middle of a command goes on only when those that run above it have returned, so if it waits for an actor that itself
// waits longer, it learns of its own timeout late. export_as() and import_from() are refused. An abort(), a failed
// assert() or a stray pointer of the actor ends the test.
//
// A World and everything that it returns belong to one thread, and none of that may be used after the World's end.

#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <baton/actor.hpp>
#include <baton/scenario.hpp>

namespace baton::detail {

class TestWorld;

// How a played actor reacts to one command.
using Script = std::function<void(Incoming&)>;

// Refuses it: an asker is told why; what was sent with segments comes back.
void refuse_incoming(Incoming& incoming, const Error& why);

// What a script with one function is to call_on().
template <class Function>
struct ScriptedActor {
    Function& function;
    template <class C>
    std::invoke_result_t<Function&, C> on(C command) {
        return function(std::move(command));
    }
};

// What answers a command later; nothing for one that has no Reply.
template <class C>
struct AnswerTo {
    using type = std::monostate;
};
template <HasReply C>
struct AnswerTo<C> {
    using type = Answer<typename C::Reply>;
};

}  // namespace baton::detail

namespace baton::testing {

// What an actor threw: out of on(), out of on_deadline() or out of what it gave to on_exited() and the like.
struct Failure {
    std::string command;  // empty: it was not handling one
    Error error;          // kind `failed`, with the text and the type of the exception
};

// What Actor and Peer have in common: one member of a World.
class Handle {
public:
    [[nodiscard]] const std::string& name() const;
    [[nodiscard]] bool is_alive() const;
    // How it ended; `running` while it lives.
    [[nodiscard]] const Exit& exit() const;

    // It dies as if by that signal: what it has not handled comes back or is lost, and members that know it are told.
    // An actor that is in the middle of a command goes no further than its next wait.
    void kill(int signal = SIGKILL);
    // Asks it to stop. What an actor has not handled by then is answered as `stopping` and reported, or, with `drain`,
    // handled first.
    void stop(bool drain = false);
    // As if by SIGSTOP: it does nothing and takes nothing, until thaw().
    void freeze();
    void thaw();
    // Until empty_inbox(), there is no room for commands to it: senders wait, and are `overloaded` in the end.
    void fill_inbox();
    void empty_inbox();

protected:
    Handle(detail::TestWorld& world, ActorId id) : world_(&world), id_(id) {}
    [[nodiscard]] AnyRef any_ref() const;
    [[nodiscard]] std::vector<Failure> failures_of() const;
    [[nodiscard]] std::vector<std::string> handled_by() const;
    [[nodiscard]] void* object_of() const;
    [[nodiscard]] Context& test_context() const;   // the test's own
    [[nodiscard]] Context& played_context() const;
    // Lets the world run until nobody has anything to do; throws what a peer's script has thrown.
    void settle() const;
    void script(std::string_view command, detail::Script run);
    // Decodes the next command of that name from `at` on into `out`; false if there is none. `at` is then
    // behind it.
    [[nodiscard]] bool read_received(std::string_view command, std::size_t& at, detail::convert::ReadInto read,
                                     void* out) const;
    [[nodiscard]] bool take_received(std::string_view command, detail::convert::ReadInto read, void* out, AnyRef& from,
                                     detail::AnswerSlot& slot);
    [[nodiscard]] std::vector<std::string> received_by() const;
    void clear_received();

private:
    detail::TestWorld* world_;
    ActorId id_;
};

// An actor under test, of class A with protocol P: made by World::start().
template <class A, class P>
class Actor : public Handle {
public:
    [[nodiscard]] Ref<P> ref() const { return Ref<P>{any_ref().id, any_ref().session}; }
    operator Ref<P>() const { return ref(); }  // NOLINT: it is this actor's address
    operator AnyRef() const { return any_ref(); }  // NOLINT

    // The verbs of a Context, as the test; each lets the world run until nobody has anything to do.
    template <class C>
    [[nodiscard]] Result<detail::reply_of<C>> ask(C&& command, Within within = limits::ask_timeout) {
        Result<detail::reply_of<C>> outcome = test_context().ask(ref(), std::forward<C>(command), within);
        settle();
        return outcome;
    }
    template <class C>
    Result<void> send(C&& command, Within within = limits::send_timeout) {
        Result<void> sent = test_context().send(ref(), std::forward<C>(command), within);
        settle();
        return sent;
    }
    template <class C>
    [[nodiscard]] Result<Pending<detail::reply_of<C>>> request(C&& command, Within within = limits::send_timeout) {
        Result<Pending<detail::reply_of<C>>> pending = test_context().request(ref(), std::forward<C>(command), within);
        settle();
        return pending;
    }

    // The actor's object, to look at its public members. Not after its end.
    [[nodiscard]] A* operator->() const { return static_cast<A*>(object_of()); }
    [[nodiscard]] A& operator*() const { return *static_cast<A*>(object_of()); }
    // The names of the commands that it has handled, in order.
    [[nodiscard]] std::vector<std::string> handled() const { return handled_by(); }
    // What it threw, in order. An exception out of on() answers an asker as `failed` and is kept here; one that comes
    // from elsewhere ends the actor, as it would end its process.
    [[nodiscard]] std::vector<Failure> failures() const { return failures_of(); }

private:
    friend class World;
    using Handle::Handle;
};

// A command that came to a peer, with the way back to its asker.
template <class C>
struct Received {
    C command;
    AnyRef from;
    typename detail::AnswerTo<C>::type answer;  // answers nobody if the command was sent, not asked
};

// An actor that the test plays, of protocol P: made by World::peer(). It takes every command at once and keeps it for
// received() and take(). An ask that no script answers is `unsupported`, with a text that says what the test has not
// said.
template <class P>
class Peer : public Handle {
public:
    [[nodiscard]] Ref<P> ref() const { return Ref<P>{any_ref().id, any_ref().session}; }
    operator Ref<P>() const { return ref(); }  // NOLINT
    operator AnyRef() const { return any_ref(); }  // NOLINT

    // ---- what came
    // All C that came, in order, since the start or the last clear(). Lets the world run first.
    template <class C>
    [[nodiscard]] std::vector<C> received() const {
        require<C>();
        static_assert(!detail::carries_held<C>(), "a command that carries segments is taken: peer.take<C>()");
        settle();
        std::vector<C> all;
        std::size_t at = 0;
        for (C one{}; read_received(detail::command_name<C>, at, detail::convert::read_into<C>, &one); one = C{})
            all.push_back(std::move(one));
        return all;
    }
    // The names of all commands that came, in order.
    [[nodiscard]] std::vector<std::string> received_names() const { return received_by(); }
    // The oldest C that no script has answered and nobody has taken, with what it carries: its segments are the peer's
    // now, and then the test's. Lets the world run first.
    template <class C>
    [[nodiscard]] std::optional<Received<C>> take() {
        require<C>();
        settle();
        Received<C> out{};
        detail::AnswerSlot slot;
        if (!take_received(detail::command_name<C>, detail::convert::read_into<C>, &out.command, out.from, slot))
            return std::nullopt;
        if constexpr (detail::HasReply<C>) out.answer = Answer<typename C::Reply>{std::move(slot)};
        return out;
    }
    void clear() { clear_received(); }

    // ---- what it does with the next C, and those after it
    // Replies with that value each time, or with what a function of C returns: a Reply or a Result. An ErrorException
    // that the function throws is the error of the reply; anything else that it throws is thrown by the call of the
    // test.
    template <class C, class Reply>
    void replies(Reply reply) {
        require<C>();
        if constexpr (std::is_invocable_v<Reply&, C>) {
            script(detail::command_name<C>, [reply = std::move(reply)](detail::Incoming& incoming) mutable {
                C command{};
                if (!detail::read_command(incoming, detail::body_reader<C>(), &command)) return;
                detail::ScriptedActor<Reply> actor{reply};
                detail::call_on(actor, std::move(command), detail::slot_of(incoming));
            });
        } else {
            using R = detail::reply_of<C>;
            static_assert(!detail::carries_held<R>(),
                          "a reply that carries segments is made by a function: peer.replies<C>([](const C&) { ... })");
            replies<C>([value = R(std::move(reply))](const C&) { return value; });
        }
    }
    // To a command whose Reply is void.
    template <class C>
    void replies() {
        static_assert(std::is_void_v<detail::reply_of<C>>, "say what it replies: peer.replies<C>(reply)");
        replies<C>([](const C&) {});
    }
    // Refuses it with that error. If it was sent, it comes back with the segments that it carries.
    template <class C>
    void fails(Error why) {
        require<C>();
        script(detail::command_name<C>,
               [why = std::move(why)](detail::Incoming& incoming) { detail::refuse_incoming(incoming, why); });
    }
    // Answers nothing, until the test takes it: peer.take<C>()->answer.reply(...).
    template <class C>
    void keeps() {
        require<C>();
        script(detail::command_name<C>, {});
    }

    // ---- what it says itself; each lets the world run until nobody has anything to do
    template <class Q, class C>
    Result<void> send(const Ref<Q>& to, C&& command) {
        Result<void> sent = played_context().send(to, std::forward<C>(command));
        settle();
        return sent;
    }
    template <class Q, class C>
    [[nodiscard]] Result<detail::reply_of<C>> ask(const Ref<Q>& to, C&& command, Within within = limits::ask_timeout) {
        Result<detail::reply_of<C>> outcome = played_context().ask(to, std::forward<C>(command), within);
        settle();
        return outcome;
    }
    // All other verbs, as this peer: it creates, gives and lends segments, watches others, and so on.
    [[nodiscard]] Context& context() { return played_context(); }

private:
    friend class World;
    using Handle::Handle;
    template <class C>
    static constexpr void require() {
        static_assert(detail::AcceptedBy<P, C>, "this command is not in the peer's protocol");
    }
};

class World {
public:
    struct Options {
        // how much all segments of the world may take; beyond it they are `overloaded`
        std::uint64_t memory_bytes = ~std::uint64_t{0};
    };
    World() : World(Options{}) {}
    explicit World(Options options);
    World(const World&) = delete;
    World& operator=(const World&) = delete;
    ~World();

    // An actor of class A with protocol P, as run_actor() makes it: `arguments` are those of its Context, `more` is
    // passed to its constructor after the Context. What the constructor throws passes through.
    template <class A, class P, class... More>
    [[nodiscard]] Actor<A, P> start(const std::string& name, std::vector<std::string> arguments = {}, More&... more) {
        return {*world_, started(baton::actor<A, P>(name, more...), std::move(arguments))};
    }
    // An actor that the test plays.
    template <class P>
    [[nodiscard]] Peer<P> peer(const std::string& name) {
        return {*world_, played(name, detail::describe_protocol<P>())};
    }

    // ---- what actors may spawn. A program that is not named here is refused.
    // Spawning `program` makes an actor of that class: world.provide("printer", baton::actor<Printer,
    // printer::Protocol>("")).
    void provide(const std::string& program, detail::ActorClass actor) {
        provide(program, std::vector{std::move(actor)});
    }
    // Provides a program that contains several actors: SpawnOptions::actor names one of them.
    void provide(const std::string& program, std::vector<detail::ActorClass> actors);
    // Spawning `program` makes a peer, for which `begin` may say how it replies.
    template <class P>
    void provide_peer(const std::string& program, std::function<void(Peer<P>)> begin = {}) {
        provide_played(program, detail::describe_protocol<P>(), [this, begin = std::move(begin)](ActorId id) {
            if (begin) begin(Peer<P>{*world_, id});
        });
    }
    // The last peer of that name, however it was made, even if it has ended. One that an actor has spawned has a name
    // like "account/printer", as in the roster. Throws std::out_of_range if there never was one.
    template <class P>
    [[nodiscard]] Peer<P> find_peer(const std::string& name) const {
        return {*world_, find_played(name)};
    }

    // ---- a script
    // Runs the body of a script as baton::run_scenario() does. Its Scenario is a member of this world, called `name` in
    // the roster: it spawns what provide() and provide_peer() have named, waits at the world's clock, and its verbs
    // throw ErrorException. What it has started is stopped when it ends. What it throws passes through, and so does the
    // std::logic_error of a wait that nothing can end. sentinel() is refused: there are no processes.
    void run_scenario(const std::function<void(Scenario&)>& body, std::vector<std::string> arguments = {},
                      const std::string& name = "scenario");

    // ---- time
    [[nodiscard]] const detail::Clock& clock() const noexcept;
    [[nodiscard]] Instant now() const { return clock().now(); }
    // Lets that time pass. What becomes due happens at its time, in order.
    void advance(Duration by);
    // Lets all members run until none of them has anything to do, without time passing. The calls above do so
    // themselves.
    void run();

    // ---- the test itself, a member called "test": with it, functions that take a Context can be tested too
    [[nodiscard]] Context& context();

private:
    [[nodiscard]] ActorId started(detail::ActorClass actor, std::vector<std::string> arguments);
    [[nodiscard]] ActorId played(const std::string& name, detail::ProtocolDescription protocol);
    [[nodiscard]] ActorId find_played(const std::string& name) const;
    void provide_played(const std::string& program, detail::ProtocolDescription protocol,
                        std::function<void(ActorId)> begin);

    std::unique_ptr<detail::TestWorld> world_;
};

}  // namespace baton::testing
