// What <baton/testing.hpp> promises, seen as its users see it: no internals, no processes.
#include <baton/testing.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "tests/catch.hpp"

using namespace std::chrono_literals;
using baton::ErrorKind;
using baton::ExitKind;
using Catch::Matchers::Contains;
using Names = std::vector<std::string>;

namespace teller {

struct Approve {
    std::int64_t cents;
    using Reply = bool;
};
struct Receipt {
    std::int64_t balance;
};
struct Vault {
    baton::Segment gold;
};
struct Weigh {
    baton::Segment gold;
    using Reply = double;
};
struct Ring {
    using Reply = void;
};
using Protocol = baton::Protocol<Approve, Receipt, Vault, Weigh, Ring>;

}  // namespace teller

namespace bank {

struct Deposit {
    std::int64_t cents;
    using Reply = std::int64_t;
};
struct Withdraw {
    std::int64_t cents;
    using Reply = std::int64_t;
};
struct Know {
    baton::Ref<teller::Protocol> teller;
};
struct Tell {};
struct TellLater {
    std::int64_t seconds;
};
struct Crash {
    std::string why;
};
struct PayOut {};
struct Balance {
    using Reply = std::int64_t;
};
struct Hold {
    using Reply = std::int64_t;
};
struct WeighGold {
    using Reply = double;
};
struct Hire {
    std::string program;
    using Reply = std::string;
};
struct RingBell {
    using Reply = std::string;
};
struct Quit {};
struct BreakDown {};
using Protocol = baton::Protocol<Deposit, Withdraw, Know, Tell, TellLater, Crash, PayOut, Balance, Hold, WeighGold,
                                 Hire, RingBell, Quit, BreakDown>;

}  // namespace bank

namespace {

class Account {
public:
    explicit Account(baton::Context& context, std::string* journal = nullptr) : context_(&context), journal_(journal) {
        if (!context.arguments().empty()) balance = std::stoll(context.arguments()[0]);
        if (balance < 0) throw std::invalid_argument("an account does not begin below zero");
        context.on_exited([this](const baton::Ended& ended) { lost.push_back(ended.name); });
        context.on_bounced([this](baton::Bounced<teller::Vault> bounced) {
            returned.push_back(bounced.command.gold.as<double>()[0]);
            why = bounced.why.text;
        });
    }
    ~Account() {
        if (journal_ != nullptr) *journal_ += "closed";
    }

    std::int64_t on(const bank::Deposit& command) { return balance += command.cents; }
    baton::Result<std::int64_t> on(const bank::Withdraw& command) {
        if (command.cents > balance) return baton::Error{ErrorKind::refused, "overdraft"};
        if (teller) {
            const baton::Result<bool> approved = context_->ask(teller, teller::Approve{command.cents}, 2s);
            if (journal_ != nullptr) *journal_ += "heard ";
            if (!approved) return approved.error();
            if (!*approved) return baton::Error{ErrorKind::refused, "not approved"};
        }
        return balance -= command.cents;
    }
    void on(const bank::Know& command) { teller = command.teller; }
    void on(const bank::Tell&) { sent = context_->send(teller, teller::Receipt{balance}, 1s); }
    void on(const bank::TellLater& command) {
        const auto sent_later =
            context_->send_after(std::chrono::seconds{command.seconds}, teller, teller::Receipt{balance});
        if (!sent_later) throw std::runtime_error(sent_later.error().text);
    }
    void on(const bank::Crash& command) { throw std::domain_error(command.why); }
    void on(const bank::PayOut&) {
        baton::Segment gold = context_->create_array<double>({1}).value();
        gold.as<double>()[0] = 7.5;
        sent = context_->send(teller, teller::Vault{std::move(gold)});
    }
    std::int64_t on(const bank::Balance&) { return balance; }
    void on(const bank::Hold&, baton::Answer<std::int64_t> answer) { kept.push_back(std::move(answer)); }
    baton::Result<double> on(const bank::WeighGold&) {
        baton::Segment gold = context_->create_array<double>({1}).value();
        gold.as<double>()[0] = 2.5;
        return context_->ask(teller, teller::Weigh{std::move(gold)});
    }
    baton::Result<std::string> on(const bank::Hire& command) {
        const auto hired = context_->spawn<teller::Protocol>({command.program, "clerk"});
        if (!hired) return hired.error();
        const auto approved = context_->ask(*hired, teller::Approve{1});
        if (!approved) return approved.error();
        return std::string(*approved ? "yes" : "no");
    }
    baton::Result<std::string> on(const bank::RingBell&) {
        const baton::Result<void> rung = context_->ask(teller, teller::Ring{});
        if (!rung) return rung.error();
        return std::string("rung");
    }
    void on(const bank::Quit&) { context_->stop(); }
    void on(const bank::BreakDown&) { breaks_at = context_->deadline(1s); }

    baton::Deadline next_deadline() { return breaks_at.or_earlier(statement_at); }
    void on_deadline() {
        if (breaks_at.has_passed(context_->clock())) throw std::runtime_error("worn out");
        statements.push_back(context_->now());
        statement_at = context_->deadline(24h);
    }

    std::int64_t balance = 0;
    baton::Ref<teller::Protocol> teller;
    baton::Result<void> sent;
    std::vector<std::string> lost;
    std::vector<double> returned;
    std::string why;
    std::vector<baton::Answer<std::int64_t>> kept;
    baton::Deadline breaks_at;
    baton::Deadline statement_at;
    std::vector<baton::Instant> statements;

private:
    baton::Context* context_;
    std::string* journal_;
};

// A bank with one account, and a teller whom the account knows.
struct Bank {
    explicit Bank(baton::testing::World::Options options = {}) : world(options) {
        REQUIRE(account.send(bank::Know{teller.ref()}).ok());
    }
    baton::testing::World world;
    baton::testing::Peer<teller::Protocol> teller = world.peer<teller::Protocol>("teller");
    baton::testing::Actor<Account, bank::Protocol> account = world.start<Account, bank::Protocol>("account", {"100"});
};

std::size_t shared_objects() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator("/dev/shm"))
        if (one.path().filename().string().find(fmt::format("-{}-", ::getpid())) != std::string::npos) ++count;
    return count;
}

}  // namespace

// ---- the actor ------------------------------------------------------------------------------------------

TEST_CASE("an actor in a test world answers as in a session, and its object can be looked at",
          "[simulation][testing]") {
    baton::testing::World world;
    auto account = world.start<Account, bank::Protocol>("account", {"100"});
    CHECK(account.ask(bank::Deposit{10}).value() == 110);
    const auto refused = account.ask(bank::Withdraw{500});
    CHECK(refused.error().kind == ErrorKind::refused);
    CHECK(refused.error().text == "overdraft");
    CHECK(account->balance == 110);
    CHECK(account.handled() == Names{"Deposit", "Withdraw"});
}

TEST_CASE("what an actor's constructor throws is the test's", "[simulation][testing]") {
    baton::testing::World world;
    using Start = baton::testing::Actor<Account, bank::Protocol>;
    CHECK_THROWS_AS(static_cast<void>(Start{world.start<Account, bank::Protocol>("account", {"-1"})}),
                    std::invalid_argument);
    CHECK(world.start<Account, bank::Protocol>("account", {"1"}).ask(bank::Balance{}).value() == 1);
}

TEST_CASE("an actor gets what its constructor wants beside the Context, and is destroyed with the world",
          "[simulation][testing]") {
    std::string journal;
    {
        baton::testing::World world;
        std::string* place = &journal;
        auto account = world.start<Account, bank::Protocol>("account", {}, place);
        CHECK(account.is_alive());
        CHECK(journal.empty());
    }
    CHECK(journal == "closed");
}

TEST_CASE("an exception of a handler is reported to the test, and the actor lives on", "[simulation][testing]") {
    Bank bank;
    CHECK(bank.account.send(bank::Crash{"no ink"}).ok());
    REQUIRE(bank.account.failures().size() == 1);
    CHECK(bank.account.failures()[0].command == "Crash");
    CHECK(bank.account.failures()[0].error.text == "no ink");
    CHECK(bank.account.failures()[0].error.type == "std::domain_error");
    CHECK(bank.account.ask(bank::Balance{}).value() == 100);
}

TEST_CASE("an exception that would end the actor's process ends the actor, not the test", "[simulation][testing]") {
    Bank bank;
    CHECK(bank.account.send(bank::BreakDown{}).ok());
    bank.world.advance(2s);
    CHECK_FALSE(bank.account.is_alive());
    CHECK(bank.account.exit().kind == ExitKind::signalled);
    REQUIRE(bank.account.failures().size() == 1);
    CHECK(bank.account.failures()[0].command.empty());
    CHECK(bank.account.failures()[0].error.text == "worn out");
    CHECK(bank.account.ask(bank::Balance{}).error().kind == ErrorKind::gone);
    CHECK_THROWS_WITH(bank.account->balance, Contains("account has ended"));
}

TEST_CASE("a command that is not the actor's is refused by its name in the world too", "[simulation][testing]") {
    Bank bank;
    const baton::Ref<teller::Protocol> wrong{bank.account.ref().id, bank.account.ref().session};
    const auto reply = bank.world.context().ask(wrong, teller::Approve{1});
    CHECK(reply.error().kind == ErrorKind::unsupported);
    CHECK_THAT(reply.error().text, Contains("account knows no command 'Approve'"));
}

TEST_CASE("a Ref of one world is refused in another", "[simulation][testing]") {
    Bank here;
    Bank there;
    const auto reply = there.world.context().ask(here.account.ref(), bank::Balance{});
    CHECK(reply.error().kind == ErrorKind::refused);
    CHECK_THAT(reply.error().text, Contains("is an actor of session"));
}

// ---- peers ----------------------------------------------------------------------------------------------

TEST_CASE("what an actor sends to a peer can be inspected", "[simulation][testing]") {
    Bank bank;
    CHECK(bank.account.send(bank::Tell{}).ok());
    CHECK(bank.account.ask(bank::Deposit{5}).ok());
    CHECK(bank.account.send(bank::Tell{}).ok());
    const std::vector<teller::Receipt> receipts = bank.teller.received<teller::Receipt>();
    REQUIRE(receipts.size() == 2);
    CHECK(receipts[0].balance == 100);
    CHECK(receipts[1].balance == 105);
    CHECK(bank.teller.received_names() == Names{"Receipt", "Receipt"});
    const auto taken = bank.teller.take<teller::Receipt>();
    REQUIRE(taken);
    CHECK(taken->command.balance == 100);
    CHECK(taken->from == baton::AnyRef{bank.account.ref()});
    bank.teller.clear();
    CHECK(bank.teller.received<teller::Receipt>().empty());
}

TEST_CASE("a peer replies as the test says", "[simulation][testing]") {
    Bank bank;
    SECTION("with a value") {
        bank.teller.replies<teller::Approve>(true);
        CHECK(bank.account.ask(bank::Withdraw{30}).value() == 70);
        CHECK(bank.account.ask(bank::Withdraw{30}).value() == 40);
    }
    SECTION("with a function") {
        bank.teller.replies<teller::Approve>([](const teller::Approve& approve) { return approve.cents < 50; });
        CHECK(bank.account.ask(bank::Withdraw{30}).value() == 70);
        CHECK(bank.account.ask(bank::Withdraw{60}).error().text == "not approved");
    }
    SECTION("with an error") {
        bank.teller.fails<teller::Approve>({ErrorKind::overloaded, "a long queue"});
        CHECK(bank.account.ask(bank::Withdraw{30}).error().kind == ErrorKind::overloaded);
    }
    SECTION("with an error that a function throws") {
        bank.teller.replies<teller::Approve>([](const teller::Approve&) -> bool {
            throw baton::ErrorException({ErrorKind::refused, "closed on Sundays"});
        });
        CHECK(bank.account.ask(bank::Withdraw{30}).error().text == "closed on Sundays");
    }
    SECTION("with nothing, where the Reply is void") {
        bank.teller.replies<teller::Ring>();
        CHECK(bank.account.ask(bank::RingBell{}).value() == "rung");
    }
    SECTION("not at all") {
        const auto reply = bank.account.ask(bank::Withdraw{30});
        CHECK(reply.error().kind == ErrorKind::unsupported);
        CHECK_THAT(reply.error().text, Contains("the test has not said what its peer teller answers to Approve"));
    }
}

TEST_CASE("a peer replies when the test wants it to", "[simulation][testing]") {
    Bank bank;
    bank.teller.keeps<teller::Approve>();
    auto pending = bank.account.request(bank::Withdraw{30});
    REQUIRE(pending.ok());
    // The account waits in its handler for two seconds of the world's time; nobody answers in them.
    const auto reply = pending->get(10s);
    CHECK(reply.error().kind == ErrorKind::timed_out);
    const auto late = bank.teller.take<teller::Approve>();
    REQUIRE(late);
    CHECK(late->command.cents == 30);
}

TEST_CASE("an ask that a peer keeps is answered through what it has taken", "[simulation][testing]") {
    Bank bank;
    auto bell = bank.world.peer<bank::Protocol>("another");
    bell.keeps<bank::Balance>();
    auto pending = bank.teller.context().request(bell.ref(), bank::Balance{});
    REQUIRE(pending.ok());
    auto asked = bell.take<bank::Balance>();
    REQUIRE(asked);
    CHECK_FALSE(pending->ready());
    asked->answer.reply(42);
    CHECK(pending->get(1s).value() == 42);
}

TEST_CASE("a peer asks and sends itself", "[simulation][testing]") {
    Bank bank;
    CHECK(bank.teller.ask(bank.account.ref(), bank::Deposit{1}).value() == 101);
    CHECK(bank.teller.send(bank.account.ref(), bank::Tell{}).ok());
    CHECK(bank.teller.received<teller::Receipt>().size() == 1);
}

TEST_CASE("what a script of a peer throws is thrown by the test's own call", "[simulation][testing]") {
    Bank bank;
    bank.teller.replies<teller::Approve>(
        [](const teller::Approve&) -> bool { throw std::runtime_error("test is wrong"); });
    CHECK_THROWS_WITH(static_cast<void>(bank.account.ask(bank::Withdraw{30})), "test is wrong");
    CHECK(bank.account.ask(bank::Balance{}).value() == 100);
}

// ---- time -----------------------------------------------------------------------------------------------

TEST_CASE("time stands still until it is advanced, and what is due happens at its time", "[simulation][testing]") {
    Bank bank;
    const baton::Instant start = bank.world.now();
    bank.account->statement_at = baton::Deadline::in(bank.world.clock(), 1h);
    CHECK(bank.account.send(bank::TellLater{90}).ok());
    CHECK(bank.account.ask(bank::Balance{}).ok());
    CHECK(bank.world.now() == start);

    bank.world.advance(89s);
    CHECK(bank.teller.received<teller::Receipt>().empty());
    bank.world.advance(1s);
    CHECK(bank.teller.received<teller::Receipt>().size() == 1);
    CHECK(bank.account->statements.empty());

    bank.world.advance(49h - 90s);
    CHECK(bank.account->statements == std::vector<baton::Instant>{start + 1h, start + 25h, start + 49h});
    CHECK(bank.world.now() == start + 49h);
}

TEST_CASE("an ask that nobody answers is timed out at once, and the clock is later by that", "[simulation][testing]") {
    Bank bank;
    bank.teller.freeze();
    const baton::Instant start = bank.world.now();
    const auto reply = bank.account.ask(bank::Withdraw{30}, 1h);
    CHECK(reply.error().kind == ErrorKind::timed_out);
    CHECK(bank.world.now() - start == 2s);
    bank.teller.thaw();
    bank.teller.replies<teller::Approve>(true);
    CHECK(bank.account.ask(bank::Withdraw{30}).value() == 70);
}

TEST_CASE("a timer of one actor is due in the middle of another's wait", "[simulation][testing]") {
    Bank bank;
    auto other = bank.world.start<Account, bank::Protocol>("other", {"7"});
    other->statement_at = baton::Deadline::in(bank.world.clock(), 1s);
    const baton::Instant start = bank.world.now();
    bank.teller.freeze();
    CHECK(bank.account.ask(bank::Withdraw{30}).error().kind == ErrorKind::timed_out);
    CHECK(other->statements == std::vector<baton::Instant>{start + 1s});
}

TEST_CASE("an actor keeps an answer, and the test waits for it without a clock", "[simulation][testing]") {
    Bank bank;
    auto pending = bank.account.request(bank::Hold{});
    REQUIRE(pending.ok());
    CHECK_FALSE(pending->ready());
    REQUIRE(bank.account->kept.size() == 1);
    bank.account->kept[0].reply(5);
    CHECK(pending->get(1s).value() == 5);
    CHECK(bank.account.ask(bank::Hold{}, 1h).error().kind == ErrorKind::timed_out);
}

// ---- deaths and full inboxes --------------------------------------------------------------------------------

TEST_CASE("a peer dies on command: asks to it end as gone, and on_exited runs", "[simulation][testing]") {
    Bank bank;
    CHECK(bank.account.send(bank::Tell{}).ok());  // so that they know each other
    bank.teller.kill();
    CHECK(bank.account->lost == Names{"teller"});
    CHECK(bank.account.ask(bank::Withdraw{30}).error().kind == ErrorKind::gone);
    CHECK_FALSE(bank.teller.is_alive());
    CHECK(bank.teller.exit().code == SIGKILL);
    CHECK_THAT(to_text(bank.teller.exit()), Contains("signal -9"));
}

TEST_CASE("a peer dies while an actor waits for it", "[simulation][testing]") {
    Bank bank;
    auto& teller = bank.teller;
    bank.teller.replies<teller::Approve>([&teller](const teller::Approve&) {
        teller.kill();
        return true;
    });
    const baton::Instant start = bank.world.now();
    CHECK(bank.account.ask(bank::Withdraw{30}).error().kind == ErrorKind::gone);
    CHECK(bank.world.now() == start);
    CHECK(bank.account->balance == 100);
}

TEST_CASE("an actor that is killed in the middle of a command goes no further", "[simulation][testing]") {
    std::string journal;
    std::string* place = &journal;
    baton::testing::World world;
    auto teller = world.peer<teller::Protocol>("teller");
    auto account = world.start<Account, bank::Protocol>("account", {"100"}, place);
    CHECK(account.send(bank::Know{teller.ref()}).ok());
    teller.replies<teller::Approve>([&](const teller::Approve&) {
        account.kill();
        return true;
    });
    CHECK(account.ask(bank::Withdraw{30}).error().kind == ErrorKind::gone);
    CHECK(account.exit().in_hand == "Withdraw");
    CHECK(account.failures().empty());
    CHECK(journal == "closed");
}

TEST_CASE("a full inbox overloads its senders after their time, until it is emptied", "[simulation][testing]") {
    Bank bank;
    bank.teller.fill_inbox();
    const baton::Instant start = bank.world.now();
    CHECK(bank.account.send(bank::Tell{}).ok());
    CHECK(bank.account->sent.error().kind == ErrorKind::overloaded);
    CHECK(bank.world.now() - start == 1s);
    bank.teller.empty_inbox();
    CHECK(bank.account.send(bank::Tell{}).ok());
    CHECK(bank.account->sent.ok());
    CHECK(bank.teller.received<teller::Receipt>().size() == 1);
}

TEST_CASE("an actor stops as it is asked, by itself or by the test", "[simulation][testing]") {
    Bank bank;
    SECTION("by the test") { bank.account.stop(); }
    SECTION("by itself") { CHECK(bank.account.send(bank::Quit{}).ok()); }
    CHECK(bank.account.exit().kind == ExitKind::stopped);
    CHECK(bank.account.ask(bank::Balance{}).error().kind == ErrorKind::gone);
}

TEST_CASE("a stopped actor reports what it has not handled, or drains it", "[simulation][testing]") {
    Bank bank;
    bank.account.freeze();
    auto pending = bank.world.context().request(bank.account.ref(), bank::Deposit{5});
    REQUIRE(pending.ok());
    SECTION("reports") {
        bank.account.stop();
        bank.account.thaw();
        REQUIRE(bank.account.exit().dead_letters.size() == 1);
        CHECK(bank.account.exit().dead_letters[0].command == "Deposit");
        CHECK(pending->get(1s).error().kind == ErrorKind::stopping);
    }
    SECTION("drains") {
        bank.account.stop(true);
        bank.account.thaw();
        CHECK(bank.account.exit().dead_letters.empty());
        CHECK(pending->get(1s).value() == 105);
    }
    CHECK_FALSE(bank.account.is_alive());
}

// ---- segments -----------------------------------------------------------------------------------------------

TEST_CASE("a segment is given to a peer, which takes it with what is in it", "[simulation][testing]") {
    Bank bank;
    CHECK(bank.account.send(bank::PayOut{}).ok());
    auto vault = bank.teller.take<teller::Vault>();
    REQUIRE(vault);
    CHECK(vault->command.gold.as<double>()[0] == 7.5);
    CHECK(shared_objects() == 0);
}

TEST_CASE("a segment comes back whose receiver dies before it takes it, or refuses it", "[simulation][testing]") {
    Bank bank;
    SECTION("dies") {
        bank.teller.freeze();
        CHECK(bank.account.send(bank::PayOut{}).ok());
        CHECK(bank.account->returned.empty());
        bank.teller.kill();
        CHECK_THAT(bank.account->why, Contains("teller has exited"));
    }
    SECTION("refuses") {
        bank.teller.fails<teller::Vault>({ErrorKind::refused, "no room for gold"});
        CHECK(bank.account.send(bank::PayOut{}).ok());
        CHECK_THAT(bank.account->why, Contains("no room for gold"));
    }
    CHECK(bank.account->returned == std::vector<double>{7.5});
}

TEST_CASE("what one has given before it died is still taken", "[simulation][testing]") {
    baton::testing::World world;
    auto giver = world.peer<bank::Protocol>("giver");
    auto heir = world.peer<teller::Protocol>("heir");
    heir.freeze();
    baton::Segment gold = giver.context().create_array<double>({1}).value();
    gold.as<double>()[0] = 1.25;
    REQUIRE(giver.send(heir.ref(), teller::Vault{std::move(gold)}).ok());
    giver.kill();
    heir.thaw();
    auto taken = heir.take<teller::Vault>();
    REQUIRE(taken);
    CHECK(taken->command.gold.as<double>()[0] == 1.25);
}

TEST_CASE("a peer that has died answers gone to the test that goes on using it", "[simulation][testing]") {
    Bank bank;
    bank.teller.keeps<teller::Approve>();
    CHECK(bank.teller.ask(bank.account.ref(), bank::Balance{}).ok());
    bank.teller.kill();
    CHECK(bank.teller.ask(bank.account.ref(), bank::Balance{}).error().kind == ErrorKind::gone);
    CHECK(bank.teller.context().create_segment(1).error().kind == ErrorKind::gone);
}

TEST_CASE("a script gets the segment that an ask carries", "[simulation][testing]") {
    Bank bank;
    bank.teller.replies<teller::Weigh>([](teller::Weigh weigh) { return weigh.gold.as<double>()[0] * 2; });
    CHECK(bank.account.ask(bank::WeighGold{}).value() == 5.0);
}

TEST_CASE("a peer lends memory, and sees it when it is returned", "[simulation][testing]") {
    Bank bank;
    baton::Context& context = bank.teller.context();
    baton::Loan loan = context.lend(context.create_array<double>({2}).value()).value();
    REQUIRE(context.publish(loan, "rates").ok());
    {
        const baton::Lease lease = bank.world.context().look_up<baton::Lease>("rates").value();
        CHECK(lease.as<double>().size() == 2);
        CHECK(loan.leases_out() == 1);
    }
    CHECK(loan.leases_out() == 0);
}

TEST_CASE("what a dead member had borrowed is returned", "[simulation][testing]") {
    Bank bank;
    baton::Context& context = bank.teller.context();
    baton::Loan loan = context.lend(context.create_array<double>({2}).value()).value();
    REQUIRE(context.publish(loan, "rates").ok());
    auto borrower = bank.world.peer<teller::Protocol>("borrower");
    const baton::Lease lease = borrower.context().look_up<baton::Lease>("rates").value();
    CHECK(loan.leases_out() == 1);
    borrower.kill();
    CHECK(loan.leases_out() == 0);
    CHECK(loan.reclaim(1s).ok());
}

TEST_CASE("the memory of a world has the size that the test gives it", "[simulation][testing]") {
    Bank bank{{.memory_bytes = 1 << 20}};
    const baton::Instant start = bank.world.now();
    const auto segment = bank.world.context().create_segment(2 << 20, 3s);
    CHECK(segment.error().kind == ErrorKind::overloaded);
    CHECK(bank.world.now() - start == 3s);
}

TEST_CASE("what a test world can't do is refused with a text that says so", "[simulation][testing]") {
    Bank bank;
    baton::Context& context = bank.world.context();
    const auto exported = context.export_as(context.create_segment(10).value(), "gold");
    CHECK(exported.error().kind == ErrorKind::refused);
    CHECK_THAT(exported.error().text, Contains("test world"));
    CHECK_THAT(context.signal(bank.account.ref(), SIGUSR1).error().text, Contains("a test world has no processes"));
}

// ---- spawning -----------------------------------------------------------------------------------------------

TEST_CASE("what an actor spawns is played by the test", "[simulation][testing]") {
    Bank bank;
    bank.world.provide_peer<teller::Protocol>("clerk_program", [](baton::testing::Peer<teller::Protocol> clerk) {
        clerk.replies<teller::Approve>(true);
    });
    CHECK(bank.account.ask(bank::Hire{"clerk_program"}).value() == "yes");
    auto clerk = bank.world.find_peer<teller::Protocol>("clerk");
    CHECK(clerk.received<teller::Approve>().size() == 1);
    bank.account.kill();
    CHECK_FALSE(clerk.is_alive());  // it ends with the actor that has spawned it
}

TEST_CASE("an actor that was spawned itself has its children below its own name", "[simulation][testing]") {
    Bank bank;
    bank.world.provide("bank_program", baton::actor<Account, bank::Protocol>(""));
    bank.world.provide_peer<teller::Protocol>("clerk_program", [](baton::testing::Peer<teller::Protocol> clerk) {
        clerk.replies<teller::Approve>(false);
    });
    const auto branch = bank.world.context().spawn<bank::Protocol>({"bank_program", "branch"});
    REQUIRE(branch.ok());
    CHECK(bank.world.context().ask(*branch, bank::Hire{"clerk_program"}).value() == "no");
    CHECK(bank.world.find_peer<teller::Protocol>("branch/clerk").is_alive());
    CHECK_THROWS_AS(static_cast<void>(bank.world.find_peer<teller::Protocol>("clerk")), std::out_of_range);
}

namespace {

class Clerk {
public:
    explicit Clerk(baton::Context& context) : word_(context.arguments().empty() ? "" : context.arguments()[0]) {
        if (word_ == "broken") throw std::runtime_error("no desk");
    }
    bool on(const teller::Approve&) { return true; }
    void on(const teller::Receipt&) {}
    void on(const teller::Vault&) {}
    double on(const teller::Weigh&) { return 0; }
    void on(const teller::Ring&) {}

private:
    std::string word_;
};

}  // namespace

TEST_CASE("what an actor spawns is an actor that the test provides", "[simulation][testing]") {
    Bank bank;
    bank.world.provide("clerk_program", baton::actor<Clerk, teller::Protocol>(""));
    bank.world.provide(
        "office", {baton::actor<Clerk, teller::Protocol>("junior"), baton::actor<Clerk, teller::Protocol>("senior")});
    CHECK(bank.account.ask(bank::Hire{"clerk_program"}).value() == "yes");
    baton::Context& context = bank.world.context();

    const auto senior = context.spawn<teller::Protocol>({.program = "office", .actor = "senior"});
    REQUIRE(senior.ok());
    CHECK(context.find<teller::Protocol>("office").value() == *senior);
    CHECK_THAT(context.spawn<teller::Protocol>({"office"}).error().text, Contains("choose one of junior, senior"));
    CHECK(context.spawn<bank::Protocol>({"clerk_program"}).error().kind == ErrorKind::refused);
    const auto broken = context.spawn<teller::Protocol>({"clerk_program", "broken", {"broken"}});
    CHECK(broken.error().kind == ErrorKind::failed);
    CHECK_THAT(broken.error().text, Contains("no desk"));

    const auto ended = context.stop(*senior);
    REQUIRE(ended.ok());
    CHECK(ended->exit.kind == ExitKind::stopped);
    CHECK(context.exit_of(*senior).value().kind == ExitKind::stopped);
    CHECK(context.roster().value().size() == 4);  // the test, the teller, the account and its clerk
}

TEST_CASE("a program that the test has not provided is refused, and the text says how", "[simulation][testing]") {
    Bank bank;
    const auto reply = bank.account.ask(bank::Hire{"printer"});
    CHECK(reply.error().kind == ErrorKind::refused);
    CHECK_THAT(reply.error().text, Contains("the test world has no program 'printer'") && Contains("world.provide"));
}

TEST_CASE("one that ignores a request to stop is killed when its time is over", "[simulation][testing]") {
    Bank bank;
    bank.account.freeze();
    const baton::Instant start = bank.world.now();
    const auto ended = bank.world.context().stop(bank.account.ref(), 3s);
    REQUIRE(ended.ok());
    CHECK(ended->exit.code == SIGKILL);
    CHECK(bank.world.now() - start == 3s);
}
