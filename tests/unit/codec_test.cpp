#include <baton/detail/codec.hpp>

#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include <baton/limits.hpp>
#include "tests/catch.hpp"
#include "tests/hex.hpp"

namespace {

using namespace baton;
using namespace baton::detail;
using baton_test::from_hex;
using baton_test::hex;
using baton_test::to_hex;
using Catch::Matchers::Contains;

template <class Write>
std::string encoded(Write&& write) {
    Buffer out;
    Encoder encoder{out};
    write(encoder);
    return to_hex(out);
}

Error error_of(std::string_view bytes) {
    Unpacker unpacker;
    std::size_t offset = 0;
    Result<Value> value = unpacker.next(bytes, offset);
    REQUIRE_FALSE(value.ok());
    return value.error();
}

// `depth` lists in each other, around nothing.
std::string nested(std::size_t depth) { return std::string(depth, '\x91') + '\xc0'; }

}  // namespace

TEST_CASE("every kind of value has the bytes that the msgpack specification gives it", "[wire]") {
    CHECK(encoded([](Encoder& e) { e.nil(); }) == "c0");
    CHECK(encoded([](Encoder& e) { e.boolean(true); }) == "c3");
    CHECK(encoded([](Encoder& e) { e.boolean(false); }) == "c2");
    CHECK(encoded([](Encoder& e) { e.integer(7); }) == "07");
    CHECK(encoded([](Encoder& e) { e.integer(-1); }) == "ff");
    CHECK(encoded([](Encoder& e) { e.integer(-33); }) == hex("d0 df"));
    CHECK(encoded([](Encoder& e) { e.integer(300); }) == hex("cd 01 2c"));
    CHECK(encoded([](Encoder& e) { e.unsigned_integer(std::numeric_limits<std::uint64_t>::max()); }) ==
          hex("cf ff ff ff ff ff ff ff ff"));
    CHECK(encoded([](Encoder& e) { e.real32(1.5F); }) == hex("ca 3f c0 00 00"));
    CHECK(encoded([](Encoder& e) { e.real64(1.5); }) == hex("cb 3f f8 00 00 00 00 00 00"));
    CHECK(encoded([](Encoder& e) { e.text("hi"); }) == hex("a2 68 69"));
    CHECK(encoded([](Encoder& e) { e.text(std::string(32, 'x')); }).starts_with("d920"));
    CHECK(encoded([](Encoder& e) { e.bytes(std::array{std::byte{1}, std::byte{2}}); }) == hex("c4 02 01 02"));
    CHECK(encoded([](Encoder& e) { e.array(2), e.nil(), e.nil(); }) == hex("92 c0 c0"));
    CHECK(encoded([](Encoder& e) { e.map(1), e.text("a"), e.integer(1); }) == hex("81 a1 61 01"));
    CHECK(encoded([](Encoder& e) { e.timestamp(Timestamp{std::chrono::seconds{1}}); }) == hex("d6 ff 00 00 00 01"));
}

TEST_CASE("a float is written as one, whatever number it is", "[wire]") {
    CHECK(encoded([](Encoder& e) { e.real64(2.0); }) == hex("cb 40 00 00 00 00 00 00 00"));
    CHECK(encoded([](Encoder& e) { e.real64(-0.0); }) == hex("cb 80 00 00 00 00 00 00 00"));
    CHECK(encoded([](Encoder& e) { e.real32(2.0F); }) == hex("ca 40 00 00 00"));
    CHECK(encoded([](Encoder& e) { e.real32(-0.0F); }) == hex("ca 80 00 00 00"));
    CHECK(encoded([](Encoder& e) { e.real64(std::numeric_limits<double>::infinity()); }) ==
          hex("cb 7f f0 00 00 00 00 00 00"));
}

TEST_CASE("an encoder builds no more than shows that the value is too large", "[wire]") {
    const std::string large(std::size_t{64} << 20, 'x');
    Buffer out = "before";
    Encoder encoder{out};
    encoder.array(1'000);
    for (int times = 0; times < 1'000; ++times) encoder.text(large);
    CHECK(encoder.is_full());
    CHECK(out.size() > limits::message_bytes_max);
    CHECK(out.size() <= limits::message_bytes_max + 32);
    // Lengths that msgpack has no number for end nobody.
    Buffer other;
    Encoder lengths{other};
    lengths.array(std::size_t{1} << 40);
    lengths.map(std::size_t{1} << 40);
    CHECK(other.size() == 10);
}

TEST_CASE("a value nested deeper than a message may be is left as what no value is", "[wire]") {
    const auto nest = [](std::size_t depth) {
        Buffer out;
        Encoder encoder{out};
        std::vector<std::unique_ptr<Encoder::Deeper>> levels;
        for (std::size_t level = 0; level < depth; ++level) {
            levels.push_back(std::make_unique<Encoder::Deeper>(encoder));
            encoder.array(1);
        }
        encoder.nil();
        while (!levels.empty()) levels.pop_back();
        encoder.nil();
        return out;
    };
    CHECK(nest(limits::message_depth_max).size() == limits::message_depth_max + 2);
    CHECK(nest(limits::message_depth_max + 1) == nested_too_deep);
    CHECK(nest(1'000) == nested_too_deep);
    // And what is not left so can be read.
    Unpacker unpacker;
    std::size_t offset = 0;
    CHECK(unpacker.next(nest(limits::message_depth_max), offset).ok());
    CHECK(error_of(nested_too_deep).kind == ErrorKind::corrupt);
}

TEST_CASE("a value that was encoded says what it is and what it holds", "[wire]") {
    Buffer bytes;
    Encoder encoder{bytes};
    encoder.array(4);
    encoder.integer(-5);
    encoder.text("hi");
    encoder.bytes(std::array{std::byte{9}});
    encoder.map(1);
    encoder.text("key");
    encoder.real64(0.25);

    Unpacker unpacker;
    std::size_t offset = 0;
    const Result<Value> value = unpacker.next(bytes, offset);
    REQUIRE(value.ok());
    CHECK(offset == bytes.size());
    REQUIRE(value->kind() == ValueKind::array);
    REQUIRE(value->size() == 4);
    std::int64_t number = 0;
    REQUIRE(value->at(0).kind() == ValueKind::integer);
    CHECK(value->at(0).to_integer(number));
    CHECK(number == -5);
    REQUIRE(value->at(1).kind() == ValueKind::text);
    CHECK(value->at(1).text() == "hi");
    REQUIRE(value->at(2).kind() == ValueKind::bytes);
    CHECK(value->at(2).bytes().size() == 1);
    CHECK(value->at(2).bytes()[0] == std::byte{9});
    REQUIRE(value->at(3).kind() == ValueKind::map);
    CHECK(value->at(3).key_at(0).text() == "key");
    CHECK(value->at(3).value_at(0).real() == 0.25);
}

TEST_CASE("an integer says whether it fits what is asked for", "[wire]") {
    Unpacker unpacker;
    const auto next = [&unpacker](const std::string& bytes) {
        std::size_t offset = 0;
        return unpacker.next(bytes, offset).value();
    };
    std::int64_t number = 0;
    std::uint64_t positive = 0;
    const std::string below_2_63 = from_hex("cf 7f ff ff ff ff ff ff ff");
    CHECK(next(below_2_63).to_integer(number));
    CHECK(number == std::numeric_limits<std::int64_t>::max());
    const std::string from_2_63 = from_hex("cf 80 00 00 00 00 00 00 00");
    CHECK_FALSE(next(from_2_63).to_integer(number));
    CHECK(next(from_2_63).to_unsigned(positive));
    CHECK(positive == std::uint64_t{1} << 63);
    const std::string minus_one = from_hex("ff");
    CHECK(next(minus_one).to_integer(number));
    CHECK(number == -1);
    CHECK_FALSE(next(minus_one).to_unsigned(positive));
    // A signed encoding of a number that is not negative, as other languages write it.
    const std::string signed_five = from_hex("d3 00 00 00 00 00 00 00 05");
    CHECK(next(signed_five).to_unsigned(positive));
    CHECK(positive == 5);
}

TEST_CASE("points in time survive the wire, in every size and on both sides of 1970", "[wire]") {
    using namespace std::chrono_literals;
    const auto time = GENERATE(Timestamp{}, Timestamp{1s}, Timestamp{1'700'000'000s + 123'456'789ns},
                               Timestamp{(std::int64_t{1} << 34) * 1ns * 1}, Timestamp{-1ns}, Timestamp{-1s},
                               Timestamp{-1'000'000'000'000ns - 1ns}, Timestamp{9'000'000'000s});
    Buffer bytes;
    Encoder{bytes}.timestamp(time);
    Unpacker unpacker;
    std::size_t offset = 0;
    const Value value = unpacker.next(bytes, offset).value();
    REQUIRE(value.kind() == ValueKind::timestamp);
    CHECK(value.timestamp().time_since_epoch().count() == time.time_since_epoch().count());
}

TEST_CASE("a timestamp with impossible nanoseconds or seconds is bounded, not undefined", "[wire]") {
    const auto time_of = [](const std::string& bytes) {
        Unpacker unpacker;
        std::size_t offset = 0;
        return unpacker.next(bytes, offset).value().timestamp().time_since_epoch();
    };
    CHECK(time_of(from_hex("d7 ff ff ff ff fc 00 00 00 01")) < std::chrono::seconds{2});
    CHECK(time_of(from_hex("c7 0c ff ff ff ff ff 7f ff ff ff ff ff ff ff")) > std::chrono::hours{24 * 365 * 200});
    CHECK(time_of(from_hex("c7 0c ff 00 00 00 00 80 00 00 00 00 00 00 00")) < -std::chrono::hours{24 * 365 * 200});
}

TEST_CASE("an extension that is no timestamp is a kind of its own", "[wire]") {
    Unpacker unpacker;
    for (const char* text : {"d4 05 00", "d6 05 00 00 00 00", "c7 03 ff 01 02 03", "d4 ff 00"}) {
        std::size_t offset = 0;
        const std::string bytes = from_hex(text);
        CHECK(unpacker.next(bytes, offset).value().kind() == ValueKind::other);
    }
}

TEST_CASE("values that stand back to back come out one after another", "[wire]") {
    const std::string bytes = from_hex("01 a1 78 c3");
    Unpacker unpacker;
    std::size_t offset = 0;
    const Value first = unpacker.next(bytes, offset).value();
    CHECK(offset == 1);
    const Value second = unpacker.next(bytes, offset).value();
    CHECK(offset == 3);
    const Value third = unpacker.next(bytes, offset).value();
    CHECK(offset == 4);
    std::int64_t number = 0;
    CHECK((first.to_integer(number) && number == 1));  // still there after the others came
    CHECK(second.text() == "x");
    CHECK(third.boolean());
    CHECK(unpacker.next(bytes, offset).error().kind == ErrorKind::corrupt);
}

TEST_CASE("an unpacker that has been cleared is as good as a new one", "[wire]") {
    Unpacker unpacker;
    for (int round = 0; round < 3; ++round) {
        unpacker.clear();
        const std::string bytes = from_hex("92 a1 78 07");
        std::size_t offset = 0;
        const Value value = unpacker.next(bytes, offset).value();
        CHECK(value.at(0).text() == "x");
        CHECK(unpacker.next(bytes, offset = 3).value().kind() == ValueKind::integer);
    }
}

TEST_CASE("bytes that end in the middle of a value are corrupt", "[wire]") {
    for (const char* text : {"", "cd 01", "a5 68 69", "92 01", "81 a1 61", "c4 05 00", "d6 ff 00"}) {
        INFO(text);
        CHECK(error_of(from_hex(text)).kind == ErrorKind::corrupt);
    }
}

TEST_CASE("a byte that msgpack never uses is corrupt", "[wire]") {
    CHECK(error_of("\xc1").kind == ErrorKind::corrupt);
    CHECK(error_of(from_hex("92 01 c1")).kind == ErrorKind::corrupt);
}

TEST_CASE("an offset behind the end is corrupt, not read", "[wire]") {
    Unpacker unpacker;
    std::size_t offset = 10;
    CHECK(unpacker.next("\x01", offset).error().kind == ErrorKind::corrupt);
}

// Goal: a few bytes can't make the decoder take memory. Under ASan an allocation of this size would fail.
TEST_CASE("a claim of four billion elements in five bytes is corrupt", "[wire]") {
    for (const char* text : {"dd ff ff ff ff", "df ff ff ff ff", "db ff ff ff ff", "c6 ff ff ff ff",
                             "c9 ff ff ff ff ff",
                             "dc ff ff", "de ff ff"}) {
        INFO(text);
        const Error error = error_of(from_hex(text));
        CHECK(error.kind == ErrorKind::corrupt);
        CHECK_THAT(error.text, Contains("claims more than the message holds") || Contains("end in the middle"));
    }
    CHECK_THAT(error_of(from_hex("dd ff ff ff ff")).text, Contains("claims more than the message holds"));
}

TEST_CASE("a list of n claims at least n bytes, a map of n at least 2 n", "[wire]") {
    CHECK(error_of(from_hex("dc 00 04 c0")).kind == ErrorKind::corrupt);
    CHECK_THAT(error_of(from_hex("dc 00 05 c0")).text, Contains("claims more"));
    CHECK_THAT(error_of(from_hex("de 00 03 c0 c0")).text, Contains("claims more"));
}

TEST_CASE("nesting ends at the limit", "[wire]") {
    Unpacker unpacker;
    std::size_t offset = 0;
    CHECK(unpacker.next(nested(limits::message_depth_max - 1), offset).ok());
    CHECK_THAT(error_of(nested(limits::message_depth_max + 1)).text, Contains("nests deeper than"));
    CHECK(error_of(std::string(limits::message_bytes_max, '\x91')).kind == ErrorKind::corrupt);
}
