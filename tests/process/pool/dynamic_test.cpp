// A pool whose functions are known only at run time, of a program that talks by descriptions.
#include <baton/dynamic_pool.hpp>
#include <baton/outsider.hpp>
#include "tests/process/pool/pool_world.hpp"

using namespace std::chrono_literals;
using baton::ErrorKind;
using baton::Outsider;
using baton::Result;
using baton::dynamic::Memory;
using baton::dynamic::TaskList;
using baton::dynamic::Value;
using Catch::Matchers::Contains;

namespace {

Value::List numbers_as_values(std::initializer_list<std::int64_t> all) {
    Value::List list;
    for (const std::int64_t one : all) list.push_back(Value{one});
    return list;
}

class DynamicPoolWorld : public PoolWorld {
public:
    DynamicPoolWorld() {
        Outsider::Entry entry;
        entry.session = session().id();
        entry.name = "gateway";
        outsider = Outsider::enter(std::move(entry)).value();
        pool.emplace(outsider->context(), options());
    }

    Value held(baton::dynamic::HeldKind kind, Memory memory) {
        return Value{Value::Held{kind, std::make_shared<Memory>(std::move(memory))}};
    }
    baton::Segment make(std::uint64_t count) {
        baton::Segment segment = outsider->context().create_array<std::int64_t>({count}).value();
        std::iota(segment.as<std::int64_t>().begin(), segment.as<std::int64_t>().end(), 0);
        return segment;
    }
    std::vector<Value> results(const baton::dynamic::Outcomes& outcomes) {
        std::vector<Value> all;
        baton::dynamic::ResultReader reader;
        for (std::size_t task = 0; task < outcomes.size(); ++task)
            all.push_back(reader.value(outcomes[task]).value());
        return all;
    }

    std::unique_ptr<Outsider> outsider;
    std::optional<baton::dynamic::Pool> pool;
};

}  // namespace

TEST_CASE("tasks written from values run like others, and their results are values", "[process][pool]") {
    DynamicPoolWorld world;
    TaskList tasks = world.pool->tasks("power").value();
    CHECK(tasks.function().parameters[1].name == "exponent");
    for (std::int64_t base = 0; base < 1000; ++base) tasks.add(numbers_as_values({base, 2})).value();
    const auto outcomes = world.pool->map(std::move(tasks)).value();
    const std::vector<Value> powers = world.results(outcomes);
    REQUIRE(powers.size() == 1000);
    for (std::int64_t base = 0; base < 1000; ++base)
        CHECK(powers[static_cast<std::size_t>(base)] == Value{base * base});
    CHECK(outcomes[7].arguments().value() == numbers_as_values({7, 2}));
    CHECK(outcomes[7].signature().name == "power");
}

TEST_CASE("what does not fit the signature is refused with its place, and adds no task", "[process][pool]") {
    DynamicPoolWorld world;
    TaskList tasks = world.pool->tasks("power").value();
    const Result<void> text = tasks.add({Value{std::int64_t{2}}, Value{"two"}});
    CHECK(text.error().kind == ErrorKind::refused);
    CHECK_THAT(text.error().text, Contains("power(exponent)"));
    CHECK_THAT(tasks.add(numbers_as_values({2, 300})).error().text, Contains("power(exponent)"));
    CHECK(tasks.add(numbers_as_values({2})).error().kind == ErrorKind::refused);
    CHECK(tasks.size() == 0);
    CHECK(world.pool->tasks("no_such_function").error().kind == ErrorKind::refused);
    const std::vector<std::string> names{"exponent", "base"};
    CHECK(tasks.parameters_of(0, names).value() == std::vector<std::size_t>{1, 0});
    CHECK(tasks.parameters_of(1, std::span(names).first(1)).value() == std::vector<std::size_t>{0, 1});
    CHECK(tasks.parameters_of(1, names).error().kind == ErrorKind::refused);
}

TEST_CASE("memory goes to tasks that are written from values, and comes back from them", "[process][pool]") {
    DynamicPoolWorld world;
    using baton::dynamic::HeldKind;
    TaskList given = world.pool->tasks("use_up").value();
    const Value segment = world.held(HeldKind::segment, world.make(10));
    CHECK_THAT(given.add({Value{std::int64_t{1}}}).error().text, Contains("use_up(argument 1): expected a segment"));
    given.add({segment}).value();
    CHECK(baton::dynamic::is_empty(*segment.as<Value::Held>()->memory));
    CHECK(world.results(world.pool->map(std::move(given)).value()).front() == Value{std::int64_t{80}});

    baton::Loan loan = world.outsider->context().lend(world.make(4)).value();
    const Value lent = world.held(HeldKind::lease, std::move(loan));
    TaskList sums = world.pool->tasks("sum").value();
    for (int task = 0; task < 3; ++task) sums.add({lent}).value();
    for (const Value& sum : world.results(world.pool->map(std::move(sums)).value()))
        CHECK(sum == Value{std::int64_t{6}});
    CHECK_FALSE(baton::dynamic::is_empty(*lent.as<Value::Held>()->memory));
    CHECK_THAT(world.pool->tasks("use_up").value().add({lent}).error().text, Contains("expected a segment"));

    TaskList ranges = world.pool->tasks("range").value();
    ranges.add(numbers_as_values({5})).value();
    const baton::Segment made = world.pool->map(std::move(ranges)).value()[0].as<baton::Segment>().value();
    CHECK(made.as<std::int64_t>()[4] == 4);
}

TEST_CASE("tasks written from values can be awaited, cancelled, and taken in the order of their ends",
          "[process][pool]") {
    DynamicPoolWorld world;
    const std::string fifo = world.make_fifo("gate");
    TaskList gate = world.pool->tasks("wait_for").value();
    gate.add({Value{fifo}}).value();
    auto held_up = world.pool->submit(std::move(gate)).value();
    TaskList squares = world.pool->tasks("square").value();
    for (const std::int64_t number : {2, 3}) squares.add(numbers_as_values({number})).value();
    auto two = world.pool->map_async(std::move(squares)).value();

    baton::dynamic::Completed completed{60s};
    completed.add(held_up);
    completed.add(two);
    CHECK(completed.next().value()->function() == "square");
    CHECK(completed.next().value()->function() == "square");
    CHECK(two.is_settled());
    CHECK(two.unfinished() == 0);
    CHECK_FALSE(held_up.is_settled());
    world.release(fifo);
    CHECK(completed.next().value()->id() == held_up.id());
    CHECK_FALSE(completed.next().value().has_value());
    CHECK(world.results(held_up.outcomes().value()).front() == Value{"released"});
    CHECK(held_up.cancel() == baton::pool::Cancelled::too_late);

    TaskList none = world.pool->tasks("square").value();
    CHECK(world.pool->submit(std::move(none)).error().kind == ErrorKind::refused);
}

TEST_CASE("a call whose one task is written later runs when the pool starts", "[process][pool]") {
    DynamicPoolWorld world;
    const auto write = [](TaskList& tasks) { return tasks.add(numbers_as_values({9})); };
    const baton::pool::TaskId id = world.pool->add(baton::dynamic::call("square", write).with_id(70)).value();
    CHECK(id == 70);
    CHECK(world.pool->require_free(70).error().kind == ErrorKind::refused);
    const auto outcomes = world.pool->execute().value();
    baton::dynamic::ResultReader reader;
    CHECK(reader.value(outcomes.front()).value() == Value{std::int64_t{81}});
}

TEST_CASE("the workers of a pool whose owner is about to end need not be waited for", "[process][pool]") {
    DynamicPoolWorld world;
    TaskList tasks = world.pool->tasks("wait_for").value();
    tasks.add({Value{world.make_fifo("never")}}).value();
    auto task = world.pool->submit(std::move(tasks)).value();
    world.pool->abandon();
    CHECK(task.outcomes().value()[0].error().kind == ErrorKind::stopping);
    CHECK(world.pool->stop(0s).empty());
}
