#include "runtime/wire/element_type.hpp"

#include "tests/catch.hpp"
#include <complex>

#include <baton/limits.hpp>
#include <baton/segment.hpp>

using namespace baton;
using namespace baton::detail;

TEST_CASE("every type of one value has its size, as NumPy writes it", "[wire]") {
    CHECK(bytes_of_element_type("|b1") == 1);
    CHECK(bytes_of_element_type("|u1") == 1);
    CHECK(bytes_of_element_type("<i2") == 2);
    CHECK(bytes_of_element_type("<f16") == 16);
    CHECK(bytes_of_element_type("<c8") == 8);
    CHECK(bytes_of_element_type("<c16") == 16);
    CHECK(bytes_of_element_type("|S20") == 20);
    CHECK(bytes_of_element_type("|V24") == 24);
}

TEST_CASE("what means nothing in another process, or on another machine, is none of the types", "[wire]") {
    for (const char* type : {"", "|", "|O", "|O8", ">f8", "=f8", "<M8[ns]", "<m8[s]", "<U5", "<f3", "<c4", "|S0", "|V0",
                             "|V01", "|S-1", "|S 1",
                             "<S5", "|f8", "|V99999999999999", "<i4 ", "i4", "|S18446744073709551616"})
        CHECK_FALSE(bytes_of_element_type(type).has_value());
}

TEST_CASE("a record is as large as its fields, its gaps and its shapes", "[wire]") {
    CHECK(bytes_of_element_type("[('x','<f4'),('y','<i8')]") == 12);
    CHECK(bytes_of_element_type("[('x','|u1'),('','|V3'),('y','<i4')]") == 8);
    CHECK(bytes_of_element_type("[('at','<f8',(2,3))]") == 48);
    CHECK(bytes_of_element_type("[('at','<f8',(2,))]") == 16);
    CHECK(bytes_of_element_type("[('inner',[('a','|S5'),('b','<c16')]),('n','<u2')]") == 23);
    CHECK(bytes_of_element_type("[('größe','<f4')]") == 4);
    CHECK(text_of_element_type("[('x','<f4'),('','|V4'),('at','<i8',(2,3)),('in',[('a','|b1')])]") ==
          "{x: float32, at: int64[2, 3], in: {a: bool}}");
}

TEST_CASE("a record that is not written as one is none of the types", "[wire]") {
    for (const char* type : {"[", "[]", "[()]", "[('x')]", "[('x',)]", "[('x','<f4')", "[('x','<f4'),]",
                             "[('x','<f4')]]", "[('x','<f4')] ",
                             "[ ('x','<f4')]", "[('x','|O8')]", "[('x','<f4',())", "[('x','<f4',(0,))]",
                             "[('x','<f4',(-1,))]",
                             "[('x','<f4',(2 ,))]", "[('x\\\\','<f4')]", "[(\"x\",'<f4')]",
                             "[('x','<f4',(99999999999999999999,))]",
                             "[('x','|V1099511627776',(2,))]", "[('x\x01','<f4')]", "[('\xff','<f4')]"})
        CHECK_FALSE(bytes_of_element_type(type).has_value());
}

TEST_CASE("records within records, and their texts, end where the limits say", "[wire]") {
    const auto nested = [](std::size_t depth) {
        std::string type = "'|b1'";
        for (std::size_t level = 0; level < depth; ++level) type = "[('a'," + type + ")]";
        return type;
    };
    CHECK(bytes_of_element_type(nested(limits::record_depth_max)) == 1);
    CHECK_FALSE(bytes_of_element_type(nested(limits::record_depth_max + 1)).has_value());
    CHECK_FALSE(bytes_of_element_type(nested(100)).has_value());
    const std::string long_name(limits::element_type_bytes_max, 'n');
    CHECK_FALSE(bytes_of_element_type("[('" + long_name + "','|b1')]").has_value());
}

TEST_CASE("a struct sees records, texts and bytes of its size, and nothing else", "[wire]") {
    CHECK(is_seen_as("[('x','<f4'),('y','<i8')]", "|V12"));
    CHECK(is_seen_as("|S12", "|V12"));
    CHECK(is_seen_as("|V12", "|V12"));
    CHECK_FALSE(is_seen_as("|V12", "|V8"));
    CHECK_FALSE(is_seen_as("<f8", "|V8"));
    CHECK_FALSE(is_seen_as("[('x','<f8')]", "<f8"));
}

TEST_CASE("complex numbers of C++ are those of NumPy", "[wire]") {
    CHECK(element_type<std::complex<float>>() == "<c8");
    CHECK(element_type<std::complex<double>>() == "<c16");
    STATIC_REQUIRE_FALSE(Shareable<std::complex<long double>>);
}
