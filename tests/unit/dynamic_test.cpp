// What the command line and scripts write and read by a description: exactly what a struct would.
#include "runtime/wire/dynamic.hpp"

#include "tests/catch.hpp"
#include <cmath>
#include <limits>

#include <baton/json.hpp>
#include "tests/hex.hpp"

namespace {

using namespace baton;
using namespace baton::detail;
using dynamic::FindActor;
using dynamic::parse_typed;
using baton_test::from_hex;
using Catch::Matchers::Contains;

enum class Colour : std::uint8_t { red, green, blue };
struct Tree {
    std::int64_t number = 0;
    std::vector<Tree> branches;
};

const FindActor nobody = [](std::string_view name) -> Result<ActorId> {
    return Error{ErrorKind::gone, "no actor " + std::string(name)};
};

// What somebody typed for a field of that type, as its receiver has it.
template <class T>
Result<T> typed(std::string_view text) {
    const TypeDescription type = describe_type<T>();
    const Result<Dynamic> value = parse_typed(type, text, nobody);
    if (!value) return value.error();
    Result<Buffer> bytes = encode_dynamic(type, *value, "It");
    if (!bytes) return bytes.error();
    Unpacker unpacker;
    std::size_t offset = 0;
    const Value read = unpacker.next(*bytes, offset).value();
    T out{};
    Decoding at{"It"};
    if (!decode(read, out, at)) return at.take_error();
    return out;
}

template <class T>
std::string refusal(std::string_view text) {
    const Result<T> result = typed<T>(text);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().kind == ErrorKind::refused);
    return result.error().text;
}

template <class T>
Result<Dynamic> read_as(std::string_view bytes) {
    Unpacker unpacker;
    std::size_t offset = 0;
    return decode_dynamic(describe_type<T>(), unpacker.next(bytes, offset).value());
}

// JSON of what a struct's field holds.
template <class T>
std::string json(const T& value) {
    return to_json(value, JsonLayout::compact);
}

}  // namespace

TEST_CASE("JSON nested deeper than a message is refused, however deep", "[wire]") {
    const auto lists = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    CHECK(refusal<std::uint64_t>(lists(20'000)).find("nested deeper than 32") != std::string::npos);
    CHECK(refusal<std::uint64_t>(std::string(100'000, '[')).find("nested deeper") != std::string::npos);
    CHECK(refusal<std::vector<int>>("{\"a\":" + lists(40) + "}").find("nested deeper") != std::string::npos);
    std::string tree = R"({"number":1,"branches":[]})";
    for (int level = 0; level < 100; ++level) tree = R"({"number":1,"branches":[)" + tree + "]}";
    CHECK_THAT(refusal<Tree>(tree), Contains("nested deeper"));
}

TEST_CASE("a value is of the type that is described, exactly", "[wire]") {
    CHECK(typed<double>("2").value() == 2.0);
    CHECK(std::signbit(typed<double>("-0.0").value()));
    CHECK(std::isnan(typed<double>("NaN").value()));
    CHECK(typed<double>("-Infinity").value() == -std::numeric_limits<double>::infinity());
    CHECK(typed<std::vector<float>>(R"([1, "Infinity"])").value()[1] == std::numeric_limits<float>::infinity());
    CHECK(typed<std::uint64_t>("18446744073709551615").value() == std::numeric_limits<std::uint64_t>::max());
    CHECK(typed<Colour>("blue").value() == Colour::blue);
    CHECK(typed<std::vector<Colour>>("[1]").value()[0] == Colour::green);

    CHECK_THAT(refusal<std::int64_t>("2.0"), Contains("expected int64, got float 2"));
    CHECK_THAT(refusal<std::int64_t>("true"), Contains("expected int64, got bool"));
    CHECK_THAT(refusal<bool>("1"), Contains("expected bool, got integer 1"));
    CHECK_THAT(refusal<std::uint64_t>("-1"), Contains("-1 is out of range of uint64"));
    CHECK_THAT(refusal<std::uint64_t>("18446744073709551616"), Contains("expected uint64"));
    CHECK_THAT(refusal<float>("1e300"), Contains("out of range of float32"));
    CHECK_THAT(refusal<std::vector<Colour>>("[7]"), Contains("7 is none of Colour"));
    CHECK_THAT(refusal<Colour>("mauve"), Contains("'mauve' is none of Colour"));
}

TEST_CASE("a point in time is a day of the calendar that 64 bits of nanoseconds reach", "[wire]") {
    using namespace std::chrono_literals;
    CHECK(typed<Timestamp>("1970-01-01T00:00:01.5Z").value() == Timestamp{1'500ms});
    CHECK(typed<Timestamp>("2262-04-11T00:00:00Z").value() > Timestamp{9'000'000'000s});
    CHECK(typed<Timestamp>("1678-01-01T00:00:00Z").value() < Timestamp{-9'000'000'000s});
    CHECK(json(Timestamp{-timestamp_max}) == "\"1677-09-21T00:12:45.000000000Z\"");
    for (const std::string_view text : {"4048-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1600-01-01T00:00:00Z",
                                        "0000-01-01T00:00:00Z",
                                        "2024-02-30T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01T00:00:00",
                                        "2024-01-01",
                                        "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00.1234567890Z", "1", "now", ""})
        CHECK_THAT(refusal<Timestamp>(text), Contains("expected timestamp"));
    CHECK_THAT(refusal<Timestamp>(std::string_view("2024-01-01T00:00:00Z\0Z", 22)), Contains("expected timestamp"));
}

TEST_CASE("what comes is read as the type that is described, and nothing else is taken for it", "[wire]") {
    CHECK(read_as<double>(from_hex("02")).value() == Dynamic{2.0});  // a client that writes 2 for 2.0
    CHECK(read_as<Colour>(from_hex("02")).value() == Dynamic{std::string("blue")});
    CHECK(read_as<Colour>(from_hex("07")).error().kind == ErrorKind::corrupt);
    CHECK(read_as<std::int8_t>(from_hex("cc 80")).error().kind == ErrorKind::corrupt);
    CHECK(read_as<std::uint64_t>(from_hex("ff")).error().kind == ErrorKind::corrupt);
    CHECK(read_as<bool>(from_hex("01")).error().kind == ErrorKind::corrupt);
    CHECK(read_as<std::string>(from_hex("c4 01 78")).error().kind == ErrorKind::corrupt);
    CHECK(read_as<std::array<int, 2>>(from_hex("91 01")).error().kind == ErrorKind::corrupt);
    CHECK(read_as<Tree>(from_hex("81 a6 6e 75 6d 62 65 72 01")).error().kind == ErrorKind::corrupt);  // no branches
}

TEST_CASE("JSON says every number, those that it has no text for by name", "[wire]") {
    CHECK(json(2.0) == "2.0");
    CHECK(json(-0.0) == "-0.0");
    CHECK(json(std::numeric_limits<double>::quiet_NaN()) == "\"NaN\"");
    CHECK(json(-std::numeric_limits<double>::infinity()) == "\"-Infinity\"");
    CHECK(json(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
    CHECK(json(std::string("\x1b[2J\xE2\x80\xAE")) == "\"\\u001b[2J\\u202e\"");
    // for people: no bound of a message
    CHECK(json(std::string(std::size_t{3} << 20, 'x')).size() == (std::size_t{3} << 20) + 2);
}

TEST_CASE("what is larger than a message is refused before it is built", "[wire]") {
    const Dynamic huge{std::string(std::size_t{64} << 20, 'x')};
    const Dynamic twice{Dynamic::List{huge, huge}};
    const Result<Buffer> bytes = encode_dynamic(describe_type<std::vector<std::string>>(), twice, "It");
    REQUIRE_FALSE(bytes.ok());
    CHECK_THAT(bytes.error().text, Contains("limits::message_bytes_max"));
}

namespace {

struct Deposit {
    std::int64_t cents = 0;
    std::vector<Colour> colours = {};
    std::optional<std::string> note = {};
};

std::string misfit_of(const Dynamic::Map& fields) {
    Buffer bytes;
    Encoder encoder{bytes};
    encoder.map(fields.size());
    for (const auto& [name, value] : fields) {
        encoder.text(std::get<std::string>(name.value));
        if (const auto* number = std::get_if<std::int64_t>(&value.value)) encoder.integer(*number);
        if (const auto* text = std::get_if<std::string>(&value.value)) encoder.text(*text);
        if (const auto* list = std::get_if<Dynamic::List>(&value.value)) {
            encoder.array(list->size());
            for (const Dynamic& one : *list) encoder.integer(std::get<std::int64_t>(one.value));
        }
    }
    Unpacker unpacker;
    std::size_t offset = 0;
    const Value read = unpacker.next(bytes, offset).value();
    const Result<void> fits = check_value(describe_type<Deposit>(), read, "Deposit");
    // A receiver that knows the struct says the same.
    Deposit out;
    Decoding at{"Deposit"};
    CHECK(decode(read, out, at) == fits.ok());
    if (fits) return "";
    CHECK(fits.error().kind == ErrorKind::refused);
    return fits.error().text;
}

}  // namespace

TEST_CASE("what does not fit a description is refused with its place, as by a receiver that has the struct",
          "[dynamic]") {
    const Dynamic one{std::int64_t{1}};
    const Dynamic none{Dynamic::List{}};
    CHECK(misfit_of({{{"cents"}, one}, {{"colours"}, {Dynamic::List{one}}}}) == "");
    CHECK(misfit_of({{{"cents"}, one}, {{"colours"}, none}, {{"note"}, {"x"}}}) == "");
    CHECK(misfit_of({{{"cents"}, {"x"}}, {{"colours"}, none}}) == "Deposit.cents: expected int64, got string");
    CHECK(misfit_of({{{"colours"}, none}}) == "Deposit.cents is missing");
    CHECK(misfit_of({{{"cents"}, one}, {{"dollars"}, one}, {{"colours"}, none}}) == "Deposit has no field 'dollars'");
    CHECK_THAT(misfit_of({{{"cents"}, one}, {{"colours"}, {Dynamic::List{one, {std::int64_t{7}}}}}}),
               Contains("Deposit.colours[1]: expected Colour{red=0, green=1, blue=2}, got 7"));
    CHECK_THAT(misfit_of({{{"cents"}, one}, {{"colours"}, none}, {{"note"}, one}}),
               Contains("Deposit.note: expected string"));
}

namespace {

struct Shaped {
    std::int64_t number;
    std::uint32_t depth = 3;
    std::pair<std::string, double> pair = {"here", 0.5};
    bool operator==(const Shaped&) const = default;
};

// What is wrong with those bytes, said by check_value() and by a receiver that has the type; "" where nothing is.
template <class T>
std::string said_by_both(std::string_view bytes) {
    Unpacker unpacker;
    std::size_t offset = 0;
    const Value value = unpacker.next(bytes, offset).value();
    const Result<void> fits = check_value(describe_type<T>(), value, "It");
    T out{};
    Decoding at{"It"};
    CHECK(decode(value, out, at) == fits.ok());
    CHECK(decode_dynamic(describe_type<T>(), value).ok() == fits.ok());
    return fits ? "" : fits.error().text;
}

}  // namespace

TEST_CASE("tuples, sets and deques are JSON arrays, whose elements are read by their own types", "[wire]") {
    using Pair = std::pair<Colour, double>;
    CHECK(typed<Pair>(R"(["blue", 2])").value() == Pair{Colour::blue, 2});
    CHECK(json(Pair{Colour::blue, 2}) == R"(["blue",2.0])");
    CHECK(typed<std::set<std::string>>(R"(["b", "a"])").value() == std::set<std::string>{"a", "b"});
    CHECK(typed<std::deque<int>>("[1, 2]").value() == std::deque<int>{1, 2});
    CHECK(json(std::set<std::pair<int, bool>>{{1, true}, {0, false}}) == "[[0,false],[1,true]]");
    using Times = std::tuple<Timestamp, std::vector<std::byte>>;
    CHECK(typed<Times>(R"(["1970-01-01T00:00:01Z", "0aff"])").value() ==
          Times{Timestamp{std::chrono::seconds{1}}, {std::byte{0x0a}, std::byte{0xff}}});
    using Places = std::map<std::string, std::pair<double, double>>;
    CHECK(typed<Places>(R"({"here": [1, 2]})").value() == Places{{"here", {1, 2}}});

    CHECK(refusal<Pair>(R"(["blue"])") == "It: expected tuple of 2, got list of 1");
    CHECK(refusal<Pair>(R"(["blue", 1, 2])") == "It: expected tuple of 2, got list of 3");
    CHECK_THAT(refusal<Pair>(R"(["blue", "x"])"), Contains("It[1]: expected float64, got string"));
    CHECK(refusal<std::set<int>>("[1, 2, 1]") == "It[2] is in the set twice");
    CHECK(refusal<std::set<std::set<int>>>("[[1, 2], [2, 1]]") == "It[1] is in the set twice");
    CHECK(refusal<std::set<int>>("1") == "It: expected set, as a list, got integer 1");
}

TEST_CASE("a field with a default is left out where it is not given, and the receiver puts it in", "[wire]") {
    CHECK(typed<Shaped>(R"({"number": 4})").value() == Shaped{.number = 4});
    CHECK(typed<Shaped>(R"({"number": 4, "depth": 0})").value() == Shaped{.number = 4, .depth = 0});
    CHECK_THAT(refusal<Shaped>(R"({"depth": 4})"), Contains("It.number is missing"));
    const Result<Buffer> bytes =
        encode_dynamic(describe_type<Shaped>(), Dynamic{Dynamic::Map{{{"number"}, {std::int64_t{4}}}}}, "It");
    CHECK(baton_test::to_hex(bytes.value()) == "81a66e756d62657204");
    // A reader that has only the description sees it too.
    CHECK(to_json(read_as<Shaped>(*bytes).value(), JsonLayout::compact) ==
          R"({"number":4,"depth":3,"pair":["here",0.5]})");
    const Dynamic twice{Dynamic::Map{{{"depth"}, {std::int64_t{4}}}}};
    CHECK_FALSE(encode_dynamic(describe_type<Shaped>(), twice, "It").ok());
}

TEST_CASE("a set, a map and a tuple are checked by a description as by the type", "[dynamic]") {
    CHECK(said_by_both<std::set<int>>(from_hex("93 03 01 02")) == "");
    CHECK(said_by_both<std::set<int>>(from_hex("93 01 02 01")) == "It[2] is in the set twice");
    CHECK(said_by_both<std::set<int>>(from_hex("92 01 cd 00 01")) == "It[1] is in the set twice");  // in another width
    CHECK(said_by_both<std::set<double>>(from_hex("92 01 cb 3f f0 00 00 00 00 00 00")) == "It[1] is in the set twice");
    CHECK(said_by_both<std::set<double>>(from_hex("92 00 cb 80 00 00 00 00 00 00 00")) == "It[1] is in the set twice");
    CHECK(said_by_both<std::set<std::set<int>>>(from_hex("92 92 01 02 92 02 01")) == "It[1] is in the set twice");
    CHECK(said_by_both<std::set<std::pair<int, int>>>(from_hex("92 92 01 02 92 02 01")) == "");
    CHECK(said_by_both<std::set<std::optional<std::string>>>(from_hex("92 c0 a7 6e 6f 74 68 69 6e 67")) == "");
    CHECK(said_by_both<std::map<int, int>>(from_hex("82 01 01 01 02")) == "It has a key twice");
    CHECK(said_by_both<std::pair<int, std::string>>(from_hex("92 01 a1 78")) == "");
    CHECK(said_by_both<std::pair<int, std::string>>(from_hex("91 01")) == "It: expected a tuple of 2, got list of 1");
    CHECK_THAT((said_by_both<std::pair<int, std::string>>(from_hex("92 01 02"))), Contains("It[1]: expected string"));
    CHECK(said_by_both<Shaped>(from_hex("81 a6 6e 75 6d 62 65 72 04")) == "");
    CHECK(said_by_both<Shaped>(from_hex("81 a5 64 65 70 74 68 04")) == "It.number is missing");
}

TEST_CASE("a description from outside with a default that is none of its type does no harm", "[dynamic]") {
    for (const char* bytes : {"a1 78", "c1", "dd ff ff ff ff", "03 03"}) {
        INFO(bytes);
        TypeDescription type = describe_type<Shaped>();
        const std::string hostile = from_hex(bytes);
        const auto* first = reinterpret_cast<const std::byte*>(hostile.data());
        (*type.defaults)[1].assign(first, first + hostile.size());
        CHECK(default_text(type, type.parts[1]).empty());
        const std::string only_number = from_hex("81 a6 6e 75 6d 62 65 72 04");
        Unpacker unpacker;
        std::size_t offset = 0;
        CHECK(decode_dynamic(type, unpacker.next(only_number, offset).value()).ok());
        type.defaults->resize(1);  // fewer than there are parts
        CHECK_FALSE(may_be_left_out(type, type.parts[1]));
        type.defaults->resize(100);
        CHECK_FALSE(may_be_left_out(type, type.parts[2]));
    }
}
