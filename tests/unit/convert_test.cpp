#include <baton/detail/convert.hpp>

#include <cmath>
#include <limits>

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

template <class T>
Buffer bytes_of(const T& value) {
    Buffer bytes;
    Encoder encoder{bytes};
    encode<T>(encoder, value);
    return bytes;
}

template <class T>
Result<T> decoded(std::string_view bytes, std::string_view root = "It") {
    Unpacker unpacker;
    std::size_t offset = 0;
    const Value value = unpacker.next(bytes, offset).value();
    T out{};
    Decoding at{root};
    if (!decode(value, out, at)) return at.take_error();
    return out;
}

template <class T>
T there_and_back(const T& value) {
    return decoded<T>(bytes_of(value)).value();
}

// The text of the refusal, which is of kind `refused`.
template <class T>
std::string refusal(std::string_view bytes, std::string_view root = "It") {
    Result<T> result = decoded<T>(bytes, root);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().kind == ErrorKind::refused);
    return result.error().text;
}

struct HoldThis {
    std::int64_t number = 0;
    std::string name;
    bool operator==(const HoldThis&) const = default;
};
struct Nested {
    std::vector<HoldThis> held;
    std::map<std::string, HoldThis> by_name;
    std::optional<HoldThis> last;
};
struct Empty {};
struct Optional {
    std::optional<std::int64_t> number;
    std::string text;
};

// Members with and without a default.
struct Part {
    std::uint32_t depth = 3;
    double rate = 0;
    bool operator==(const Part&) const = default;
};
struct Tuned {
    std::int64_t number;
    std::uint32_t depth = 3;
    std::string label = "plain";
    everything::Colour colour = everything::Colour::green;
    std::vector<std::int32_t> sizes = {1, 2};
    Part part = {.depth = 5, .rate = 0.5};
    std::array<Part, 2> parts = {Part{.depth = 7}, Part{.depth = 8}};
    std::optional<std::int64_t> limit = 9;
    bool operator==(const Tuned&) const = default;
};
struct Zeroed {
    std::int64_t number = 0;
    bool flag = false;
    std::string text = "";
    std::vector<int> list = {};
    everything::Colour colour = everything::Colour::red;
    Part part = {};
};

struct Commands {
    struct Alone {};
};

// A map of `fields`, each a key in msgpack and a value in msgpack, all in hex.
std::string map_of(std::initializer_list<const char*> fields) {
    std::string bytes(1, static_cast<char>(0x80 + fields.size() / 2));
    for (const char* field : fields) bytes += from_hex(field);
    return bytes;
}
constexpr const char* number_key = "a6 6e 75 6d 62 65 72";
constexpr const char* name_key = "a4 6e 61 6d 65";

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
    it.who = AnyRef{ActorId{3, 2}};
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

TEST_CASE("a struct with a field of every kind comes back as it was", "[wire]") {
    const Everything full = filled();
    CHECK(there_and_back(full) == full);
    CHECK(there_and_back(Everything{}) == Everything{});
}

TEST_CASE("each type has the bytes that the table promises", "[wire]") {
    CHECK(to_hex(bytes_of(true)) == "c3");
    CHECK(to_hex(bytes_of(std::int64_t{-7})) == "f9");
    CHECK(to_hex(bytes_of(std::uint8_t{200})) == "ccc8");
    CHECK(to_hex(bytes_of(everything::Colour::green)) == "01");
    CHECK(to_hex(bytes_of(everything::Signed::below)) == "ff");
    CHECK(to_hex(bytes_of(1.5F)) == "ca3fc00000");
    CHECK(to_hex(bytes_of(1.5)) == "cb3ff8000000000000");
    CHECK(to_hex(bytes_of(std::string{"hi"})) == "a26869");
    CHECK(to_hex(bytes_of(std::vector<std::byte>{std::byte{7}})) == "c40107");
    CHECK(to_hex(bytes_of(std::vector<std::string>{"a", "b"})) == "92a161a162");
    CHECK(to_hex(bytes_of(std::array<bool, 2>{true, false})) == "92c3c2");
    CHECK(to_hex(bytes_of(std::vector<bool>{true, false})) == "92c3c2");
    CHECK(to_hex(bytes_of(std::deque<std::string>{"a", "b"})) == "92a161a162");
    CHECK(to_hex(bytes_of(std::set<int>{2, 1})) == "920102");
    CHECK(to_hex(bytes_of(std::unordered_set<int>{7})) == "9107");
    CHECK(to_hex(bytes_of(std::pair<std::string, int>{"a", 1})) == "92a16101");
    CHECK(to_hex(bytes_of(std::tuple<int, bool, std::string>{1, true, "a"})) == "9301c3a161");
    CHECK(to_hex(bytes_of(std::tuple<>{})) == "90");
    CHECK(to_hex(bytes_of(std::map<std::string, int>{{"a", 1}})) == "81a16101");
    CHECK(to_hex(bytes_of(std::unordered_map<int, int>{{1, 2}})) == "810102");
    CHECK(to_hex(bytes_of(std::optional<int>{})) == "c0");
    CHECK(to_hex(bytes_of(std::optional<int>{5})) == "05");
    CHECK(to_hex(bytes_of(std::variant<int, std::string>{"a"})) == "9201a161");
    CHECK(to_hex(bytes_of(Timestamp{1s})) == "d6ff00000001");
    CHECK(to_hex(bytes_of(std::chrono::microseconds{2})) == "cd07d0");
    CHECK(to_hex(bytes_of(AnyRef{ActorId{3, 1}})) == "920301");
    CHECK(to_hex(bytes_of(Ref<Commands>{ActorId{3, 1}})) == "920301");
    CHECK(to_hex(bytes_of(ActorId{3, 1})) == "920301");
    CHECK(to_hex(bytes_of(std::monostate{})) == "c0");
    CHECK(to_hex(bytes_of(HoldThis{4, "x"})) == "82a66e756d62657204a46e616d65a178");
    CHECK(to_hex(bytes_of(Empty{})) == "80");
}

TEST_CASE("an integer is taken for a float, and a float never for an integer", "[wire]") {
    CHECK(decoded<double>(from_hex("03")).value() == 3.0);
    CHECK(decoded<float>(from_hex("fd")).value() == -3.0F);
    CHECK(decoded<double>(from_hex("cf ff ff ff ff ff ff ff ff")).value() == 18446744073709551615.0);
    CHECK(decoded<double>(from_hex("ca 3f c0 00 00")).value() == 1.5);
    CHECK(refusal<std::int64_t>(from_hex("cb 3f f0 00 00 00 00 00 00")) == "It: expected integer, got float");
}

TEST_CASE("integers at the edge of their type are taken, those behind it refused", "[wire]") {
    CHECK(decoded<std::int8_t>(from_hex("d0 80")).value() == -128);
    CHECK(decoded<std::int8_t>(from_hex("7f")).value() == 127);
    CHECK(refusal<std::int8_t>(from_hex("cc 80")) == "It: expected an integer in range, got 128");
    CHECK(refusal<std::int8_t>(from_hex("d1 ff 7f")) == "It: expected an integer in range, got -129");
    CHECK(decoded<std::uint8_t>(from_hex("cc ff")).value() == 255);
    CHECK(refusal<std::uint8_t>(from_hex("cd 01 00")) == "It: expected an integer in range, got 256");
    CHECK(refusal<std::uint64_t>(from_hex("ff")) == "It: expected an integer in range, got -1");
    CHECK(refusal<std::uint32_t>(from_hex("d3 80 00 00 00 00 00 00 00")) ==
          "It: expected an integer in range, got -9223372036854775808");
    CHECK(decoded<std::int64_t>(from_hex("cf 7f ff ff ff ff ff ff ff")).value() ==
          std::numeric_limits<std::int64_t>::max());
    CHECK(refusal<std::int64_t>(from_hex("cf 80 00 00 00 00 00 00 00")) ==
          "It: expected an integer in range, got an integer above 2^63");
    CHECK(decoded<std::uint64_t>(from_hex("cf ff ff ff ff ff ff ff ff")).value() ==
          std::numeric_limits<std::uint64_t>::max());
    CHECK(refusal<everything::Colour>(from_hex("cd 01 00")) == "It: expected an integer in range, got 256");
    CHECK(refusal<Duration>(from_hex("cf 80 00 00 00 00 00 00 00")).find("in range") != std::string::npos);
}

TEST_CASE("a value of another kind is refused with what was expected and what came", "[wire]") {
    CHECK(refusal<bool>(from_hex("01")) == "It: expected bool, got 1");
    CHECK(refusal<std::int32_t>(from_hex("a1 78")) == "It: expected integer, got string");
    CHECK(refusal<std::int32_t>(from_hex("c3")) == "It: expected integer, got bool");
    CHECK(refusal<double>(from_hex("a1 78")) == "It: expected float, got string");
    CHECK(refusal<std::string>(from_hex("c4 01 78")) == "It: expected string, got bytes");
    CHECK(refusal<std::vector<std::byte>>(from_hex("a1 78")) == "It: expected bytes, got string");
    CHECK(refusal<std::vector<int>>(from_hex("81 01 02")) == "It: expected list, got map of 1");
    CHECK(refusal<std::array<int, 2>>(from_hex("93 01 02 03")) == "It: expected a list of 2, got list of 3");
    CHECK(refusal<std::map<int, int>>(from_hex("92 01 02")) == "It: expected map, got list of 2");
    CHECK(refusal<Timestamp>(from_hex("01")) == "It: expected timestamp, got 1");
    CHECK(refusal<Timestamp>(from_hex("d4 05 00")) == "It: expected timestamp, got unknown extension");
    CHECK(refusal<Duration>(from_hex("a1 78")) == "It: expected integer, got string");
    CHECK(refusal<AnyRef>(from_hex("94 01 01 01 01")) == "It: expected the address of an actor, got list of 4");
    CHECK(refusal<AnyRef>(from_hex("93 01 01 01")) == "It[2]: expected the id of a session, got 1");
    CHECK(refusal<std::monostate>(from_hex("00")) == "It: expected nothing, got 0");
    CHECK(refusal<std::string>(from_hex("c0")) == "It: expected string, got nothing");
    CHECK(refusal<Empty>(from_hex("90")) == "It: expected a map of fields, got list of 0");
}

TEST_CASE("the address of an actor says its session where it knows it", "[wire]") {
    const SessionTag session = SessionTag::of("k3v9x2ab");
    CHECK(to_string(session) == "k3v9x2ab");
    const AnyRef alice{ActorId{3, 1}, session};
    CHECK(to_hex(bytes_of(alice)) == "930301a8" "6b33763978326162");
    CHECK(there_and_back(alice).session == session);
    CHECK(there_and_back(Ref<Commands>{ActorId{3, 1}, session}).session == session);
    CHECK(decoded<ActorId>(bytes_of(alice)).value() == ActorId{3, 1});  // an id has none
    // One that does not say it is of the session in which it came.
    Unpacker unpacker;
    std::size_t offset = 0;
    const Buffer bare = from_hex("920301");
    AnyRef came;
    Decoding at{"It", nullptr, session};
    REQUIRE(decode(unpacker.next(bare, offset).value(), came, at));
    CHECK(came.session == session);

    CHECK(alice == AnyRef{ActorId{3, 1}});
    CHECK(alice != AnyRef{ActorId{3, 2}, session});
    CHECK(alice != AnyRef{ActorId{3, 1}, SessionTag::of("abcdefgh")});
    CHECK(refusal<AnyRef>(from_hex("93 03 01 a0")).find("the id of a session") != std::string::npos);
    CHECK(refusal<AnyRef>(from_hex("93 03 01 a9 61 61 61 61 61 61 61 61 61")).find("the id of a session") !=
          std::string::npos);
    CHECK(refusal<AnyRef>(from_hex("93 03 01 a1 00")).find("the id of a session") != std::string::npos);
}

TEST_CASE("a float comes as it went: its sign, its whole numbers, what is no number", "[wire]") {
    for (const double number : {2.0, -0.0, 0.0, 1e300, -5.0, std::numeric_limits<double>::infinity()}) {
        CHECK(there_and_back(number) == number);
        CHECK(std::signbit(there_and_back(number)) == std::signbit(number));
    }
    CHECK(std::signbit(there_and_back(-0.0F)));
    CHECK(std::isnan(there_and_back(std::numeric_limits<double>::quiet_NaN())));
    CHECK(refusal<float>(bytes_of(1e300)).find("in range of a float32") != std::string::npos);
    CHECK(std::isinf(decoded<float>(bytes_of(std::numeric_limits<double>::infinity())).value()));
}

TEST_CASE("a number that names no enumerator is refused, and any fits an enum that has none", "[wire]") {
    CHECK(refusal<everything::Colour>(from_hex("07")) == "It: expected one of red, green, blue, got 7");
    CHECK(refusal<everything::Colour>(from_hex("cc ff")).find("got 255") != std::string::npos);
    enum class Strong : std::int32_t {};
    CHECK(decoded<Strong>(from_hex("cd 01 00")).value() == Strong{256});
    enum class Far : std::int16_t { near = -16, hundred = 100, most = 127 };
    CHECK(there_and_back(Far::near) == Far::near);
    CHECK(there_and_back(Far::hundred) == Far::hundred);
    CHECK(there_and_back(Far::most) == Far::most);
    CHECK(refusal<Far>(from_hex("ef")).find("expected one of") != std::string::npos);
    enum class Flag : bool { off, on };
    CHECK(there_and_back(Flag::on) == Flag::on);
}

TEST_CASE("a duration beyond what the wire or its type counts is bounded or refused, never another one", "[wire]") {
    using Years = std::chrono::duration<std::int64_t, std::ratio<31'556'952>>;
    CHECK(to_hex(bytes_of(Years::max())) == "cf7fffffffffffffff");
    CHECK(to_hex(bytes_of(std::chrono::duration<double>{1e300})) == "cf7fffffffffffffff");
    using Small = std::chrono::duration<std::int8_t>;
    CHECK(decoded<Small>(bytes_of(Small{100})).value() == Small{100});
    CHECK(refusal<Small>(bytes_of(std::chrono::seconds{300})).find("in range") != std::string::npos);
}

TEST_CASE("a list that claims many large elements takes no memory for them before they are there", "[wire]") {
    using Large = std::array<std::uint64_t, 512>;
    CHECK(convert::room_for<Large>(1'000'000) < 100);
    CHECK(convert::room_for<std::uint8_t>(10) == 10);
}

TEST_CASE("a variant is an index that it has, and a value of that alternative", "[wire]") {
    using Either = std::variant<std::int64_t, std::string>;
    CHECK(std::get<std::string>(decoded<Either>(from_hex("92 01 a1 78")).value()) == "x");
    CHECK(refusal<Either>(from_hex("92 02 a1 78")) == "It: expected [index, value] of a variant, got list of 2");
    CHECK(refusal<Either>(from_hex("92 ff a1 78")) == "It: expected [index, value] of a variant, got list of 2");
    CHECK(refusal<Either>(from_hex("91 00")) == "It: expected [index, value] of a variant, got list of 1");
    CHECK(refusal<Either>(from_hex("92 00 a1 78")) == "It: expected integer, got string");
    // Two alternatives of one type are told apart by their index.
    using Twins = std::variant<std::int64_t, std::int64_t>;
    CHECK(there_and_back(Twins{std::in_place_index<1>, 5}).index() == 1);
    CHECK(there_and_back(Twins{std::in_place_index<0>, 5}).index() == 0);
}

TEST_CASE("a tuple has exactly its elements, each of its own type", "[wire]") {
    using Triple = std::tuple<std::int64_t, std::string, bool>;
    CHECK(decoded<Triple>(from_hex("93 01 a1 78 c3")).value() == Triple{1, "x", true});
    CHECK(refusal<Triple>(from_hex("92 01 a1 78"), "Ping") == "Ping: expected a tuple of 3, got list of 2");
    CHECK(refusal<Triple>(from_hex("94 01 a1 78 c3 c0"), "Ping") == "Ping: expected a tuple of 3, got list of 4");
    CHECK(refusal<Triple>(from_hex("81 01 02"), "Ping") ==
          "Ping: expected a tuple of 3, got map of 1");
    CHECK(refusal<Triple>(from_hex("93 01 02 c3"), "Ping") == "Ping[1]: expected string, got 2");
    using Pairs = std::vector<std::pair<std::string, std::uint8_t>>;
    CHECK(refusal<Pairs>(from_hex("92 92 a1 78 01 91 a1 78"), "Rows") ==
          "Rows[1]: expected a tuple of 2, got list of 1");
    CHECK(refusal<Pairs>(from_hex("91 92 a1 78 cd 01 00"), "Rows") ==
          "Rows[0][1]: expected an integer in range, got 256");
}

TEST_CASE("an element that stands twice in a set is refused with its place", "[wire]") {
    CHECK(decoded<std::set<int>>(from_hex("93 03 01 02")).value() == std::set<int>{1, 2, 3});  // in any order
    CHECK(refusal<std::set<int>>(from_hex("93 01 02 01"), "Tags") == "Tags[2] is in the set twice");
    CHECK(refusal<std::set<int>>(from_hex("92 01 cd 00 01"), "Tags") == "Tags[1] is in the set twice");
    CHECK(refusal<std::unordered_set<std::string>>(from_hex("92 a1 78 a1 78"), "Tags") ==
          "Tags[1] is in the set twice");
    CHECK(refusal<std::set<int>>(from_hex("92 01 a1 78"), "Tags") == "Tags[1]: expected integer, got string");
    CHECK(refusal<std::set<int>>(from_hex("81 01 02"), "Tags") == "Tags: expected a set, as a list, got map of 1");
    // {1, 2} and {2, 1} are one set.
    using Sets = std::set<std::set<int>>;
    CHECK(refusal<Sets>(from_hex("92 92 01 02 92 02 01"), "Sets") == "Sets[1] is in the set twice");
}

TEST_CASE("a list, set or tuple that claims more elements than it has bytes takes no memory for them", "[wire]") {
    for (const char* claim : {"dd ff ff ff ff", "dd 00 0f ff ff 01", "dc ff ff 01 02"}) {
        INFO(claim);
        Unpacker unpacker;
        std::size_t offset = 0;
        CHECK(unpacker.next(from_hex(claim), offset).error().kind == ErrorKind::corrupt);
    }
}

TEST_CASE("a field with a default may be left out, and every other one is missing by name", "[wire]") {
    const Tuned made{.number = 4};
    CHECK(decoded<Tuned>(map_of({number_key, "04"}), "Tuned").value() == made);
    CHECK(refusal<Tuned>(map_of({}), "Tuned") == "Tuned.number is missing");
    const char* depth_key = "a5 64 65 70 74 68";
    CHECK(decoded<Tuned>(map_of({number_key, "04", depth_key, "00"}), "Tuned").value().depth == 0);
    CHECK(refusal<Tuned>(map_of({number_key, "04", depth_key, "c0"}), "Tuned") ==
          "Tuned.depth: expected integer, got nothing");
    // Nothing is another value than the default of an optional.
    CHECK_FALSE(
        decoded<Tuned>(map_of({number_key, "04", "a5 6c 69 6d 69 74", "c0"}), "Tuned").value().limit.has_value());
}

TEST_CASE("a struct within another that leaves a field out has that struct's own default", "[wire]") {
    const std::string rate_only = from_hex("81 a4 72 61 74 65 01");
    const std::string bytes = from_hex("82 a6 6e 75 6d 62 65 72 04 a4 70 61 72 74") + rate_only;
    CHECK(decoded<Tuned>(bytes).value().part == Part{.depth = 3, .rate = 1});
    const std::string listed = from_hex("82 a6 6e 75 6d 62 65 72 04 a5 70 61 72 74 73 92") + rate_only + rate_only;
    CHECK(decoded<Tuned>(listed).value().parts == std::array{Part{.depth = 3, .rate = 1}, Part{.depth = 3, .rate = 1}});
}

TEST_CASE("what a type has by itself is no default: it must be given", "[wire]") {
    for (const char* field : {"number", "flag", "text", "list", "colour", "part"}) {
        std::map<std::string, std::string> fields{{"number", "00"}, {"flag", "c2"},   {"text", "a0"},
                                                  {"list", "90"},   {"colour", "00"}, {"part", "81a47261746500"}};
        REQUIRE(fields.erase(field) == 1);
        std::string bytes = from_hex("85");
        for (const auto& [name, value] : fields)
            bytes += static_cast<char>(0xa0 + name.size()) + name + from_hex(value.c_str());
        CHECK(refusal<Zeroed>(bytes, "Zeroed") == "Zeroed." + std::string(field) + " is missing");
    }
}

TEST_CASE("an error names the path to the field", "[wire]") {
    CHECK(refusal<HoldThis>(map_of({number_key, "a1 78", name_key, "a1 78"}), "HoldThis") ==
          "HoldThis.number: expected integer, got string");
    // {held: [{number, name}, {number: "x", name}], ...}
    const std::string good = map_of({number_key, "01", name_key, "a1 78"});
    const std::string bad = map_of({number_key, "a1 78", name_key, "a1 78"});
    const std::string in_list = from_hex("81 a4 68 65 6c 64 92") + good + bad;
    CHECK(refusal<Nested>(in_list, "Nested") == "Nested.held[1].number: expected integer, got string");
    const std::string in_map =
        from_hex("83 a7 62 79 5f 6e 61 6d 65 81 a1 6b") + bad + from_hex("a4 68 65 6c 64 90 a0 c0");
    CHECK(refusal<Nested>(in_map, "Nested") == "Nested.by_name[0].number: expected integer, got string");
    CHECK(refusal<std::vector<std::vector<std::string>>>(from_hex("92 90 91 01"), "Rows") ==
          "Rows[1][0]: expected string, got 1");
}

TEST_CASE("a struct's map holds each field once, in any order, and no other", "[wire]") {
    CHECK(decoded<HoldThis>(map_of({name_key, "a1 78", number_key, "04"})).value() == HoldThis{4, "x"});
    CHECK(refusal<HoldThis>(map_of({number_key, "04"}), "HoldThis") == "HoldThis.name is missing");
    CHECK(refusal<HoldThis>(map_of({}), "HoldThis") == "HoldThis.number is missing");
    CHECK(refusal<HoldThis>(map_of({number_key, "04", name_key, "a0", "a3 66 6f 6f", "01"}), "HoldThis") ==
          "HoldThis has no field 'foo'");
    CHECK(refusal<HoldThis>(map_of({number_key, "04", number_key, "05"}), "HoldThis") ==
          "HoldThis field 'number' is there twice");
    CHECK(refusal<HoldThis>(map_of({number_key, "04", name_key, "a0", number_key, "05"}), "HoldThis") ==
          "HoldThis field 'number' is there twice");
    CHECK(refusal<HoldThis>(map_of({"01", "04"}), "HoldThis") == "HoldThis: expected a field name, got 1");
    CHECK(refusal<Empty>(map_of({number_key, "04"}), "Empty") == "Empty has no field 'number'");
    CHECK(decoded<Empty>(map_of({})).ok());
}

TEST_CASE("an optional field may be nothing or left out", "[wire]") {
    const char* text_key = "a4 74 65 78 74";
    CHECK_FALSE(decoded<Optional>(map_of({text_key, "a1 78"})).value().number.has_value());
    CHECK_FALSE(decoded<Optional>(map_of({text_key, "a1 78", number_key, "c0"})).value().number.has_value());
    CHECK(decoded<Optional>(map_of({text_key, "a1 78", number_key, "04"})).value().number == 4);
    CHECK(refusal<Optional>(map_of({number_key, "04"}), "Optional") == "Optional.text is missing");
}

TEST_CASE("a key that stands twice in a map is refused, not overwritten", "[wire]") {
    CHECK(refusal<std::map<std::string, int>>(from_hex("82 a1 61 01 a1 61 02"), "Ages") == "Ages has a key twice");
    CHECK(refusal<std::unordered_map<int, int>>(from_hex("82 01 01 01 02"), "Ages") == "Ages has a key twice");
}

TEST_CASE("text is UTF-8, and other bytes are refused with their place", "[wire]") {
    CHECK(decoded<std::string>(from_hex("a3 e2 82 ac")).value() == "\u20ac");
    for (const char* text : {"a1 ff", "a2 c3 28", "a2 c0 80", "a3 ed a0 80", "a2 e2 82"}) {
        INFO(text);
        CHECK(refusal<std::string>(from_hex(text)) == "It: expected UTF-8, got a string of other bytes");
    }
    CHECK(refusal<HoldThis>(map_of({number_key, "01", name_key, "a1 ff"}), "HoldThis") ==
          "HoldThis.name: expected UTF-8, got a string of other bytes");
}

TEST_CASE("a deep tree is decoded until the limit of nesting and refused beyond it", "[wire]") {
    everything::Tree tree;
    everything::Tree* deepest = &tree;
    for (int level = 0; level < 12; ++level) deepest = &deepest->children.emplace_back();
    CHECK(there_and_back(tree) == tree);

    for (int level = 0; level < 20; ++level) deepest = &deepest->children.emplace_back();
    Unpacker unpacker;
    std::size_t offset = 0;
    CHECK(unpacker.next(bytes_of(tree), offset).error().kind == ErrorKind::corrupt);
}

TEST_CASE("durations keep their nanoseconds in every unit", "[wire]") {
    CHECK(there_and_back(std::chrono::hours{5}) == 5h);
    CHECK(there_and_back(std::chrono::milliseconds{-1}) == -1ms);
    CHECK(there_and_back(Duration::max()) == Duration::max());
    CHECK(decoded<std::chrono::milliseconds>(from_hex("ce 00 16 e3 60")).value() == 1ms);  // 1.5 ms
}
