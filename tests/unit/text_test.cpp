#include "runtime/base/text.hpp"

#include "tests/catch.hpp"

using baton::is_utf8;
using baton::Lines;
using baton::printable;
using baton::readable;

namespace {

const std::string replaced = "\xEF\xBF\xBD";

}  // namespace

TEST_CASE("text that is UTF-8 is readable as it is, in any language", "[text]") {
    for (const std::string text : {"", "plain",
                                   "gr\xC3\xB6\xC3\x9F"
                                   "er \xE7\x8C\xAB \xF0\x9F\x90\x88"})
        CHECK(readable(text) == text);
}

TEST_CASE("what is not UTF-8 becomes readable without losing what stands around it", "[text]") {
    CHECK(readable("caf\xE9") == "caf" + replaced);                     // Latin-1
    CHECK(readable("a\xC3") == "a" + replaced);                         // cut within a character
    CHECK(readable("\xED\xA0\x80z") == replaced + "z");                 // a surrogate
    CHECK(is_utf8(readable(std::string("\xFF\xFE\x00\x80", 4))));
}

TEST_CASE("text is cut between two characters, and says that it was cut", "[text]") {
    CHECK(readable("12345678", 8) == "12345678");
    CHECK(readable("123456789", 8) == "12345...");
    CHECK(readable("1234\xC3\xA9" "789", 8) == "1234...");  // the fifth would be half of a letter
    for (std::size_t length = 0; length < 40; ++length)
        for (std::size_t most = 8; most < 20; ++most) {
            std::string text;
            for (std::size_t letter = 0; letter < length; ++letter)
                text += letter % 2 == 0 ? "\xC3\xA9" : "\xF0\x9F\x90\x88";
            const std::string cut = readable(text, most);
            CHECK(cut.size() <= most);
            CHECK(is_utf8(cut));
            CHECK((cut == text) == (text.size() <= most));
        }
}

TEST_CASE("what may be cut is bounded before it is repaired", "[text]") {
    const std::string cut = readable(std::string(100'000, '\xFF'), 100);
    CHECK(cut.size() <= 100);
    CHECK(is_utf8(cut));
}

TEST_CASE("nothing printable moves a cursor, ends a line or turns the text behind it round", "[text]") {
    CHECK(printable("gr\xC3\xB6\xC3\x9F" "er \\ \xE7\x8C\xAB") == "gr\xC3\xB6\xC3\x9F" "er \\ \xE7\x8C\xAB");
    CHECK(printable(std::string("a\0b", 3)) == "a\\x00b");
    CHECK(printable("a\nb\tc\r\x1b[2J\x7f") == "a\\nb\\tc\\x0d\\x1b[2J\\x7f");
    CHECK(printable("\xC2\x9B" "1m") == "\\x9b1m");                                  // CSI in one character
    CHECK(printable("exe.\xE2\x80\xAE" "gpj") == "exe.\\u202egpj");                  // right-to-left override
    CHECK(printable("\xE2\x81\xA6\xE2\x80\x8F\xD8\x9C\xE2\x80\xA8") == "\\u2066\\u200f\\u061c\\u2028");
    CHECK(printable("caf\xE9") == "caf\\xe9");
    CHECK(printable("one\ntwo\t\x1b", Lines::many) == "one\ntwo\t\\x1b");
}

TEST_CASE("JSON for people spells the same marks out and means the same", "[text]") {
    CHECK(baton::detail::printable_json("{\n  \"a\": \"\\u001b\xE2\x80\xAE\x7f\xC2\x85\"\n}") ==
          "{\n  \"a\": \"\\u001b\\u202e\\u007f\\u0085\"\n}");
}
