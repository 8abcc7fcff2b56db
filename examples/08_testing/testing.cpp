// The account of account.hpp, tested without a process: its auditor is played, years pass at once, and nobody is
// killed.
#include <fmt/core.h>

#include <baton/testing.hpp>

#include "account.hpp"

using namespace std::chrono_literals;

namespace {

int failed = 0;

// Any test framework has a better one.
void expect(bool holds, const char* what) {
    fmt::print("{}: {}\n", holds ? "ok" : "FAILED", what);
    if (!holds) ++failed;
}

struct Bank {
    baton::testing::World world;
    baton::testing::Actor<Account, account::Protocol> account = world.start<Account, account::Protocol>("account");
    baton::testing::Peer<auditor::Protocol> auditor = world.peer<auditor::Protocol>("auditor");
};

void an_overdraft_is_refused() {
    Bank bank;
    expect(bank.account.ask(account::Deposit{1'000}).value() == 1'000, "a deposit is on the account");
    const auto refused = bank.account.ask(account::Withdraw{1'001});
    expect(!refused && refused.error().kind == baton::ErrorKind::refused, "an overdraft is refused");
    expect(bank.account.ask(account::Withdraw{1'000}).value() == 0, "and has changed nothing");
}

void a_large_sum_needs_the_auditor() {
    Bank bank;
    bank.account.ask(account::Deposit{500'000}).value();
    bank.account.send(account::Audit{bank.auditor}).value();
    expect(bank.auditor.received<auditor::Noted>().size() == 1, "the auditor hears of its account");
    bank.auditor.replies<auditor::MayWithdraw>([](const auditor::MayWithdraw& sum) { return sum.cents < 300'000; });
    expect(bank.account.ask(account::Withdraw{200'000}).value() == 300'000, "the auditor allows a large sum");
    expect(!bank.account.ask(account::Withdraw{300'000}), "and forbids a larger one");
    expect(bank.account.ask(account::Withdraw{10}).value() == 299'990, "nobody asks about a small one");
}

void an_auditor_that_does_not_answer() {
    Bank bank;
    bank.account.ask(account::Deposit{500'000}).value();
    bank.account.send(account::Audit{bank.auditor}).value();
    bank.auditor.freeze();
    const auto late = bank.account.ask(account::Withdraw{200'000}, 1h);
    expect(!late && late.error().kind == baton::ErrorKind::timed_out,
           "an auditor that does not answer is waited for in vain");
    bank.auditor.kill();
    expect(!bank.account->is_audited(), "one that has died is forgotten");
    expect(bank.account.ask(account::Withdraw{200'000}).value() == 300'000, "and is not asked");
}

void interest_is_added_once_a_year() {
    Bank bank;
    bank.account.ask(account::Deposit{10'000}).value();
    bank.world.advance(24h * 364);
    expect(bank.account.ask(account::Deposit{0}).value() == 10'000, "after 364 days there is no interest");
    bank.world.advance(24h * 366);
    expect(bank.account.ask(account::Deposit{0}).value() == 10'404, "after two years there is interest on interest");
}

// The body of a script: what a program would give to run_scenario().
std::int64_t spend(baton::Scenario& scenario, std::int64_t cents) {
    const auto account = scenario.spawn<account::Protocol>({"account"});
    scenario.ask(account, account::Deposit{1'000});
    return scenario.ask(account, account::Withdraw{cents});
}

void a_script_opens_an_account() {
    baton::testing::World world;
    world.provide("account", baton::actor<Account, account::Protocol>(""));
    std::int64_t left = 0;
    world.run_scenario([&](baton::Scenario& scenario) { left = spend(scenario, 700); });
    expect(left == 300, "a script spends what it has");
    try {
        world.run_scenario([](baton::Scenario& scenario) { spend(scenario, 1'001); });
    } catch (const baton::ErrorException& overdraft) {
        expect(overdraft.error().kind == baton::ErrorKind::refused, "and fails when that is not enough");
    }
}

}  // namespace

int main() {
    an_overdraft_is_refused();
    a_large_sum_needs_the_auditor();
    an_auditor_that_does_not_answer();
    interest_is_added_once_a_year();
    a_script_opens_an_account();
    return failed == 0 ? 0 : 1;
}
