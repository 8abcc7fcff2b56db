#include "actors/column_reader/quotes.hpp"

#include <random>

#include "actors/column_reader/byte_masks.hpp"
#include "actors/column_reader/cell.hpp"
#include "tests/catch.hpp"
#include "tests/unit/columns/reference.hpp"

namespace {

using column_reader::ByteMasks;
using column_reader::mask_bytes;
using column_reader::PortableByteMasks;
using column_reader::Quotes;

template <class Masks>
std::uint64_t mask_of(const std::string& text, char byte) {
    return Masks{text.data()}.equal(byte);
}

// For each byte of the text whether it lies in quotes.
std::vector<bool> inside(std::string text, Quotes::Start start) {
    const std::size_t size = text.size();
    text.resize((size + mask_bytes - 1) / mask_bytes * mask_bytes);
    Quotes quotes{start};
    std::vector<bool> out;
    for (std::size_t at = 0; at < size; at += mask_bytes) {
        const ByteMasks bytes{text.data() + at};
        const std::uint64_t mask = quotes.inside(bytes.equal('"'), bytes.equal(',') | bytes.equal('\n'));
        for (std::size_t bit = 0; bit < mask_bytes && at + bit < size; ++bit) out.push_back(((mask >> bit) & 1) != 0);
    }
    return out;
}

}  // namespace

TEST_CASE("masks say which of 64 bytes are a given one, with and without SSE2", "[unit]") {
    std::mt19937 random{11};
    for (int round = 0; round < 200; ++round) {
        std::string text(mask_bytes, ' ');
        for (char& byte : text) byte = static_cast<char>(random() % 2 == 0 ? random() : ',');
        std::uint64_t commas = 0;
        std::uint64_t not_ascii = 0;
        for (std::size_t i = 0; i < mask_bytes; ++i) {
            commas |= std::uint64_t{text[i] == ','} << i;
            not_ascii |= std::uint64_t{(text[i] & 0x80) != 0} << i;
        }
        REQUIRE(mask_of<ByteMasks>(text, ',') == commas);
        REQUIRE(mask_of<PortableByteMasks>(text, ',') == commas);
        REQUIRE(ByteMasks{text.data()}.not_ascii() == not_ascii);
        REQUIRE(PortableByteMasks{text.data()}.not_ascii() == not_ascii);
        const char any = static_cast<char>(random());
        REQUIRE(mask_of<ByteMasks>(text, any) == mask_of<PortableByteMasks>(text, any));
    }
}

TEST_CASE("quotes open only at the start of a field", "[unit]") {
    const auto as_text = [](const std::string& text) {
        std::string out;
        for (const bool is_inside : inside(text, Quotes::Start::row)) out += is_inside ? 'i' : '.';
        return out;
    };
    CHECK(as_text("a,\"b,c\",d") == "..iiii...");
    CHECK(as_text("\"a\nb\"\n\"c\"") == "iiii..ii.");
    CHECK(as_text("5\" pipe,\"x\"") == "........ii.");
    CHECK(as_text("\"say \"\"hi\"\"\",x") == "iiiii.iii.i...");
    CHECK(as_text("\"a\"b\"c,d") == "ii......");
    CHECK(as_text("ab\"\"cd,\"e\"") == ".......ii.");
    CHECK(as_text(std::string(63, 'x') + "\",\"y,\"") == std::string(65, '.') + "iii.");
    CHECK(as_text(std::string(64, 'x') + "\",\"y,\"") == std::string(66, '.') + "iii.");
    CHECK(as_text(std::string(62, 'x') + ",\"y,\"") == std::string(63, '.') + "iii.");
    CHECK(as_text(std::string(63, 'x') + ",\"y,\"") == std::string(64, '.') + "iii.");
}

TEST_CASE("any text has the same bytes in quotes as byte by byte", "[unit]") {
    std::mt19937 random{5};
    for (int round = 0; round < 3000; ++round) {
        const std::string text = columns_test::random_csv(random, 1 + random() % 400);
        std::vector<bool> expected;
        static_cast<void>(columns_test::rows_of(text, ',', &expected));
        INFO(text);
        const std::vector<bool> found = inside(text, Quotes::Start::row);
        // The two quotes of an escaped one may be seen as out and in again; nothing ends between them.
        REQUIRE(found.size() == expected.size());
        for (std::size_t i = 0; i < text.size(); ++i)
            if (text[i] != '"') REQUIRE(found[i] == expected[i]);
    }
}

TEST_CASE("two ways of reading agree soon after a quoted field", "[unit]") {
    const auto ends_inside = [](const std::string& text, Quotes::Start start) -> bool {
        return inside(text, start).back();
    };
    for (const std::string text : {"x,\"y\",z", "\"a\",b", "text\"\n\"a\",\"b\"x"})
        CHECK(ends_inside(text, Quotes::Start::row) == ends_inside(text, Quotes::Start::quoted_field));
    CHECK(ends_inside("x,y,z", Quotes::Start::row) != ends_inside("x,y,z", Quotes::Start::quoted_field));
}

TEST_CASE("a field is read without its quotes", "[unit]") {
    std::string scratch;
    const auto cell = [&](std::string_view field) { return std::string{column_reader::unquoted(field, scratch)}; };
    CHECK(cell("plain") == "plain");
    CHECK(cell("") == "");
    CHECK(cell("5\" pipe") == "5\" pipe");
    CHECK(cell("\"a,b\"") == "a,b");
    CHECK(cell("\"\"") == "");
    CHECK(cell("\"\"\"\"") == "\"");
    CHECK(cell("\"say \"\"hi\"\"\"") == "say \"hi\"");
    CHECK(cell("\"a\"b\"c\"") == "ab\"c\"");
    CHECK(cell("\"unclosed") == "unclosed");
    CHECK(cell("\"unclosed\"\"") == "unclosed\"");
}
