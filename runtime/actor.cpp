// run_actor_program: from the environment that the coordinator set to a served actor.
#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <new>

#include <baton/actor.hpp>
#include "runtime/base/check.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/base/limit_behind.hpp"
#include "runtime/holdings/holdings.hpp"
#include "runtime/inbox/call.hpp"
#include "runtime/inbox/dispatching.hpp"
#include "runtime/inbox/leaving.hpp"
#include "runtime/process/birth.hpp"
#include "runtime/process/child.hpp"
#include "runtime/process/output.hpp"
#include "runtime/session/directory.hpp"
#include "runtime/session/environment.hpp"
#include "runtime/session/entrances.hpp"
#include "runtime/session/role_watch.hpp"
#include "runtime/transport/zmq_transport.hpp"

namespace baton::detail {
namespace {

constexpr int exit_usage = 64;        // EX_USAGE of sysexits.h

// Where a failed check leaves its last words; the row outlives this process.
OwnVitals* last_words_place = nullptr;

void say_protocol(const ProtocolDescription& protocol) {
    for (const CommandDescription& command : protocol.commands) print_output(fmt::format("  {}\n", to_text(command)));
}

void explain(const char* program, const ProtocolDescription& protocol) {
    const char* slash = std::strrchr(program, '/');
    const char* name = slash == nullptr ? program : slash + 1;
    print_output(fmt::format("{} is an actor of Baton: a coordinator starts it, and it accepts these commands:\n\n",
                             name));
    say_protocol(protocol);
    print_output(fmt::format("\nStart it from Python:\n\n"
                             "  import baton\n"
                             "  with baton.session() as session:\n"
                             "      actor = session.spawn(\"{0}\")\n\n"
                             "or in a session that `baton serve` keeps open in another shell:\n\n"
                             "  baton spawn {0}\n\n"
                             "`{0} --describe` prints the commands alone.\n", program));
}

// What was typed by hand behind the program's name, or one of several actors'.
bool asks_for_help(int argc, char** argv) {
    return argc == 2 && (std::strcmp(argv[1], "--help") == 0 || std::strcmp(argv[1], "-h") == 0);
}

// Says why a program did not become an actor, in the log and to its spawner.
int fail(Log& log, OwnVitals* words, std::string_view event, const Error& error, int code) {
    log.error(event, "{}", to_text(error));
    if (words != nullptr) words->keep_last_words(to_text(error));
    return code;
}

// An actor of any class, served by the loop.
class HostedActor final : public Handler {
public:
    HostedActor(Loop& loop, const ActorClass& of, Context& context)
        : loop_(&loop), class_(&of), actor_(of.make(context)) {}
    void handle(const Command& command, AnswerSlot answer) override {
        dispatch(*loop_, actor_.get(), class_->handlers, command, std::move(answer));
    }
    [[nodiscard]] Deadline next_deadline() const override {
        return class_->next_deadline == nullptr ? Deadline::never() : class_->next_deadline(actor_.get());
    }
    void on_deadline() override {
        if (class_->on_deadline != nullptr) class_->on_deadline(actor_.get());
    }

private:
    Loop* loop_;
    const ActorClass* class_;
    std::shared_ptr<void> actor_;
};

// What was refused is known only here until a coordinator has read it; if that one dies the next one is told.
void leave(Loop& loop, std::vector<DeadLetter> dead_letters) {
    loop.outbox().flush();
    loop.begin_leaving();
    // Nobody waits for an actor that stops itself.
    const Deadline until = loop.ending().until;
    const Deadline taken_by =
        until.is_never() ? Deadline::in(loop.clock(), limits::linger) : before_goodbye(until, loop.clock());
    std::ranges::move(wait_until_taken(loop, taken_by), std::back_inserter(dead_letters));
    pass_crash_point(CrashPoint::leave_begun);
    const Duration timeout = until.is_never() ? Duration{limits::coordinator_timeout}
                                              : std::max<Duration>(limits::linger, until.left(loop.clock()));
    static_cast<void>(call(loop, coordinator::Leave{std::move(dead_letters)}, timeout));
}

// From the first step to the last, as the actor that the coordinator has made a place for.
int live(const SpawnedAs& place, Log& log, const Vitals& vitals, OwnVitals& words, std::vector<std::string> arguments,
         const ActorClass& actor) {
    SystemClock clock;
    ZmqTransport outside;
    LaneTransport transport{outside};
    Loop loop{transport, clock, log};
    loop.be(place.actor, to_string(place.actor));
    const std::string address = fmt::format("ipc://{}/{}.sock", place.folder, to_string(place.actor));
    if (const Result<void> bound = transport.bind(address); !bound)
        return fail(log, &words, "inbox.unbound", bound.error(), exit_unavailable);
    Result<std::unique_ptr<RoleWatch>> role =
        RoleWatch::open(place.folder, RoleWatch::Anchor::is_parent, Deadline::in(clock, limits::coordinator_timeout));
    if (!role) return fail(log, &words, "coordinator.unreachable", role.error(), exit_unavailable);
    if (const Result<void> opened = loop.control().open(**role); !opened)
        return fail(log, &words, "coordinator.unreachable", opened.error(), exit_unavailable);
    pass_crash_point(CrashPoint::join_bound);
    const Result<coordinator::Welcome> welcome = call(
        loop,
        coordinator::Join{AnyRef{place.actor}, "", static_cast<std::uint64_t>(::getpid()), address, actor.protocol},
        limits::coordinator_timeout);
    if (!welcome) return fail(log, &words, "join.refused", welcome.error(), exit_unavailable);
    loop.be(place.actor, welcome->name);
    loop.control().be_member(static_cast<std::uint64_t>(::getpid()));
    loop.be_in(SessionTag::of(welcome->session));
    pass_crash_point(CrashPoint::join_welcomed);

    Result<OwnVitals> own = OwnVitals::open(vitals, place.actor);
    if (!own) return fail(log, &words, "vitals.missing", own.error(), exit_unavailable);
    loop.attach(vitals, std::move(*own));
    Result<LedgerRegion> region = LedgerRegion::open(welcome->session);
    if (!region) return fail(log, &words, "ledger.missing", region.error(), exit_unavailable);
    const auto holdings =
        std::make_shared<Holdings>(std::move(*region), welcome->session, place.actor, clock, Store::usual_idle());
    loop.attach(*holdings);
    const std::uint64_t protocol = fingerprint_of(actor.protocol);
    loop.commands().intake().read_by_position(protocol);
    open_lanes(transport, log, {welcome->session, place.folder, place.actor, &words.spun(), protocol},
               holdings);

    Context context{loop, std::move(arguments)};
    std::unique_ptr<HostedActor> handler;
    try {
        handler = std::make_unique<HostedActor>(loop, actor, context);
    } catch (const std::exception& exception) {
        words.keep_last_words(exception.what());
        log.error("actor.unmade", "its constructor threw: {}", exception.what());
        return 1;
    } catch (...) {
        words.keep_last_words("its constructor threw something that is not a std::exception");
        return 1;
    }
    loop.control().be_ready();
    static_cast<void>(tell(loop, coordinator::Ready{}));

    static_cast<void>(loop.serve(handler.get(), [] { return false; }, Deadline::never()));
    std::vector<DeadLetter> dead_letters = loop.finish(*handler);
    handler.reset();
    leave(loop, std::move(dead_letters));
    pass_crash_point(CrashPoint::leave_answered);
    return 0;
}

}  // namespace

int run_actor_program(int argc, char** argv, const ActorClass& actor) {
    const std::optional<SpawnedAs> place = spawned_as();
    take_over_birth(place ? Birth::actor : Birth::program);
    if (!place) {
        const bool describes = argc == 2 && std::strcmp(argv[1], "--describe") == 0;
        if (describes) say_protocol(actor.protocol);
        else explain(argv[0], actor.protocol);
        return code_with_output(argv[0], describes || asks_for_help(argc, argv) ? 0 : exit_usage);
    }
    Log log{to_string(place->actor)};
    if (const Result<void> bound = die_with_parent(place->anchor_pid); !bound)
        return fail(log, nullptr, "actor.orphaned", bound.error(), exit_unavailable);
    // First, so that whatever fails from here on can be told.
    Result<Vitals> vitals = Vitals::open(std::filesystem::path(place->folder).filename().string());
    if (!vitals) return fail(log, nullptr, "vitals.missing", vitals.error(), exit_unavailable);
    Result<OwnVitals> words = OwnVitals::open(*vitals, place->actor);
    if (!words) return fail(log, nullptr, "vitals.missing", words.error(), exit_unavailable);
    last_words_place = &*words;
    on_failed_check([](std::string_view text) noexcept { last_words_place->keep_last_words(text); });
    int code = exit_unavailable;
    try {
        code = live(*place, log, *vitals, *words, std::vector<std::string>(argv + 1, argv + argc), actor);
    } catch (const std::bad_alloc&) {
        fail(log, last_words_place, "memory.short",
             Error{ErrorKind::overloaded, "no memory is left" + limit_behind(ENOMEM)}, exit_unavailable);
    }
    on_failed_check(nullptr);
    last_words_place = nullptr;
    return code;
}

int run_one_of(int argc, char** argv, const std::vector<ActorClass>& actors) {
    std::string names;
    for (const ActorClass& one : actors) names += (names.empty() ? "" : ", ") + one.name;
    const bool is_named = argc >= 3 && argv[1] == actor_option;
    for (const ActorClass& one : actors) {
        if (!is_named || one.name != argv[2]) continue;
        argv[2] = argv[0];
        return run_actor_program(argc - 2, argv + 2, one);
    }
    const std::optional<SpawnedAs> place = spawned_as();
    take_over_birth(place ? Birth::actor : Birth::program);
    if (!place) {
        print_output(
            fmt::format("{0} contains several actors of Baton: {1}. A coordinator starts them; a spawn says which one "
                        "it means (SpawnOptions::actor in C++, actor= in Python). In a session that `baton serve` "
                        "keeps open in another shell:\n\n"
                        "  baton spawn {0} --actor {2}\n\n"
                        "`{0} {3} {2} --describe` prints the commands of that one.\n",
                        argv[0], names, actors.empty() ? "NAME" : actors.front().name, actor_option));
        return code_with_output(argv[0], asks_for_help(argc, argv) ? 0 : exit_usage);
    }
    Log log{to_string(place->actor)};
    const std::string asked = is_named ? fmt::format("no actor '{}'", argv[2])
                                       : std::string("several actors, and the spawn names none of them");
    const Error why{ErrorKind::refused,
                    fmt::format("this program contains {}: choose one of {} (SpawnOptions::actor)", asked, names)};
    Result<Vitals> vitals = Vitals::open(std::filesystem::path(place->folder).filename().string());
    if (!vitals) return fail(log, nullptr, "vitals.missing", vitals.error(), exit_unavailable);
    Result<OwnVitals> words = OwnVitals::open(*vitals, place->actor);
    return fail(log, words ? &*words : nullptr, "actor.unnamed", why, exit_usage);
}

}  // namespace baton::detail
