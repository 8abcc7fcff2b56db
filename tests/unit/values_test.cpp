// Values that are described at run time, as programs outside use them: by the public headers alone.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include <baton/dynamic.hpp>
#include <baton/json.hpp>
#include <baton/protocol.hpp>
#include "tests/catch.hpp"

namespace order {

enum class Size { small, large };
struct Topping {
    std::string name;
    std::uint8_t slices = 2;
};
struct Bake {
    std::string name;
    Size size = Size::large;
    std::vector<Topping> toppings;
    std::optional<std::string> note;
    using Reply = double;
};
struct Cancel {};
using Protocol = baton::Protocol<Bake, Cancel>;

// What differs in form.
struct Shapes {
    std::pair<std::string, std::int32_t> pair;
    std::set<std::string> words;
    std::map<std::string, std::int32_t> table;
    std::vector<std::int32_t> list;
};

}  // namespace order

namespace {

using baton::Bytes;
using baton::ErrorKind;
using baton::Result;
using baton::dynamic::Form;
using baton::dynamic::Protocol;
using baton::dynamic::Type;
using baton::dynamic::Value;
using Catch::Matchers::Contains;

const Protocol protocol = baton::dynamic::protocol_of<order::Protocol>();
const Type& bake = protocol.find("Bake")->fields;

Value::Map fields(std::initializer_list<std::pair<const char*, Value>> all) {
    Value::Map map;
    for (const auto& [name, value] : all) map.emplace_back(Value{std::string(name)}, value);
    return map;
}

std::string refusal(const Value::Map& given) {
    const Result<Bytes> bytes = baton::dynamic::to_bytes(bake, Value{given}, "Bake");
    REQUIRE_FALSE(bytes.ok());
    CHECK(bytes.error().kind == ErrorKind::refused);
    return bytes.error().text;
}

Value carried(const Type& type, const Value& value) {
    return baton::dynamic::from_bytes(type, baton::dynamic::to_bytes(type, value, "it").value()).value();
}

}  // namespace

TEST_CASE("a protocol tells its commands, their fields and their replies", "[dynamic]") {
    CHECK(protocol.name == "order");
    CHECK(to_text(*protocol.find("Bake")).starts_with("Bake(name: string, size: "));
    CHECK(protocol.find("Bake")->reply->kind == "float64");
    CHECK_FALSE(protocol.find("Cancel")->reply.has_value());
    CHECK(protocol.find("Eat") == nullptr);
    CHECK(baton::dynamic::is_sound(protocol));
    Protocol unsound = protocol;
    unsound.commands[0].fields.parts[2].type.parts.clear();  // a list of nothing in particular
    CHECK_FALSE(baton::dynamic::is_sound(unsound));
}

TEST_CASE("fields that do not fit are refused with their place before anything is sent", "[dynamic]") {
    CHECK_THAT(refusal(fields({{"name", {std::int64_t{4}}}})), Contains("Bake.name: expected string, got integer 4"));
    CHECK_THAT(refusal(fields({{"name", {"Ada"}}, {"size", {"huge"}}})), Contains("Bake.size: 'huge' is none of"));
    CHECK_THAT(refusal({}), Contains("Bake.name is missing"));
    CHECK_THAT(refusal(fields({{"name", {"Ada"}}, {"crust", {true}}})), Contains("has no field 'crust'"));
    const Value topping{fields({{"name", {"basil"}}, {"slices", {std::int64_t{300}}}})};
    CHECK_THAT(refusal(fields({{"name", {"Ada"}}, {"toppings", {Value::List{topping}}}})),
               Contains("Bake.toppings[0].slices: 300 is out of range of uint8"));
}

TEST_CASE("a field that was left out has its default, or is nothing, when it is read", "[dynamic]") {
    const Value read = carried(bake, Value{fields({{"name", {"Ada"}}, {"toppings", {Value::List{}}}})});
    REQUIRE(read.field("size") != nullptr);
    CHECK(*read.field("size") == Value{"large"});
    REQUIRE(read.field("note") != nullptr);
    CHECK(read.field("note")->is_nothing());
    CHECK(read.field("crust") == nullptr);
    CHECK(*baton::dynamic::default_of(bake, bake.parts[1]) == Value{"large"});
    CHECK_FALSE(baton::dynamic::default_of(bake, bake.parts[0]).has_value());
}

TEST_CASE("a struct becomes a value that says how its lists and maps were meant", "[dynamic]") {
    const Value value = baton::dynamic::value_of(order::Shapes{{"a", 1}, {"x", "y"}, {{"k", 2}}, {3}});
    CHECK(value.form == Form::fields);
    CHECK(value.field("pair")->form == Form::tuple);
    CHECK(value.field("words")->form == Form::set);
    CHECK(value.field("table")->form == Form::entries);
    CHECK(value.field("list")->form == Form::plain);
    CHECK(baton::to_json(value, baton::JsonLayout::compact) ==
          R"({"pair":["a",1],"words":["x","y"],"table":{"k":2},"list":[3]})");
    CHECK(carried(baton::dynamic::type_of<order::Shapes>(), value) == value);
}

TEST_CASE("bytes of another type are corrupt and say what was expected", "[dynamic]") {
    const Bytes bytes = baton::dynamic::to_bytes(Value{"text"}, "it").value();
    const Result<Value> read = baton::dynamic::from_bytes(baton::dynamic::type_of<std::int32_t>(), bytes);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().kind == ErrorKind::corrupt);
    CHECK_THAT(read.error().text, Contains("expected int32, got string"));
    CHECK(*baton::dynamic::from_bytes(bytes) == Value{"text"});
    CHECK(baton::dynamic::from_bytes(std::span(bytes).first(2)).error().kind == ErrorKind::corrupt);
}

TEST_CASE("a value that is nested deeper than a message may be is refused, with its type or without", "[dynamic]") {
    Value deep{"core"};
    for (std::size_t depth = 0; depth <= baton::limits::message_depth_max; ++depth) deep = Value{Value::List{deep}};
    const Result<Bytes> bytes = baton::dynamic::to_bytes(deep, "it");
    REQUIRE_FALSE(bytes.ok());
    CHECK_THAT(bytes.error().text, Contains("limits::message_depth_max"));
}

TEST_CASE("memory is refused where there is no message that could carry it", "[dynamic]") {
    const Value held{Value::Held{}};
    CHECK_THAT(baton::dynamic::to_bytes(held, "it").error().text, Contains("can't be given from here"));
    const Type segment{"segment", "", 0, {}};
    CHECK_THAT(baton::dynamic::to_bytes(segment, held, "it").error().text, Contains("can't be given from here"));
}
