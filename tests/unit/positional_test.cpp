#include <baton/detail/positional.hpp>

#include <limits>
#include <random>

#include "runtime/wire/brief.hpp"
#include "tests/catch.hpp"
#include "tests/fuzz/everything.hpp"
#include "tests/hex.hpp"

namespace {

using namespace baton;
using namespace baton::detail;
using namespace std::chrono_literals;
using baton_test::from_hex;
using baton_test::to_hex;
using everything::Everything;

constexpr std::size_t bytes_max = std::size_t{1} << 20;

template <class T>
std::string bytes_of(const T& value) {
    const std::size_t bytes = positional::measure_of<T>(value, bytes_max);
    REQUIRE(bytes <= bytes_max);
    std::string out(bytes + 1, '\x55');  // one more, which is not to be touched
    positional::Writer writer{reinterpret_cast<std::byte*>(out.data())};
    positional::write(writer, value);
    REQUIRE(writer.end() == reinterpret_cast<std::byte*>(out.data()) + bytes);
    CHECK(out.back() == '\x55');
    out.pop_back();
    return out;
}

// In memory of exactly that size, so that a sanitizer sees a read beyond it.
template <class T>
Result<T> read(std::string_view bytes) {
    const std::vector<char> exact(bytes.begin(), bytes.end());
    T out{};
    Decoding at{"It"};
    if (positional::read_into<T>({exact.data(), exact.size()}, &out, at)) return out;
    return at.take_error();
}
template <class T>
T there_and_back(const T& value) {
    return read<T>(bytes_of(value)).value();
}
template <class T>
std::string refusal(std::string_view bytes) {
    const Result<T> result = read<T>(bytes);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().kind == ErrorKind::refused);
    return result.error().text;
}

struct Empty {
    bool operator==(const Empty&) const = default;
};
struct Point {
    double x = 0;
    std::int32_t level = 0;
    std::array<std::uint16_t, 2> places{};
    bool operator==(const Point&) const = default;
};
struct Settings {
    bool is_on = false;
    everything::Colour colour = everything::Colour::red;
    std::string label;
    std::chrono::duration<std::int8_t> pause{};
};
enum class Id : std::uint64_t {};
enum class Shift : std::int32_t {};

Everything filled() {
    Everything it;
    it.flag = true;
    it.tiny = -128;
    it.huge = std::numeric_limits<std::uint64_t>::max();
    it.wide = std::numeric_limits<std::int64_t>::min();
    it.colour = everything::Colour::blue;
    it.sign = everything::Signed::below;
    it.single = 0.1F;
    it.real = 0.1;
    it.text = "h\xc3\xa9llo";
    it.bytes = {std::byte{0}, std::byte{255}};
    it.list = {1, -2, 3};
    it.triple = {1, 2, 65535};
    it.sorted = {{"a", 1}, {"b", -1}};
    it.hashed = {{1, "one"}, {-2, "two"}};
    it.maybe = 0;
    it.either = std::string{"text"};
    it.when = Timestamp{1'700'000'000s + 5ns};
    it.howlong = -3ms;
    it.who = AnyRef{ActorId{3, 2}, SessionTag::of("k3f9")};
    it.id = ActorId{4, 1};
    it.inner = {2.5, "note"};
    it.inners = {{1, {}}, {2, "x"}};
    it.tree = {"root", {{"left", {{"leaf", {}}}}, {"right", {}}}};
    it.shapes = {.pair = {"Ada", 1815},
                 .triple = {0.5, true, {1, 2}},
                 .words = {"one", "two"},
                 .numbers = {1, 65535},
                 .queue = {{1, "first"}, {2, ""}},
                 .sets = {{}, {1, 2}, {3}},
                 .places = {{"here", {0.5F, -1.0F}}},
                 .depth = 4};
    return it;
}

}  // namespace

TEST_CASE("a struct with a field of every kind comes back as it was, without names", "[wire][positional]") {
    CHECK(there_and_back(filled()) == filled());
    CHECK(there_and_back(Everything{}) == Everything{});
    CHECK(there_and_back(Empty{}) == Empty{});
    CHECK(there_and_back(std::vector<Empty>(3)) == std::vector<Empty>(3));
    CHECK(there_and_back(std::vector<bool>{true, false}) == std::vector<bool>{true, false});
    CHECK(there_and_back(std::tuple<>{}) == std::tuple<>{});
    CHECK(there_and_back(std::array<std::string, 0>{}) == std::array<std::string, 0>{});
    CHECK(there_and_back(Point{1.5, -2, {3, 4}}) == Point{1.5, -2, {3, 4}});
    constexpr Id highest{std::numeric_limits<std::uint64_t>::max()};
    CHECK(there_and_back(highest) == highest);
    CHECK(there_and_back(Shift{-5}) == Shift{-5});
}

TEST_CASE("each type has the bytes that the table of positional bodies promises", "[wire][positional]") {
    CHECK(to_hex(bytes_of(std::int16_t{-2})) == "feff");
    CHECK(to_hex(bytes_of(true)) == "01");
    CHECK(to_hex(bytes_of(everything::Signed::below)) == "01ffffffffffffffff");
    CHECK(to_hex(bytes_of(everything::Colour::blue)) == "000200000000000000");
    CHECK(to_hex(bytes_of(std::string{"hi"})) == "020000006869");
    CHECK(to_hex(bytes_of(std::vector<std::uint16_t>{1, 2})) == "0200000001000200");
    CHECK(to_hex(bytes_of(std::map<std::string, bool>{{"a", true}})) == "01000000010000006101");
    CHECK(to_hex(bytes_of(std::optional<std::uint8_t>{})) == "00");
    CHECK(to_hex(bytes_of(std::optional<std::uint8_t>{5})) == "0105");
    CHECK(to_hex(bytes_of(std::variant<std::monostate, std::uint8_t>{std::uint8_t{7}})) == "0100000007");
    CHECK(to_hex(bytes_of(std::chrono::microseconds{2})) == "d007000000000000");
    CHECK(to_hex(bytes_of(ActorId{3, 1})) == "03000000010000000000000000000000");
    CHECK(to_hex(bytes_of(Empty{})) == "00");
    CHECK(bytes_of(Point{}).size() == 16);
}

TEST_CASE("a value that does not fit is refused with the name of its field, as in a body with names",
          "[wire][positional]") {
    const std::string good = bytes_of(Settings{true, everything::Colour::green, "x", {}});
    std::string bad = good;
    bad[0] = 2;
    CHECK(refusal<Settings>(bad) == "It.is_on: expected 0 or 1, got 2");
    bad = good;
    bad[2] = 99;
    CHECK(refusal<Settings>(bad) == "It.colour: expected one of red, green, blue, got 99");
    bad = good;
    bad[14] = '\xff';
    CHECK(refusal<Settings>(bad) == "It.label: expected UTF-8, got a string of other bytes");
    bad = good;
    bad[bad.size() - 1] = 0x40;
    CHECK(refusal<Settings>(bad) == "It.pause: expected a duration in range, got 4611686018427387904");
    CHECK(refusal<Settings>(good + "more") == "It: 4 bytes follow that belong to no field");
    CHECK(refusal<everything::Signed>(from_hex("00 ff ff ff ff ff ff ff ff")) ==
          "It: expected an integer in range, got 18446744073709551615");
    CHECK(refusal<std::set<std::uint8_t>>(from_hex("02000000 07 07")) == "It[1] is in the set twice");
    CHECK(refusal<std::map<std::uint8_t, bool>>(from_hex("02000000 07 00 07 01")) == "It has a key twice");
}

TEST_CASE("a false count takes neither memory nor time", "[wire][positional]") {
    CHECK(refusal<std::vector<Empty>>(from_hex("ff ff ff ff 00")) == "It: the bytes end in the middle of it");
    CHECK(refusal<std::string>(from_hex("ff ff ff 7f 61")) == "It: the bytes end in the middle of it");
    CHECK(refusal<std::vector<double>>(from_hex("08 00 00 00 00 00 00 00 00 00 00 00")) ==
          "It: the bytes end in the middle of it");
    CHECK(refusal<Point>(std::string(15, '\0')) == "It: the bytes end in the middle of it");
}

TEST_CASE("what is nested too deep or too large is neither measured to its end nor read", "[wire][positional]") {
    everything::Tree deep{"leaf", {}};
    for (std::size_t depth = 0; depth < limits::message_depth_max; ++depth) deep = {"", {std::move(deep)}};
    CHECK(positional::measure_of(deep, bytes_max) == bytes_max + 1);
    std::string bytes;
    for (std::size_t depth = 0; depth < 10'000; ++depth) bytes += from_hex("00000000 01000000");
    bytes += from_hex("00000000 00000000");
    CHECK(refusal<everything::Tree>(bytes).ends_with(": it is nested deeper than 32"));
    const std::vector<std::string> large(1000, std::string(2000, 'x'));
    CHECK(positional::measure_of(large, bytes_max) == bytes_max + 1);
}

// Goal: no bytes in a lane make the reader crash, read beyond them or take memory without bound.
// Method: cut a rich value everywhere; flip each of its bits; and put random bytes over random places.
TEST_CASE("a body that was cut, flipped or overwritten anywhere is read or refused, and nothing else",
          "[wire][positional]") {
    const std::string good = bytes_of(filled());
    for (std::size_t size = 0; size < good.size(); ++size)
        CHECK_FALSE(read<Everything>(std::string_view(good).substr(0, size)).ok());
    const auto look = [](const std::string& bytes) {
        const Result<Everything> result = read<Everything>(bytes);
        if (result) CHECK(positional::measure_of(*result, bytes_max) <= bytes.size());
        else CHECK_FALSE(result.error().text.empty());
    };
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        std::string bad = good;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
        look(bad);
    }
    std::minstd_rand random{7};
    for (int round = 0; round < 5000; ++round) {
        std::string bad = good;
        for (int place = 0; place < 8; ++place) bad[random() % bad.size()] = static_cast<char>(random());
        look(bad);
    }
}

TEST_CASE("the head of a brief record that is cut or wrong is corrupt", "[wire][positional]") {
    BriefHead head;
    head.tag_bytes = 6;
    head.from = ActorId{3, 1};
    head.to = ActorId{4, 1};
    head.sequence = 7;
    head.protocol = 9;
    std::string record(brief_bytes("GoHome", 1), '\0');
    write_brief(reinterpret_cast<std::byte*>(record.data()), head, "GoHome");
    REQUIRE(is_brief(record));
    std::string tag = "other";
    const Brief brief = read_brief(record, tag).value();
    CHECK(brief.tag == "GoHome");
    CHECK(brief.tag.data() == tag.data());  // what is written into the lane now changes nothing
    CHECK(brief.body.size() == 1);
    CHECK(brief.head.to == ActorId{4, 1});
    CHECK(brief.head.sequence == 7);
    for (std::size_t size = 0; size < record.size() - 1; ++size) {
        const std::vector<char> exact(record.begin(), record.begin() + static_cast<std::ptrdiff_t>(size));
        const Result<Brief> cut = read_brief({exact.data(), exact.size()}, tag);
        REQUIRE_FALSE(cut.ok());
        CHECK(cut.error().kind == ErrorKind::corrupt);
    }
    for (const auto& [place, byte] : {std::pair{0, 0x9a}, {1, 3}, {1, 0}, {3, 0x40}, {4, 1}, {48, 0xff}}) {
        std::string bad = record;
        bad[static_cast<std::size_t>(place)] = static_cast<char>(byte);
        CHECK_FALSE(read_brief(bad, tag).ok());
    }
}

TEST_CASE("a brief reply whose head is cut or wrong is corrupt", "[wire][positional]") {
    std::string record(sizeof(BriefReplyHead) + 1, '\0');
    record.back() = 'x';
    write_brief_reply(reinterpret_cast<std::byte*>(record.data()), 0x0102030405060708);
    REQUIRE(is_brief(record));
    CHECK(to_hex(record) == "c103000000000000" "0807060504030201" "78");
    const BriefReply reply = read_brief_reply(record).value();
    CHECK(reply.ask_id == 0x0102030405060708);
    CHECK(reply.body == "x");
    for (std::size_t size = 0; size < record.size() - 1; ++size) {
        const std::vector<char> exact(record.begin(), record.begin() + static_cast<std::ptrdiff_t>(size));
        const Result<BriefReply> cut = read_brief_reply({exact.data(), exact.size()});
        REQUIRE_FALSE(cut.ok());
        CHECK(cut.error().kind == ErrorKind::corrupt);
    }
    for (std::size_t bit = 0; bit < 64; ++bit) {
        std::string bad = record;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
        CHECK_FALSE(read_brief_reply(bad).ok());
    }
    // Neither is taken for the other.
    std::string tag;
    CHECK_FALSE(read_brief(record + std::string(40, '\0'), tag).ok());
}
