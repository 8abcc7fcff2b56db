// The bodies of scripts in a world of <baton/testing.hpp>, as run_scenario() would run them: no processes, no sockets.
#include <baton/testing.hpp>

#include <stdexcept>

#include "tests/catch.hpp"

using namespace std::chrono_literals;
using baton::ErrorKind;
using baton::ExitKind;
using Catch::Matchers::Contains;
using Strings = std::vector<std::string>;

namespace printer {

struct Print {
    std::string line;
    using Reply = std::int64_t;  // how many lines it has printed
};
struct Tell;
struct Give;
using Protocol = baton::Protocol<Print, Tell, Give>;
struct Finished {
    std::int64_t lines = 0;
};
using Listener = baton::Protocol<Finished>;
struct Tell {
    baton::Ref<Listener> listener;
};
struct Give {
    baton::Segment paper;
};

}  // namespace printer

namespace {

class Printer {
public:
    explicit Printer(baton::Context& context) : context_(&context) {}
    std::int64_t on(const printer::Print& command) {
        if (command.line.empty()) throw std::invalid_argument("an empty line");
        return ++lines_;
    }
    void on(const printer::Tell& command) {
        static_cast<void>(context_->send(command.listener, printer::Finished{lines_}));
    }
    void on(printer::Give) {}

private:
    baton::Context* context_;
    std::int64_t lines_ = 0;
};

// What a user's program gives to run_scenario().
std::int64_t printed = 0;
void print_all(baton::Scenario& scenario) {
    const auto printer = scenario.spawn<printer::Protocol>({"printer", "p"});
    for (const std::string& line : scenario.arguments()) printed = scenario.ask(printer, printer::Print{line}, 2s);
}

struct Shop {
    Shop() { world.provide("printer", baton::actor<Printer, printer::Protocol>("")); }
    [[nodiscard]] std::vector<baton::RosterRow> roster() { return world.context().roster(true).value(); }
    [[nodiscard]] baton::Exit exit_of(const std::string& name) {
        for (const baton::RosterRow& row : roster())
            if (row.name == name) return row.exit;
        throw std::out_of_range(name);
    }
    baton::testing::World world;
};

// The error with which that body fails.
baton::Error error_of(baton::testing::World& world, const std::function<void(baton::Scenario&)>& body) {
    try {
        world.run_scenario(body);
    } catch (const baton::ErrorException& exception) {
        return exception.error();
    }
    return baton::Error{ErrorKind::failed, "it did not throw"};
}

}  // namespace

TEST_CASE("the body of a script runs in a world as it is, and what it has started is stopped",
          "[simulation][testing]") {
    Shop shop;
    shop.world.run_scenario(print_all, {"a", "b", "c"});
    CHECK(printed == 3);
    CHECK(shop.exit_of("p").kind == ExitKind::stopped);
    CHECK(shop.exit_of("scenario").kind == ExitKind::left);
    shop.world.run_scenario(print_all, {"d"});  // and once more
    CHECK(printed == 1);
}

TEST_CASE("a verb of a script throws in a world as in a session, out of its body", "[simulation][testing]") {
    Shop shop;
    const baton::Error failed = error_of(shop.world, [](baton::Scenario& scenario) {
        const auto printer = scenario.spawn<printer::Protocol>({"printer"});
        static_cast<void>(scenario.ask(printer, printer::Print{""}));
    });
    CHECK(failed.kind == ErrorKind::failed);
    CHECK_THAT(failed.text, Contains("an empty line"));
    CHECK(shop.exit_of("printer").kind == ExitKind::stopped);  // after an exception, too
    CHECK(error_of(shop.world, [](baton::Scenario& scenario) {
              static_cast<void>(scenario.spawn<printer::Protocol>({"plotter"}));
          }).kind == ErrorKind::refused);
    CHECK_THROWS_AS(shop.world.run_scenario([](baton::Scenario&) { throw std::domain_error("its own"); }),
                    std::domain_error);
}

TEST_CASE("linked actors end together in a world as in a session", "[simulation][testing][links]") {
    Shop shop;
    shop.world.run_scenario([](baton::Scenario& scenario) {
        const auto a = scenario.spawn<printer::Protocol>({"printer", "a"});
        const auto b = scenario.spawn<printer::Protocol>({"printer", "b"});
        const auto c = scenario.spawn<printer::Protocol>({"printer", "c"});
        const auto d = scenario.spawn<printer::Protocol>({"printer", "d"});
        scenario.link(a, b);
        scenario.link(c, d);
        scenario.unlink(d, c);
        scenario.kill(a);
        CHECK(scenario.join(b, 10s).exit.text == "it was linked with a, which has ended: " +
                                                     to_text(scenario.exit_of(a)));
        scenario.kill(c);
        CHECK(scenario.ask(d, printer::Print{"lives"}) == 1);
        scenario.link(d, a);  // which has ended
        CHECK_THAT(scenario.join(d, 10s).exit.text, Contains("it was linked with a"));
        CHECK_THROWS_AS(scenario.link(baton::AnyRef{scenario.id()}, d), baton::ErrorException);
    });
}

TEST_CASE("a script is timed out by the world's clock", "[simulation][testing]") {
    Shop shop;
    shop.world.provide_peer<printer::Protocol>(
        "printer", [](baton::testing::Peer<printer::Protocol> peer) { peer.keeps<printer::Print>(); });
    const baton::Instant begin = shop.world.now();
    CHECK(error_of(shop.world, [](baton::Scenario& scenario) {
              const auto printer = scenario.spawn<printer::Protocol>({"printer"});
              static_cast<void>(scenario.ask(printer, printer::Print{"a"}, 1h));
          }).kind == ErrorKind::timed_out);
    CHECK(shop.world.now() - begin == 1h);
    // What can never come is an error of the test.
    CHECK_THROWS_AS(shop.world.run_scenario([](baton::Scenario& scenario) {
        scenario.wait_for([] { return false; }, baton::Duration::max());
    }), std::logic_error);
}

TEST_CASE("a script collects what actors send it in a world", "[simulation][testing]") {
    Shop shop;
    std::vector<std::int64_t> finished;
    baton::Duration waited{};
    shop.world.run_scenario([&](baton::Scenario& scenario) {
        const auto printer = scenario.spawn<printer::Protocol>({"printer"});
        const auto me = scenario.self<printer::Listener>();
        scenario.send(printer, printer::Tell{me});
        scenario.ask(printer, printer::Print{"a"});
        scenario.send(printer, printer::Tell{me});
        const baton::Instant begin = scenario.now();
        for (const auto& one : scenario.collect<printer::Finished>({.count = 2})) finished.push_back(one.lines);
        for (const auto& one : scenario.collect<printer::Finished>({.quiet = 2s})) finished.push_back(one.lines);
        waited = scenario.now() - begin;
    });
    CHECK(finished == std::vector<std::int64_t>{0, 1});
    CHECK(waited == 2s);
}

TEST_CASE("a script is told of a death in a world, and gets back what it had given", "[simulation][testing]") {
    Shop shop;
    Strings lost;
    std::size_t returned = 0;
    shop.world.run_scenario([&](baton::Scenario& scenario) {
        scenario.on_exited([&](const baton::Ended& ended) { lost.push_back(ended.name); });
        const auto printer = scenario.spawn<printer::Protocol>({"printer"});
        scenario.signal(printer, SIGSTOP);
        scenario.send(printer, printer::Give{scenario.create_segment(10)});
        scenario.kill(printer);
        returned = scenario.collect_bounced<printer::Give>({.count = 1, .within = 1s}).size();
        scenario.wait_for([&] { return !lost.empty(); }, 1s);
    });
    CHECK(returned == 1);
    CHECK(lost == Strings{"printer"});
}

TEST_CASE("what a script alone can do in a session is refused or done in a world", "[simulation][testing]") {
    Shop shop;
    shop.world.run_scenario([](baton::Scenario& scenario) {
        const auto printer = scenario.spawn<printer::Protocol>({"printer"});
        CHECK(scenario.context().find<printer::Protocol>("printer").value() == printer);
        CHECK_THROWS_WITH(static_cast<void>(scenario.sentinel(printer)), Contains("no processes, so no sentinels"));
        const std::vector<baton::Ended> exits = scenario.close();
        REQUIRE(exits.size() == 1);
        CHECK(exits[0].name == "printer");
        CHECK(scenario.close().empty());
        CHECK_THROWS_AS(scenario.ask(printer, printer::Print{"a"}), baton::ErrorException);
        CHECK_THROWS_AS(scenario.spawn<printer::Protocol>({"printer"}), baton::ErrorException);
        CHECK_THROWS_AS(scenario.collect<printer::Finished>({.count = 1}), baton::ErrorException);
    });
    CHECK_THROWS_AS(shop.world.run_scenario([&](baton::Scenario&) { shop.world.run_scenario(print_all); }),
                    std::invalid_argument);
}

TEST_CASE("the peers of a script are scripted and inspected in a world", "[simulation][testing]") {
    Shop shop;
    shop.world.provide_peer<printer::Protocol>("printer", [](baton::testing::Peer<printer::Protocol> peer) {
        peer.replies<printer::Print>(std::int64_t{7});
    });
    shop.world.run_scenario(print_all, {"a", "b"});
    CHECK(printed == 7);
    const auto came = shop.world.find_peer<printer::Protocol>("p");
    CHECK(came.received<printer::Print>().size() == 2);
}
