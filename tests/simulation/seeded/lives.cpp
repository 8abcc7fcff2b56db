// What the processes of a world do: the main() of a coordinator, of an actor and of a scenario. As the programs do it
// (actors/coordinator/main.cpp, runtime/actor.cpp, runtime/session/session.cpp), over the transports of a world.
#include <algorithm>
#include <iterator>

#include "runtime/base/crash_point.hpp"
#include "runtime/inbox/call.hpp"
#include "runtime/inbox/dispatching.hpp"
#include "runtime/inbox/leaving.hpp"
#include "runtime/session/directory.hpp"
#include "runtime/session/environment.hpp"
#include "tests/simulation/seeded/door.hpp"
#include "tests/simulation/seeded/player.hpp"
#include "tests/simulation/seeded/world.hpp"

namespace seeded {
namespace {

// What every member has: the order is that of its construction.
struct MemberParts {
    MemberParts(World& of, std::string name)
        : world(&of), door(of.kernel, of.clock, of.network), log(name), loop(door, of.clock, log) {}

    // Until there is a coordinator; then its control lane is open.
    [[nodiscard]] Result<void> find_coordinator() {
        Result<std::unique_ptr<SimRole>> found = SimRole::open(world->kernel, world->place.id, world->place.folder);
        if (!found) return found.error();
        role = std::move(*found);
        while (!role->find_holder())
            world->kernel.wait({Deadline::in(world->clock, std::chrono::milliseconds{1}), {}, {}});
        return loop.control().open(*role);
    }
    // Maps what a member maps, and looks at lanes from here on.
    [[nodiscard]] Result<void> settle_in(ActorId me, std::uint64_t protocol) {
        Result<Vitals> opened = Vitals::open(world->place.id);
        if (!opened) return opened.error();
        vitals.emplace(std::move(*opened));
        Result<OwnVitals> own = OwnVitals::open(*vitals, me);
        if (!own) return own.error();
        loop.attach(*vitals, std::move(*own));
        Result<LedgerRegion> region = LedgerRegion::open(world->place.id);
        if (!region) return region.error();
        holdings = std::make_shared<Holdings>(std::move(*region), world->place.id, me, world->clock,
                                              Store::Idle::accessible);
        loop.attach(*holdings);
        if (protocol != 0) loop.commands().intake().read_by_position(protocol);
        if (world->dice.happens(world->players.without_lanes_percent)) {
            world->judge.looks_at_no_lanes(me);
            return {};
        }
        LaneTransport::Membership as{world->place.id, world->place.folder, me, {}};
        as.is_alive = [kept = holdings](ActorId actor) { return kept->ledger().lives.is_alive(actor); };
        as.protocol = protocol;
        return door.lanes().enter(std::move(as));
    }

    World* world;
    std::shared_ptr<Holdings> holdings;
    Door door;
    Log log;
    Loop loop;
    std::unique_ptr<SimRole> role;
    std::optional<Vitals> vitals;
};

int fail(World& world, const Process& self, const Error& error) {
    world.story.tell(self.name, "fails: {}", to_text(error));
    return exit_unavailable;
}

class PlayerHandler final : public Handler {
public:
    PlayerHandler(Loop& loop, Player& player) : loop_(&loop), player_(&player) {}
    void handle(const Command& command, AnswerSlot answer) override {
        dispatch(*loop_, player_, CommandHandlers<Player, PlayerProtocol>::all, command, std::move(answer));
    }
    [[nodiscard]] Deadline next_deadline() const override { return player_->next_deadline(); }
    void on_deadline() override { player_->on_deadline(); }

private:
    Loop* loop_;
    Player* player_;
};

}  // namespace

int coordinate(World& world, Process& self, std::uint64_t generation) {
    const auto broken = [&](const Error& error) {
        world.judge.breaks(fmt::format("{} cannot coordinate: {}", self.name, to_text(error)));
        return exit_unavailable;
    };
    Result<RosterRegion> roster = RosterRegion::open(world.place.id, RosterRegion::Use::writes);
    if (!roster) return broken(roster.error());
    Result<Vitals> vitals = Vitals::open(world.place.id, Vitals::Use::coordinates);
    if (!vitals) return broken(vitals.error());
    Result<coordinating::Lanes> lanes = coordinating::Lanes::open(world.place.id);
    if (!lanes) return broken(lanes.error());
    coordinating::Records records{std::move(*roster), world.place.id};
    const std::vector<RosterEntry> entries = records.read_members();
    Result<coordinating::Estate> estate = coordinating::Estate::resume(
        world.place.id, world.clock, coordinating::lives_before(entries, records.header()));
    if (!estate) return broken(estate.error());
    SessionFolder folder = SessionFolder::visit(world.place.folder);
    SimProcesses processes{world.session, generation};
    SimTransport transport{world.network};
    Log log{"coordinator"};
    Loop loop{transport, world.clock, log};
    loop.be(coordinator_id, "coordinator");
    loop.be_in(SessionTag::of(world.place.id));
    Result<std::unique_ptr<coordinating::Coordinator>> coordinator = coordinating::Coordinator::create(
        loop, {&folder, &*vitals, &*estate, &*lanes, &records, &processes, nullptr}, {});
    if (!coordinator) return broken(coordinator.error());
    if (Result<void> bound = transport.bind(coordinator_address(world.place.folder, generation)); !bound)
        return broken(bound.error());
    coordinating::Coordinator& it = **coordinator;
    if (Result<void> taken = it.take_over(entries, records.journal().read()); !taken) return broken(taken.error());
    records.take_role(generation, static_cast<std::uint64_t>(self.pid), 1);
    pass_crash_point(CrashPoint::role_taken);
    static_cast<void>(loop.serve(&it, [&] { return it.is_closed() || it.is_replaced(); }, Deadline::never()));
    if (it.is_replaced()) return coordinating::exit_replaced;
    const coordinating::Estate::Balance balance = estate->close();
    for (const Finding& finding : balance.findings)
        world.judge.breaks(fmt::format("the session does not balance: I{}: {}", finding.invariant, finding.text));
    if (balance.counts.refused > 0)
        world.judge.breaks(fmt::format("{} handles of segments were refused", balance.counts.refused));
    if (balance.mended > 0) world.judge.breaks(fmt::format("{} rows of the ledger were mended", balance.mended));
    return 0;
}

int live(World& world, Process& self, ActorId me, const ChildSpec& spec) {
    const std::string name = spec.arguments.empty() ? "actor" : spec.arguments.front();
    world.judge.starts(name);
    MemberParts parts{world, to_string(me)};
    Loop& loop = parts.loop;
    loop.be(me, to_string(me));
    const std::string address = fmt::format("ipc://{}/{}.sock", world.place.folder, to_string(me));
    if (Result<void> bound = parts.door.bind(address); !bound) return fail(world, self, bound.error());
    if (Result<void> found = parts.find_coordinator(); !found) return fail(world, self, found.error());
    pass_crash_point(CrashPoint::join_bound);
    const ProtocolDescription protocol = describe_protocol<PlayerProtocol>();
    const Result<coordinating::Welcome> welcome =
        call(loop, coordinating::Join{AnyRef{me}, "", static_cast<std::uint64_t>(self.pid), address, protocol},
             limits::coordinator_timeout);
    if (!welcome) return fail(world, self, welcome.error());
    loop.be(me, welcome->name);
    loop.control().be_member(static_cast<std::uint64_t>(self.pid));
    loop.be_in(SessionTag::of(welcome->session));
    pass_crash_point(CrashPoint::join_welcomed);
    if (Result<void> settled = parts.settle_in(me, fingerprint_of(protocol)); !settled)
        return fail(world, self, settled.error());

    Context context{loop, spec.arguments};
    auto player = std::make_unique<Player>(world, context);
    auto handler = std::make_unique<PlayerHandler>(loop, *player);
    loop.control().be_ready();
    static_cast<void>(tell(loop, coordinating::Ready{}));
    static_cast<void>(loop.serve(handler.get(), [] { return false; }, Deadline::never()));
    world.judge.begins_to_leave(me);
    std::vector<DeadLetter> dead_letters = loop.finish(*handler);
    handler.reset();
    player.reset();
    loop.outbox().flush();
    loop.begin_leaving();
    const Deadline end = loop.ending().until.is_never() ? Deadline::in(world.clock, limits::linger)
                                                        : before_goodbye(loop.ending().until, world.clock);
    std::ranges::move(wait_until_taken(loop, end), std::back_inserter(dead_letters));
    pass_crash_point(CrashPoint::leave_begun);
    static_cast<void>(call(loop, coordinating::Leave{std::move(dead_letters)}, limits::linger));
    pass_crash_point(CrashPoint::leave_answered);
    return 0;
}

// The scenario: starts the first players, waits until all is quiet, and closes the session.
int direct(World& world, Process& self) {
    MemberParts parts{world, "scenario"};
    Loop& loop = parts.loop;
    if (Result<void> found = parts.find_coordinator(); !found) return fail(world, self, found.error());
    const coordinating::Join join{AnyRef{}, "scenario", static_cast<std::uint64_t>(self.pid), "", {}, false,
                                  world.dice.below(1'000'000) | 1};
    const Result<coordinating::Welcome> welcome = call(loop, join, limits::coordinator_timeout);
    if (!welcome) return fail(world, self, welcome.error());
    loop.be(welcome->you.id, welcome->name);
    loop.control().be_member(join.pid);
    loop.control().be_ready();
    loop.be_in(SessionTag::of(welcome->session));
    self.life = welcome->you.id;
    if (Result<void> settled = parts.settle_in(welcome->you.id, 0); !settled)
        return fail(world, self, settled.error());
    Directory directory{loop};
    Context context{directory};
    const auto look = [&](Duration at_most) {
        static_cast<void>(loop.serve(nullptr, [] { return false; }, Deadline::in(world.clock, at_most)));
    };
    std::uint64_t first = world.dice.between(2, 4);
    while (first > 0) {
        const std::string name = fmt::format("p{}", ++world.players.started);
        world.judge.asks_for(name);
        const Result<Ref<PlayerProtocol>> spawned =
            context.spawn<PlayerProtocol>({.program = "/bin/true", .name = name, .arguments = {name}});
        world.judge.told_of_spawn(name, spawned.ok(), spawned ? ErrorKind::failed : spawned.error().kind);
        --first;
    }
    while (!world.is_quiet()) look(world.dice.microseconds(500, 5'000));
    look(std::chrono::seconds{3});
    world.look_at_rest();
    const Result<std::vector<Ended>> closed = directory.end_session(std::chrono::seconds{10});
    if (!closed) world.judge.breaks(fmt::format("the session could not be closed: {}", to_text(closed.error())));
    static_cast<void>(tell(loop, coordinating::Leave{}));
    look(std::chrono::milliseconds{100});
    return 0;
}

}  // namespace seeded
