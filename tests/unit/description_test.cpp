#include <baton/detail/description.hpp>

#include "runtime/wire/notices.hpp"
#include "tests/catch.hpp"

namespace student {

enum class Mood : std::uint8_t { bored, curious = 3 };
enum class Grade : std::int8_t { failed = -1, passed = 1 };

struct HoldThis {
    std::int64_t number;
    using Reply = std::string;
};
struct Remember {
    std::vector<std::string> words;
    std::map<std::string, std::optional<double>> marks;
    std::array<float, 3> position;
    std::variant<bool, std::string> either;
    Mood mood;
};
struct GoHome {};
using Protocol = baton::Protocol<HoldThis, Remember, GoHome>;

struct Visit {
    baton::Ref<Protocol> whom;
    baton::AnyRef by;
    baton::ActorId id;
    baton::Timestamp when;
    baton::Duration howlong;
    std::vector<std::byte> gift;
    using Reply = std::monostate;
};

struct Node {
    std::string label;
    std::vector<Node> children;
};
struct Leaf {
    std::string label;
};
struct Forest {
    std::vector<Node> trees;
    Leaf first;
    Leaf second;  // a struct that stands twice but not inside itself
};

}  // namespace student

// The same shapes at another address, as another team would write them.
namespace pupil {
struct GoHome {};
struct HoldThis {
    std::int64_t number;
    using Reply = std::string;
};
enum class Temper : std::uint8_t { a, b };
struct Remember {
    std::vector<std::string> words;
    std::map<std::string, std::optional<double>> marks;
    std::array<float, 3> position;
    std::variant<bool, std::string> either;
    Temper mood;
};
using Protocol = baton::Protocol<GoHome, Remember, HoldThis>;
}  // namespace pupil

namespace other_name {
struct HoldThis {
    std::int64_t count;
    using Reply = std::string;
};
}  // namespace other_name
namespace other_type {
struct HoldThis {
    std::int32_t number;
    using Reply = std::string;
};
}  // namespace other_type
namespace other_reply {
struct HoldThis {
    std::int64_t number;
    using Reply = bool;
};
}  // namespace other_reply
namespace no_reply {
struct HoldThis {
    std::int64_t number;
};
}  // namespace no_reply
namespace one_more {
struct HoldThis {
    std::int64_t number;
    bool really;
    using Reply = std::string;
};
}  // namespace one_more

namespace with_defaults {
struct Part {
    std::uint32_t steps = 8;
};
struct Tune {
    std::int64_t number;
    std::int32_t zero = 0;
    std::uint32_t depth = 3;
    std::string label = "plain";
    student::Mood mood = student::Mood::curious;
    std::vector<std::int32_t> sizes = {1, 2};
    std::pair<double, double> place = {0.5, -1};
    Part part = {.steps = 4};
    std::optional<std::int32_t> limit = 7;
    std::optional<std::string> note;
};
}  // namespace with_defaults
namespace without_defaults {
struct Part {
    std::uint32_t steps;
};
struct Tune {
    std::int64_t number;
    std::int32_t zero;
    std::uint32_t depth;
    std::string label;
    student::Mood mood;
    std::vector<std::int32_t> sizes;
    std::pair<double, double> place;
    Part part;
    std::optional<std::int32_t> limit;
    std::optional<std::string> note;
};
}  // namespace without_defaults

namespace {

using namespace baton;
using namespace baton::detail;

template <class ProtocolType>
std::uint64_t fingerprint() {
    return fingerprint_of(describe_protocol<ProtocolType>());
}
template <class T>
std::string text_of() {
    return to_text(describe_type<T>());
}

}  // namespace

TEST_CASE("a protocol's description has its commands, their fields and replies", "[wire]") {
    const ProtocolDescription protocol = describe_protocol<student::Protocol>();
    CHECK(protocol.name == "student");
    REQUIRE(protocol.commands.size() == 3);
    const CommandDescription* hold = protocol.find("HoldThis");
    REQUIRE(hold != nullptr);
    REQUIRE(hold->fields.kind == "struct");
    REQUIRE(hold->fields.parts.size() == 1);
    CHECK(hold->fields.parts[0].name == "number");
    CHECK(hold->fields.parts[0].type.kind == "int64");
    REQUIRE(hold->reply.has_value());
    CHECK(hold->reply->kind == "string");
    CHECK_FALSE(protocol.find("GoHome")->reply.has_value());
    CHECK(protocol.find("GoHome")->fields.parts.empty());
    CHECK(protocol.find("Nonsense") == nullptr);
}

TEST_CASE("each type is described for people in one line", "[wire]") {
    CHECK(text_of<bool>() == "bool");
    CHECK(text_of<std::int8_t>() == "int8");
    CHECK(text_of<std::uint64_t>() == "uint64");
    CHECK(text_of<float>() == "float32");
    CHECK(text_of<double>() == "float64");
    CHECK(text_of<std::string>() == "string");
    CHECK(text_of<std::vector<std::byte>>() == "bytes");
    CHECK(text_of<std::vector<std::vector<int>>>() == "list<list<int32>>");
    CHECK(text_of<std::array<float, 3>>() == "array<float32, 3>");
    CHECK(text_of<std::deque<int>>() == "list<int32>");
    CHECK(text_of<std::set<std::string>>() == "set<string>");
    CHECK(text_of<std::unordered_set<std::uint8_t>>() == "set<uint8>");
    CHECK(text_of<std::pair<std::string, int>>() == "tuple<string, int32>");
    CHECK(text_of<std::tuple<bool, std::set<std::pair<int, int>>>>() == "tuple<bool, set<tuple<int32, int32>>>");
    CHECK(text_of<std::tuple<>>() == "tuple<>");
    CHECK(text_of<std::map<std::string, bool>>() == "map<string, bool>");
    CHECK(text_of<std::unordered_map<int, bool>>() == "map<int32, bool>");
    CHECK(text_of<std::optional<int>>() == "optional<int32>");
    CHECK(text_of<std::variant<bool, std::string>>() == "variant<bool, string>");
    CHECK(text_of<Timestamp>() == "timestamp");
    CHECK(text_of<Duration>() == "duration");
    CHECK(text_of<AnyRef>() == "ref");
    CHECK(text_of<ActorId>() == "ref");
    CHECK(text_of<Ref<student::Protocol>>() == "ref<student>");
    CHECK(text_of<std::monostate>() == "nothing");
    CHECK(text_of<student::Mood>() == "Mood{bored=0, curious=3}");
    CHECK(text_of<student::Grade>() == "Grade{failed=-1, passed=1}");
    CHECK(text_of<student::Leaf>() == "{label: string}");
    CHECK(text_of<student::Node>() == "{label: string, children: list<Node>}");
    CHECK(to_text(*describe_protocol<student::Protocol>().find("HoldThis")) == "HoldThis(number: int64) -> string");
    CHECK(to_text(*describe_protocol<student::Protocol>().find("GoHome")) == "GoHome()");
    CHECK(to_text(describe_protocol<baton::Protocol<student::Visit>>().commands[0]) ==
          "Visit(whom: ref<student>, by: ref, id: ref, when: timestamp, howlong: duration, gift: bytes) -> nothing");
}

TEST_CASE("a description says the defaults of fields, and a fingerprint does not know them", "[wire]") {
    const ProtocolDescription tuned = describe_protocol<baton::Protocol<with_defaults::Tune>>();
    CHECK(to_text(tuned.commands[0]) ==
          "Tune(number: int64, zero: int32, depth: uint32 = 3, label: string = \"plain\", mood: Mood{bored=0, "
          "curious=3} = \"curious\", sizes: list<int32> = [1,2], place: tuple<float64, float64> = [0.5,-1.0], part: "
          "{steps: uint32 = 8} = {\"steps\":4}, limit: optional<int32> = 7, note: optional<string>)");
    CHECK(fingerprint_of(tuned) == fingerprint<baton::Protocol<without_defaults::Tune>>());
    for (const PartDescription& field : tuned.commands[0].fields.parts)
        CHECK(may_be_left_out(tuned.commands[0].fields, field) == (field.name != "number" && field.name != "zero"));
}

TEST_CASE("a recursive struct ends, and one that only stands twice is spelled out twice", "[wire]") {
    const TypeDescription forest = describe_type<student::Forest>();
    const TypeDescription& node = forest.parts[0].type.parts[0].type;
    CHECK(node.kind == "struct");
    CHECK(node.parts[1].type.parts[0].type.kind == "same");
    CHECK(node.parts[1].type.parts[0].type.name == "Node");
    CHECK(forest.parts[1].type.kind == "struct");
    CHECK(forest.parts[2].type.kind == "struct");
}

TEST_CASE("equal shapes have one fingerprint, whatever the namespace, the order and an enum's names", "[wire]") {
    CHECK(fingerprint<student::Protocol>() == fingerprint<pupil::Protocol>());
    CHECK(fingerprint<student::Protocol>() != 0);
    CHECK(fingerprint<baton::Protocol<>>() != 0);
}

TEST_CASE("a change that two actors would misread changes the fingerprint", "[wire]") {
    const std::uint64_t original = fingerprint<baton::Protocol<student::HoldThis>>();
    CHECK(fingerprint<baton::Protocol<other_name::HoldThis>>() != original);
    CHECK(fingerprint<baton::Protocol<other_type::HoldThis>>() != original);
    CHECK(fingerprint<baton::Protocol<other_reply::HoldThis>>() != original);
    CHECK(fingerprint<baton::Protocol<no_reply::HoldThis>>() != original);
    CHECK(fingerprint<baton::Protocol<one_more::HoldThis>>() != original);
    CHECK(fingerprint<baton::Protocol<student::HoldThis, student::GoHome>>() != original);
    CHECK(fingerprint<baton::Protocol<>>() != original);
}

TEST_CASE("the length of an array and the kind of a list are part of the shape", "[wire]") {
    const auto shape = [](TypeDescription type) {
        return fingerprint_of({"p", {{"C", {"struct", "C", 0, {{"field", std::move(type)}}}, std::nullopt}}});
    };
    const std::uint64_t three = shape(describe_type<std::array<float, 3>>());
    CHECK(shape(describe_type<std::array<float, 4>>()) != three);
    CHECK(shape(describe_type<std::vector<float>>()) != three);
    CHECK(shape(describe_type<std::array<double, 3>>()) != three);
    CHECK(shape(describe_type<std::set<float>>()) != shape(describe_type<std::vector<float>>()));
    CHECK(shape(describe_type<std::deque<float>>()) == shape(describe_type<std::vector<float>>()));
    CHECK(shape(describe_type<std::tuple<float, float, float>>()) != three);
    CHECK(shape(describe_type<std::pair<float, bool>>()) == shape(describe_type<std::tuple<float, bool>>()));
    CHECK(shape(describe_type<std::pair<float, bool>>()) != shape(describe_type<std::pair<bool, float>>()));
    CHECK(shape(describe_type<Ref<student::Protocol>>()) != shape(describe_type<AnyRef>()));
    CHECK(shape(describe_type<std::map<int, bool>>()) != shape(describe_type<std::map<bool, int>>()));
}

TEST_CASE("a description travels: the coordinator's own comes back equal", "[wire]") {
    const ProtocolDescription protocol = describe_protocol<coordinator::Protocol>();
    CHECK(protocol.name == "coordinator");
    Buffer bytes;
    Encoder encoder{bytes};
    encode(encoder, protocol);
    CHECK(bytes.size() < limits::protocol_bytes_max);
    Unpacker unpacker;
    std::size_t offset = 0;
    const Value value = unpacker.next(bytes, offset).value();
    ProtocolDescription again;
    Decoding at{"ProtocolDescription"};
    REQUIRE(decode(value, again, at));
    CHECK(again == protocol);
    CHECK(fingerprint_of(again) == fingerprint_of(protocol));
}

TEST_CASE("the coordinator's own description, of descriptions too, is not nested too deep for a reply", "[wire]") {
    coordinator::Spawned found;
    found.protocol = describe_protocol<coordinator::Protocol>();
    Buffer bytes;
    Encoder encoder{bytes};
    encode(encoder, found);
    CHECK(bytes != nested_too_deep);
    Unpacker unpacker;
    std::size_t offset = 0;
    CHECK(unpacker.next(bytes, offset).ok());
}
