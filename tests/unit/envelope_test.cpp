#include "runtime/wire/envelope.hpp"

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

Buffer bytes_of(const Envelope& envelope) {
    Buffer bytes;
    Encoder encoder{bytes};
    begin_record(encoder, envelope);
    return bytes;
}

Result<Envelope> read(std::string_view frame, std::size_t offset = 0) {
    static Unpacker unpacker;
    unpacker.clear();
    return read_envelope(unpacker, frame, offset);
}

void check_equal(const Envelope& left, const Envelope& right) {
    CHECK(left.kind == right.kind);
    CHECK(left.from == right.from);
    CHECK(left.to == right.to);
    CHECK(left.sequence == right.sequence);
    CHECK(left.ask_id == right.ask_id);
    CHECK(left.tag == right.tag);
}

const Envelope sent{MessageKind::send, {3, 1}, {4, 2}, 17, 0, "GoHome"};
const Envelope asked{MessageKind::ask, {3, 1}, {4, 2}, 18, 300, "HoldThis"};
const Envelope replied{MessageKind::reply, {4, 2}, {3, 1}, 0, 300, "HoldThis"};
const Envelope failed{MessageKind::error, {4, 2}, {3, 1}, 0, 301, "HoldThis"};
const Envelope noticed{MessageKind::notice, {1, 1}, {3, 1}, 0, 0, "Stop"};

}  // namespace

TEST_CASE("the envelope of each kind of message has these bytes", "[wire][golden]") {
    CHECK(to_hex(bytes_of(sent)) == hex("9a 01 01 03 01 04 02 11 00 a6 47 6f 48 6f 6d 65 90"));
    CHECK(to_hex(bytes_of(asked)) == hex("9a 01 02 03 01 04 02 12 cd 01 2c a8 48 6f 6c 64 54 68 69 73 90"));
    CHECK(to_hex(bytes_of(replied)) == hex("9a 01 03 04 02 03 01 00 cd 01 2c a8 48 6f 6c 64 54 68 69 73 90"));
    CHECK(to_hex(bytes_of(failed)) == hex("9a 01 04 04 02 03 01 00 cd 01 2d a8 48 6f 6c 64 54 68 69 73 90"));
    CHECK(to_hex(bytes_of(noticed)) == hex("9a 01 05 01 01 03 01 00 00 a4 53 74 6f 70 90"));
}

TEST_CASE("an envelope is read as it was written, and the offset then stands at the body", "[wire]") {
    for (const Envelope& envelope : {sent, asked, replied, failed, noticed}) {
        Buffer frame = bytes_of(envelope);
        const std::size_t body_at = frame.size();
        frame += from_hex("a4 62 6f 64 79");
        Unpacker unpacker;
        std::size_t offset = 0;
        Result<Envelope> envelope_read = read_envelope(unpacker, frame, offset);
        REQUIRE(envelope_read.ok());
        check_equal(*envelope_read, envelope);
        CHECK(offset == body_at);
        CHECK(unpacker.next(frame, offset).value().text() == "body");
    }
}

TEST_CASE("the largest numbers survive, and larger ones are corrupt", "[wire]") {
    constexpr std::uint32_t large = std::numeric_limits<std::uint32_t>::max();
    constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
    const Envelope edge{MessageKind::ask, {large, large}, {large, large}, largest, largest, ""};
    const Buffer frame = bytes_of(edge);
    check_equal(read(frame).value(), edge);
    // The number of the sender as 2^32.
    const Error error = read(from_hex("9a 01 01 cf 00 00 00 01 00 00 00 00 01 04 02 11 00 a0 90")).error();
    CHECK(error.kind == ErrorKind::corrupt);
    CHECK_THAT(error.text, Contains("integers from 0"));
}

TEST_CASE("an envelope of another version is unsupported, whatever else it holds", "[wire]") {
    for (const char* text : {"9a 02 01 03 01 04 02 11 00 a0 90", "91 02", "9b 02 01 03 01 04 02 11 00 a0 90 c0",
                             "92 cf ff ff ff ff ff ff ff ff c0", "9a 00 01 03 01 04 02 11 00 a0 90"}) {
        INFO(text);
        const Result<Envelope> result = read(from_hex(text));
        REQUIRE_FALSE(result.ok());
        CHECK(result.error().kind == ErrorKind::unsupported);
    }
    CHECK_THAT(read(from_hex("91 02")).error().text, Contains("version 2") && Contains("speaks version 1"));
}

TEST_CASE("a manifest lists what changes hands: segments, leases and slices", "[wire]") {
    Envelope carrying{MessageKind::send, {3, 1}, {4, 1}, 7, 0, "Develop"};
    carrying.manifest = {Handle{HandleKind::segment, 17, 5, {"<f4", {480, 640}}},
                     Handle{HandleKind::lease, 18, 6, {"|u1", {1}}, 2, 9, 0},
                     Handle{HandleKind::slice, 19, 7, {"<i8", {10}}, 3, 11, 4096}};
    const Buffer bytes = bytes_of(carrying);
    const Result<Envelope> received = read(bytes);
    REQUIRE(received.ok());
    CHECK(received->manifest == carrying.manifest);
}

TEST_CASE("a manifest that makes no sense is corrupt", "[wire]") {
    const char* const wrong[] = {
        "91 01",                                  // a handle that is a number
        "91 90",                                  // an empty one
        "91 95 04 01 01 a3 7c 75 31 91 01",       // kind 4
        "91 94 01 01 01 a3 7c 75 31",             // no shape
        "91 95 01 ff 01 a3 7c 75 31 91 01",       // a slot below 0
        "91 95 01 ce ff ff ff ff 01 a3 7c 75 31 91 01",  // a slot beyond limits::segments_max
        "91 95 01 01 01 a3 3c 71 39 91 01",       // an element type that NumPy does not have
        "91 95 01 01 01 a3 3c 66 38 92 cf 40 00 00 00 00 00 00 00 08",  // a shape of more bytes than there are
        "91 95 01 01 01 a3 7c 75 31 99 01 01 01 01 01 01 01 01 01",     // nine dimensions
        "91 95 02 01 01 a3 7c 75 31 91 01",       // a lease without its row
    };
    for (const char* manifest : wrong) {
        CAPTURE(manifest);
        const Result<Envelope> result = read(from_hex(std::string("9a 01 01 03 01 04 02 11 00 a0 ") + manifest));
        REQUIRE_FALSE(result.ok());
        CHECK(result.error().kind == ErrorKind::corrupt);
    }
}

TEST_CASE("everything else that is wrong with an envelope is corrupt", "[wire]") {
    const char* const wrong[] = {
        "",                                            // nothing
        "c0",                                          // not a list
        "90",                                          // an empty one
        "81 01 01",                                    // a map
        "a1 78",                                       // text
        "9a a1 31 01 03 01 04 02 11 00 a0 90",         // version is text
        "9a ff 01 03 01 04 02 11 00 a0 90",            // version is negative
        "99 01 01 03 01 04 02 11 00 a0",               // nine elements
        "9b 01 01 03 01 04 02 11 00 a0 90 c0",         // eleven
        "9a 01 00 03 01 04 02 11 00 a0 90",            // kind 0
        "9a 01 06 03 01 04 02 11 00 a0 90",            // kind 6
        "9a 01 c3 03 01 04 02 11 00 a0 90",            // kind is a bool
        "9a 01 01 ff 01 04 02 11 00 a0 90",            // from is negative
        "9a 01 01 03 01 04 c0 11 00 a0 90",            // to is nothing
        "9a 01 01 03 01 04 02 ff 00 a0 90",            // sequence is negative
        "9a 01 01 03 01 04 02 11 a1 78 a0 90",         // ask id is text
        "9a 01 01 03 01 04 02 11 00 c4 01 78 90",      // tag is bytes
        "9a 01 01 03 01 04 02 11 00 a1 ff 90",         // tag is not UTF-8
        "9a 01 01 03 01 04 02 11 00 a0 c0",            // manifest is nothing
        "dd ff ff ff ff",                              // four billion elements
        "9a 01 01 03 01 04 02 11 00 db ff ff ff ff",   // a tag of four billion bytes
        "c1",                                          // no msgpack
    };
    for (const char* text : wrong) {
        INFO(text);
        const Result<Envelope> result = read(from_hex(text));
        REQUIRE_FALSE(result.ok());
        CHECK(result.error().kind == ErrorKind::corrupt);
        CHECK_FALSE(result.error().text.empty());
    }
}

TEST_CASE("a tag is bounded, so that no answer that repeats it is larger than a message", "[wire]") {
    Envelope envelope = asked;
    const std::string longest(limits::tag_bytes_max, 'T');
    envelope.tag = longest;
    CHECK(read(bytes_of(envelope)).ok());
    for (const std::size_t size : {limits::tag_bytes_max + 1, limits::message_bytes_max}) {
        const std::string longer(size, 'T');
        envelope.tag = longer;
        Buffer bytes;
        Encoder encoder{bytes, Encoder::unbounded};
        begin_record(encoder, envelope);
        const Result<Envelope> result = read(bytes);
        REQUIRE_FALSE(result.ok());
        CHECK(result.error().kind == ErrorKind::corrupt);
        CHECK(result.error().text.find("limits::tag_bytes_max") != std::string::npos);
        CHECK(result.error().text.size() < 200);
    }
}

// Goal: what arrives cut short is never taken for a message.
// Method: every prefix of a valid record, alone in a buffer of its own so that ASan sees a read beyond it.
TEST_CASE("no truncation of a record is read as one", "[wire]") {
    Buffer record = bytes_of(asked);
    const std::size_t envelope_size = record.size();
    record += from_hex("81 a6 6e 75 6d 62 65 72 cd 01 2c");
    for (std::size_t size = 0; size < record.size(); ++size) {
        const std::unique_ptr<char[]> exact{new char[size]};
        std::copy_n(record.data(), size, exact.get());
        const std::string_view cut{exact.get(), size};
        Unpacker unpacker;
        std::size_t offset = 0;
        const Result<Envelope> envelope = read_envelope(unpacker, cut, offset);
        CHECK(envelope.ok() == (size >= envelope_size));
        if (!envelope) {
            CHECK(envelope.error().kind == ErrorKind::corrupt);
        } else {
            check_equal(*envelope, asked);
            CHECK(unpacker.next(cut, offset).error().kind == ErrorKind::corrupt);
        }
    }
}

TEST_CASE("no single changed byte makes reading a record go wrong", "[wire]") {
    const Buffer record = bytes_of(asked) + from_hex("81 a6 6e 75 6d 62 65 72 04");
    std::size_t refused = 0;
    for (std::size_t at = 0; at < record.size(); ++at) {
        for (int value = 0; value < 256; ++value) {
            Buffer changed = record;
            changed[at] = static_cast<char>(value);
            Unpacker unpacker;
            std::size_t offset = 0;
            const Result<Envelope> envelope = read_envelope(unpacker, changed, offset);
            if (envelope && unpacker.next(changed, offset)) {
                CHECK(offset <= changed.size());
            } else {
                ++refused;
            }
        }
    }
    CHECK(refused > 0);
}

TEST_CASE("records that stand back to back in one frame are read one after another", "[wire]") {
    Buffer frame;
    for (const Envelope& envelope : {sent, asked, replied}) frame += bytes_of(envelope) + "\xc0";
    Unpacker unpacker;
    std::size_t offset = 0;
    for (const Envelope& envelope : {sent, asked, replied}) {
        check_equal(read_envelope(unpacker, frame, offset).value(), envelope);
        CHECK(unpacker.next(frame, offset).value().kind() == ValueKind::nil);
    }
    CHECK(offset == frame.size());
}
