// The parts of a pool that know no processes.

#include <baton/pool/call.hpp>
#include <baton/detail/pool/batch.hpp>
#include <baton/detail/pool/board.hpp>
#include <baton/detail/pool/ids.hpp>
#include <baton/detail/pool/tempo.hpp>
#include "tests/catch.hpp"

using namespace std::chrono_literals;
using namespace baton::detail::pool;
using baton::pool::named;

TEST_CASE("a batch holds about a millisecond of work, and no more than a share", "[pool]") {
    Tempo tempo;
    CHECK(tempo.batch({1000, 1000}) == 1);  // nobody has measured anything
    CHECK_FALSE(tempo.is_quick());
    tempo.note(1, 100ns);
    CHECK(tempo.is_quick());
    CHECK(tempo.batch({100'000, 100'000}) == 10'000);
    CHECK(tempo.batch({2'500, 5'000}) == 2'500);
    CHECK(tempo.batch({3, 3}) == 1'000);        // a message costs as much as this many tasks,
    CHECK(tempo.batch({800, 1'600}) == 1'600);  // and so would a second one in turn
    Tempo slow;
    slow.note(2, 20ms);
    CHECK_FALSE(slow.is_quick());
    CHECK(slow.batch({1000, 1000}) == 1);
    slow.note(1, 0ns);
    slow.note(1000, 1us);
    CHECK(slow.batch({1000, 1000}) == 1);  // it takes a while to forget
}

TEST_CASE("a batch holds no more tasks than a worker could answer at once, until one of that size comes back whole",
          "[pool]") {
    const Tempo::Share much{1'000, 2'000};
    Tempo tempo;
    tempo.note(300, 30us, 700);
    CHECK(tempo.batch(much) == 300);
    tempo.note(200, 20us);
    CHECK(tempo.batch(much) == 300);
    tempo.note(300, 30us);
    CHECK(tempo.batch(much) == 600);
    tempo.note(600, 60us);
    CHECK(tempo.batch(much) == 1'000);
    // Nothing is known of the answer of a worker whose time was up.
    tempo.note(2, 2 * Tempo::budget, 998);
    for (int quick = 0; quick < 30; ++quick) tempo.note(1, 100ns);
    CHECK(tempo.batch(much) == 1'000);
}

TEST_CASE("a task is begun by its worker or taken back by the pool, never both", "[pool]") {
    std::uint64_t memory = 0;
    const std::atomic_ref<std::uint64_t> word{memory};
    word.store(board_word::of(7, 5, 0));
    CHECK(board_word::begin(word, 7, 0));
    CHECK_FALSE(board_word::begin(word, 7, 0));
    CHECK(board_word::begin(word, 7, 1));
    CHECK(board_word::take_back(word, 7, 5) == 2);
    CHECK_FALSE(board_word::begin(word, 7, 2));
    CHECK_FALSE(board_word::begin(word, 8, 2));

    SECTION("all of it, before it has begun") {
        word.store(board_word::of(8, 3, 0));
        CHECK(board_word::take_back(word, 8, 3) == 0);
        CHECK_FALSE(board_word::begin(word, 8, 0));
    }
    SECTION("nothing of it, where all have begun, or the word is another's or makes no sense") {
        word.store(board_word::of(8, 1, 0));
        CHECK(board_word::begin(word, 8, 0));
        CHECK(board_word::take_back(word, 8, 1) == 1);
        CHECK(board_word::take_back(word, 9, 4) == 4);
        for (const std::uint64_t junk :
             {std::uint64_t{0}, ~std::uint64_t{0}, board_word::of(9, 4, 5), board_word::of(9, 100, 0)}) {
            word.store(junk);
            CHECK(board_word::take_back(word, 9, 4) == 4);
        }
    }
}

TEST_CASE("what a worker notes is a Done for the pool, and what makes no sense is nothing", "[pool]") {
    std::array<std::uint64_t, notes_words> place{};
    Notes notes{place};
    const baton::Timestamp started{5s};
    notes.open(7, started);
    CHECK_FALSE(read_notes(place, 7, 0, 4));
    CHECK(notes.note(10, "\x01"));
    CHECK(notes.note(20, baton::detail::ErrorBody{"refused", "no", "", {}}));
    CHECK(notes.note(30, "\x03"));

    const Done all = read_notes(place, 7, 0, 4).value();
    CHECK(makes_sense(all, 4));
    CHECK(all.started == started);
    CHECK(all.took == 30ns);
    CHECK(all.moments.size() == 12);
    CHECK(all.results == std::vector{std::byte{0x93}, std::byte{1}, std::byte{0xc0}, std::byte{3}});
    REQUIRE(all.failures.size() == 1);
    CHECK(all.failures[0].index == 1);
    CHECK(all.failures[0].error.text == "no");
    CHECK(read_notes(place, 7, 2, 4).value().results == std::vector{std::byte{0x91}, std::byte{3}});
    CHECK_FALSE(read_notes(place, 7, 3, 4));
    CHECK_FALSE(read_notes(place, 7, 0, 2));
    CHECK_FALSE(read_notes(place, 9, 0, 4));

    CHECK_FALSE(notes.note(40, std::string(notes_words * 8, 'x')));
    while (notes.note(50, "\x01")) {
    }
    const Done many = read_notes(place, 7, 0, 20'000).value();
    CHECK(makes_sense(many, 20'000));
    for (std::uint64_t& word : std::span(place).first(64))
        for (const std::uint64_t junk :
             {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{7} << 48 | 10 << 24 | 1'000'000,
              std::uint64_t{7} << 48 | 10 << 24 | 100}) {
            const std::uint64_t before = std::exchange(word, junk);
            if (const std::optional<Done> done = read_notes(place, 7, 0, 20'000))
                static_cast<void>(makes_sense(*done, 20'000));
            word = before;
        }
}

TEST_CASE("an id is given once", "[pool]") {
    Ids ids;
    CHECK(ids.take(3) == 1);
    CHECK_FALSE(ids.take_this(2));
    CHECK(ids.take_this(4));
    CHECK(ids.take_this(10));
    CHECK_FALSE(ids.take_this(10));
    CHECK(ids.take_this(7));
    CHECK(ids.take(2) == 11);
    CHECK_FALSE(ids.take_this(12));
    CHECK(ids.take_this(13));
    ids.forget_all();
    CHECK(ids.take_this(2));
}

TEST_CASE("types fit always, sometimes or never", "[pool]") {
    using baton::detail::describe_type;
    const auto fit = []<class Given, class Wanted>(std::type_identity<Given>, std::type_identity<Wanted>) {
        return fit_of(describe_type<Given>(), describe_type<Wanted>());
    };
    const auto type = []<class T>(T) { return std::type_identity<T>{}; };
    CHECK(fit(type(1), type(std::int64_t{1})) == Fit::always);
    CHECK(fit(type(1), type(1.0)) == Fit::always);
    CHECK(fit(type(std::uint8_t{1}), type(std::int16_t{1})) == Fit::always);
    CHECK(fit(type(1), type(1U)) == Fit::perhaps);
    CHECK(fit(type(std::uint64_t{1}), type(std::int64_t{1})) == Fit::perhaps);
    CHECK(fit(type(1.0), type(1)) == Fit::never);
    CHECK(fit(type(1), type(std::string())) == Fit::never);
    CHECK(fit(type(1), type(true)) == Fit::never);
    CHECK(fit(type(std::vector<int>{}), type(std::vector<std::uint8_t>{})) == Fit::perhaps);
    CHECK(fit(type(1), type(std::optional<int>{})) == Fit::perhaps);
}
