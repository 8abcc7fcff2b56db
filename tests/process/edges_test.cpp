// The edges of a hand-over between real processes: several members in one process, a second thread, an actor that is
// dead already, a coordinator that has died.
#include <sys/socket.h>
#include <sys/un.h>

#include <csignal>
#include <cstring>
#include <thread>

#include <baton/unique_fd.hpp>
#include "tests/process/edge.hpp"
#include "tests/process/vault_world.hpp"

using namespace std::chrono_literals;
using baton::ErrorKind;
using baton::ExitKind;
using EdgeRef = baton::Ref<edge::Protocol>;

namespace {

std::unique_ptr<baton::detail::Session> join(VaultWorld& world) {
    baton::detail::Session::Entry entry;
    entry.session = world.world.session().id();
    entry.may_start = false;
    entry.name = "second";
    return baton::detail::Session::enter(std::move(entry)).value();
}

// As where the message of a gift is lost with its sender: the ledger says that it is on its way, and it never comes.
void offer_and_leave(std::unique_ptr<baton::detail::Session> session, baton::ActorId heir) {
    baton::Segment lost = session->context().create_segment(64).value();
    baton::detail::Holding* const parcel[] = {baton::detail::Access::holding(lost)};
    session->holdings()->transfers().depart(parcel, heir).value();
    REQUIRE(session->close().ok());
}

bool is_any_offered(VaultWorld& world) {
    return std::ranges::any_of(world.segments().rows, [](const auto& row) { return row.state == "offered"; });
}

// True if it is settled within a few thousand rounds with the coordinator, through which the heir lives, too.
bool is_settled_soon(VaultWorld& world) {
    for (int round = 0; round < 3'000; ++round)
        if (!is_any_offered(world)) return true;
    return false;
}

baton::UniqueFd connect_to(const std::string& address) {
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    const std::string path = address.substr(std::strlen("ipc://"));
    std::memcpy(where.sun_path, path.c_str(), path.size() + 1);
    baton::UniqueFd connection{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    REQUIRE(::connect(connection.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0);
    return connection;
}

EdgeRef spawn_edge(ProcessWorld& world, const std::string& name) {
    return world.scenario().spawn<edge::Protocol>({.program = "edge", .name = name}).value();
}

baton::RosterRow row_of(ProcessWorld& world, const std::string& name) {
    const std::vector<baton::RosterRow> rows = world.scenario().roster().value();
    return *std::ranges::find_if(rows, [&](const auto& row) { return row.name == name; });
}

}  // namespace

// ---- several members in one process --------------------------------------------------------------------

TEST_CASE("what one of two members of a process left is settled while the other goes on", "[process][T6][I8]") {
    VaultWorld world;
    const vault::Address heir = world.spawn("heir");
    world.report(heir);  // the other member is connected to the heir, and stays so
    std::unique_ptr<baton::detail::Session> second = join(world);
    SECTION("that has never spoken to the heir") {}
    SECTION("that has given it something before") {
        baton::Segment segment = second->context().create_array<std::int64_t>({1}).value();
        segment.as<std::int64_t>()[0] = 1;
        REQUIRE(second->context().send(heir, vault::Keep{std::move(segment), 1}).ok());
        world.wait_for_kept(heir, 1);
    }
    offer_and_leave(std::move(second), heir.id);
    CHECK(is_settled_soon(world));
    CHECK(world.audit().empty());
}

TEST_CASE("what a member left to another of the same process is settled", "[process][T6][I8]") {
    VaultWorld world;
    offer_and_leave(join(world), world.world.session().loop().me());
    CHECK(is_settled_soon(world));
}

// Goal: a connection of the dead one's process that has not spoken yet may be the dead one's, and is waited for.
TEST_CASE("a silent connection of the process of a dead peer is waited for until it ends", "[process][T6]") {
    VaultWorld world;
    const vault::Address heir = world.spawn("heir");
    const auto located =
        baton::detail::call(world.world.session().loop(), baton::detail::coordinator::Locate{heir}, 5s).value();
    baton::UniqueFd silent = connect_to(located.address);
    char greeting = 0;
    REQUIRE(::read(silent.get(), &greeting, 1) == 1);  // it has been accepted
    offer_and_leave(join(world), heir.id);
    for (int round = 0; round < 300; ++round) REQUIRE(is_any_offered(world));
    silent.reset();
    CHECK(is_settled_soon(world));
}

// ---- a second thread -----------------------------------------------------------------------------------

TEST_CASE("a second thread is refused, and changes nothing", "[process]") {
    VaultWorld world;
    const vault::Address vault = world.spawn("vault");
    auto pending = world.scenario().request(vault, vault::HowMany{}).value();
    baton::Context& context = world.scenario().context();
    baton::Loan lent = context.lend(world.make(10, 1)).value();
    baton::Segment own = world.make(10, 1);
    std::vector<baton::Error> refusals;
    std::thread{[&] {
        const auto refused = [&](const auto& result) {
            if (!result.ok()) refusals.push_back(result.error());
        };
        refused(lent.lease());
        refused(lent.lease(0, 1));
        refused(lent.slice(0, 1));
        refused(lent.share(0, 1));
        refused(lent.reclaim(1s));
        refused(context.publish(lent, "lent"));
        refused(context.look_up<baton::Lease>("lent"));
        refused(context.lend(std::move(own)));
        refused(context.send_after(1s, vault, vault::Drop{}));
        refused(context.spawn<vault::Protocol>({.program = "vault"}));
        refused(context.find<vault::Protocol>("vault"));
        refused(context.stop(vault, 1s));
        refused(context.kill(vault));
        refused(context.join(vault, 1s));
        refused(context.send(vault, vault::Drop{}));
        refused(context.ask(vault, vault::HowMany{}));
        refused(context.request(vault, vault::HowMany{}));
        refused(context.create_segment(64));
        refused(context.wait_for([] { return true; }, 1s));
        refused(pending.get(1s));
        refused(world.world.session().collect("", {.within = 0s}));
        refused(world.world.session().roster(false));
        refused(world.world.session().close());
    }}.join();
    REQUIRE(refusals.size() == 23);
    for (const baton::Error& error : refusals) {
        CHECK(error.kind == ErrorKind::refused);
        CHECK_THAT(error.text, Catch::Contains("another thread") && Catch::Contains("Outsider::enter()"));
    }
    CHECK(pending.get(5s).value() == 0);
    CHECK(world.report(vault).kept == 0);
    CHECK(own);
    CHECK(lent.leases_out() == 0);
    CHECK(sum_of(lent.reclaim().value()) == 10);
}

TEST_CASE("an actor that answers in a second thread ends, and says why", "[process]") {
    ProcessWorld world;
    const EdgeRef edge = spawn_edge(world, "edge");
    CHECK(world.scenario().ask(edge, edge::AnswerInThread{}).error().kind == ErrorKind::gone);
    const baton::Ended ended = world.scenario().join(edge, 5s).value();
    CHECK(ended.exit.kind == ExitKind::failed_check);
    CHECK_THAT(ended.exit.text, Catch::Contains("used by the thread that made it"));
}

// ---- an actor that is dead already ---------------------------------------------------------------------

// Goal: of what is sent to an actor that dies nothing is accepted and then forgotten.
// Method: the sender is in the middle of a handler, and has not heard of the death.
TEST_CASE("a sender that has not heard of a death yet is told by its next send", "[process][I8]") {
    ProcessWorld world;
    const EdgeRef sender = spawn_edge(world, "sender");
    const EdgeRef receiver = spawn_edge(world, "receiver");
    const std::string fifo = world.make_fifo("fifo");
    const std::string forever = world.make_fifo("forever");
    auto blocked = world.scenario().request(receiver, edge::Block{forever}).value();
    world.wait_for_state("receiver", "busy");
    auto flood = world.scenario().request(sender, edge::FloodAfter{receiver, fifo, 1'000}).value();
    world.wait_for_state("sender", "busy");
    // The first has been sent.
    while (row_of(world, "receiver").inbox_depth == 0) {
    }
    world.scenario().kill(receiver).value();
    const baton::Ended ended = world.scenario().join(receiver, 5s).value();
    world.release(fifo);
    const edge::FloodAfter::Outcome outcome = flood.get(10s).value();
    CHECK(outcome.taken == 0);
    CHECK(outcome.error == "gone");
    REQUIRE(ended.exit.dead_letters.size() == 1);
    CHECK(ended.exit.dead_letters[0].from == "sender");
    CHECK(ended.exit.dead_letters[0].count == 1);
}

// ---- a coordinator that has died -----------------------------------------------------------------------

TEST_CASE("a scenario whose session was killed is told so by everything that waits or makes", "[process][I8]") {
    VaultWorld world;
    const vault::Address vault = world.spawn("vault");
    baton::detail::Session& session = world.world.session();
    baton::Context& context = session.context();
    baton::Loan lent = context.lend(world.make(10, 1)).value();
    auto blocked = world.scenario().request(vault, vault::Block{world.world.make_fifo("forever")}).value();
    const baton::Lease kept = lent.lease().value();
    auto keeps = world.scenario().request(vault, vault::KeepLease{lent.lease().value()}).value();
    const auto coordinator = static_cast<pid_t>(row_of(world.world, "vault").ppid);

    bool has_killed = false;
    const auto kill_and_wait = [&] {
        if (!std::exchange(has_killed, true)) ::kill(coordinator, SIGKILL);
        return false;
    };
    const baton::Instant start = context.now();
    CHECK(session.wait_for(kill_and_wait, 1h).error().kind == ErrorKind::gone);
    CHECK(context.wait_for([] { return false; }, 1h).error().kind == ErrorKind::gone);
    CHECK(session.collect("", {.within = 1h}).error().kind == ErrorKind::gone);
    CHECK(world.scenario().collect_bounced<vault::Keep>({.within = 1h}).error().kind == ErrorKind::gone);
    CHECK(blocked.get(1h).error().kind == ErrorKind::gone);
    CHECK(lent.reclaim(1h).error().kind == ErrorKind::gone);
    CHECK(world.scenario().send(vault, vault::Drop{}).error().kind == ErrorKind::gone);
    const auto made = context.create_segment(64);
    REQUIRE_FALSE(made.ok());
    CHECK(made.error().kind == ErrorKind::gone);
    CHECK_THAT(made.error().text, Catch::Contains("the session has ended"));
    CHECK(context.import_from("anything", {"|u1", {1}}).error().kind == ErrorKind::gone);
    CHECK(context.now() - start < 30s);
    session.kill_all();  // sweeps
    CHECK(world.memories().empty());
}
