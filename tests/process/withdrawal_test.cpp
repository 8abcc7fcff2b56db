// Asks that are given up, between real processes: a receiver that is frozen has not begun what it is asked.
#include <fmt/format.h>

#include <csignal>

#include "tests/process/account.hpp"
#include "tests/process/process_world.hpp"

using namespace std::chrono_literals;
using baton::ErrorKind;
using Catch::Contains;
using AccountRef = baton::Ref<account::Protocol>;

namespace {

struct Bank {
    ProcessWorld world;
    TestScenario& scenario = world.scenario();
    AccountRef open(const std::string& name) {
        return scenario.spawn<account::Protocol>({"account", name}).value();
    }
    void freeze(AccountRef one) { REQUIRE(::kill(world.pid_of(one), SIGSTOP) == 0); }
    void thaw(AccountRef one) { REQUIRE(::kill(world.pid_of(one), SIGCONT) == 0); }
    std::int64_t balance(AccountRef one) { return scenario.ask(one, account::Balance{}, 20s).value(); }
};

}  // namespace

TEST_CASE("an ask of a frozen actor that is given up does not run when the actor goes on", "[process][I8]") {
    Bank bank;
    const AccountRef alice = bank.open("Alice");
    CHECK(bank.balance(alice) == 100);
    bank.freeze(alice);
    const auto late = bank.scenario.ask(alice, account::Deposit{7}, 100ms);
    auto cancelled = bank.scenario.request(alice, account::Deposit{70}).value();
    auto dropped = std::make_unique<baton::Pending<std::int64_t>>(
        bank.scenario.request(alice, account::Deposit{700}).value());
    auto wanted = bank.scenario.request(alice, account::Deposit{1}).value();
    CHECK(cancelled.cancel());
    dropped.reset();
    bank.thaw(alice);
    REQUIRE_FALSE(late.ok());
    CHECK(late.error().kind == ErrorKind::timed_out);
    CHECK(late.error().is_withdrawn);
    CHECK_THAT(late.error().text, Contains("Alice has not answered") && Contains("will not run"));
    CHECK(wanted.get(20s).value() == 101);
    CHECK(bank.balance(alice) == 101);
}

TEST_CASE("an ask that had begun when it was given up says that it may still finish", "[process][I8]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    const std::string fifo = world.make_fifo("alice");
    auto blocked = world.scenario().request(alice, probe::Block{fifo}).value();
    world.wait_for_state("Alice", "busy");
    const auto late = blocked.get(100ms);
    REQUIRE_FALSE(late.ok());
    CHECK_FALSE(late.error().is_withdrawn);
    CHECK_THAT(late.error().text, Contains("handling Block") && Contains("had begun, and may still finish"));
    auto done = world.scenario().request(alice, probe::Echo{"x"}).value();
    world.release(fifo);
    CHECK(world.scenario().ask(alice, probe::Echo{"y"}, 20s).value() == "y");  // behind it
    CHECK_FALSE(done.cancel());
}

// Goal: an ask that was said not to run does not run, even after its asker has exited.
// Method: a script asks a frozen actor, gives up, and leaves the session before the actor goes on.
TEST_CASE("an ask stays withdrawn when its asker has exited", "[process][I8]") {
    Bank bank;
    const AccountRef alice = bank.open("Alice");
    const AccountRef bob = bank.open("Bob");
    CHECK(bank.balance(alice) == 100);
    bank.freeze(alice);
    CHECK_THAT(bank.scenario.ask(bob, account::Transfer{alice, 30, "", 100}, 20s).value(), Contains("will not run"));
    bank.scenario.kill(bob).value();
    CHECK(bank.scenario.join(bob, 20s).ok());
    bank.thaw(alice);
    CHECK(bank.balance(alice) == 100);
}

// Method: all are in the middle of a transfer before the first of them asks another.
TEST_CASE("a bank whose transfers ask in a circle neither makes nor loses money", "[process][I8]") {
    Bank bank;
    const std::array names{"Alice", "Bob", "Charlie"};
    std::vector<AccountRef> accounts;
    for (const char* name : names) accounts.push_back(bank.open(name));
    for (int round = 0; round < 3; ++round) {
        std::vector<std::string> fifos;
        std::vector<baton::Pending<std::string>> transfers;
        for (std::size_t at = 0; at < accounts.size(); ++at) {
            fifos.push_back(bank.world.make_fifo(fmt::format("{}-{}", names[at], round)));
            const account::Transfer transfer{accounts[(at + 1) % accounts.size()], 10, fifos.back()};
            transfers.push_back(bank.scenario.request(accounts[at], transfer).value());
        }
        for (const char* name : names) bank.world.wait_for_state(name, "busy");
        for (const std::string& fifo : fifos) bank.world.release(fifo);
        // The one with the highest number gives up; then the others go on.
        CHECK(transfers[0].get(20s).value() == "done");
        CHECK(transfers[1].get(20s).value() == "done");
        CHECK_THAT(transfers[2].get(20s).value(),
                   Catch::StartsWith("deadlock: Charlie waits for an answer of Alice, Alice waits for an answer of "
                                     "Bob, Bob waits for an answer of Charlie") &&
                       Contains("will not run"));
        std::int64_t sum = 0;
        for (const AccountRef one : accounts) sum += bank.balance(one);
        CHECK(sum == 300);
    }
}
