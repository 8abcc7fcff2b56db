#include <baton/detail/fields.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tests/catch.hpp"

namespace school {

struct HoldThis {
    std::int64_t number;
    std::string a_name_2;
};
struct Empty {};
enum class Colour : std::uint8_t { red, green = 5 };
enum Plain { one, two };

namespace yard {
struct Swing {
    int seats;
};
}  // namespace yard

template <class T>
struct Box {
    T inside;
};

}  // namespace school

struct Homeless {
    int value;
};

namespace {

using namespace baton::detail::fields;

enum class Shade { light, dark };
struct Inner {
    double x, y;
};
struct Mixed {
    Inner first;
    std::vector<Inner> list;
    std::map<std::string, int> table;
    std::optional<Inner> maybe;
    std::variant<int, std::string> either;
    std::array<int, 3> triple;
    bool last;
};
struct Widest {
    int a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24;
};
struct WithDefaults {
    int number = 4;
    std::string text = "x";
};
struct Underlined_ {
    int _leading;
    int trailing_;
    int value;     // the words that the compiler's own text holds
    int specimen;
};

template <class T>
std::vector<std::string> field_names() {
    return {names_of<T>.begin(), names_of<T>.end()};
}
using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("the fields of a struct are found with their names, in order", "[wire]") {
    CHECK(field_names<school::HoldThis>() == Names{"number", "a_name_2"});
    CHECK(field_names<Mixed>() == Names{"first", "list", "table", "maybe", "either", "triple", "last"});
    CHECK(field_names<WithDefaults>() == Names{"number", "text"});
    CHECK(field_names<school::Box<std::string>>() == Names{"inside"});
    CHECK(field_names<Underlined_>() == Names{"_leading", "trailing_", "value", "specimen"});
    CHECK(field_names<school::Empty>().empty());
}

TEST_CASE("a struct of as many fields as the limit allows has all of them", "[wire]") {
    STATIC_REQUIRE(count_of<Widest> == baton::limits::command_fields_max);
    CHECK(field_names<Widest>().front() == "a1");
    CHECK(field_names<Widest>().back() == "a24");
}

TEST_CASE("the struct may be of an unnamed namespace or of a function", "[wire]") {
    struct Local {
        int here;
        Inner there;
    };
    CHECK(field_names<Local>() == Names{"here", "there"});
    CHECK(field_names<Inner>() == Names{"x", "y"});
    STATIC_REQUIRE(type_name<Local>() == "Local");
    STATIC_REQUIRE(type_name<Inner>() == "Inner");
    STATIC_REQUIRE(enumerator_name<Shade::dark>() == "dark");
    STATIC_REQUIRE(enumerator_name<static_cast<Shade>(-2)>().empty());
}

TEST_CASE("the tied fields are the members themselves", "[wire]") {
    school::HoldThis command{1, "x"};
    std::get<0>(tie_fields(command)) = 7;
    CHECK(command.number == 7);
    Widest wide{};
    std::get<23>(tie_fields(wide)) = 24;
    CHECK(wide.a24 == 24);
    const school::HoldThis fixed{3, "y"};
    CHECK(&std::get<1>(tie_fields(fixed)) == &fixed.a_name_2);
}

TEST_CASE("the name of a type comes without its namespaces, and its namespace without outer ones", "[wire]") {
    STATIC_REQUIRE(type_name<school::HoldThis>() == "HoldThis");
    STATIC_REQUIRE(type_name<Homeless>() == "Homeless");
    STATIC_REQUIRE(full_type_name<school::HoldThis>() == "school::HoldThis");
    STATIC_REQUIRE(namespace_name<school::HoldThis>() == "school");
    STATIC_REQUIRE(namespace_name<school::yard::Swing>() == "yard");
    STATIC_REQUIRE(namespace_name<Homeless>().empty());
    // The colons within <> belong to somebody else.
    STATIC_REQUIRE(type_name<school::Box<school::yard::Swing>>() == "Box<school::yard::Swing>");
    STATIC_REQUIRE(namespace_name<school::Box<school::yard::Swing>>() == "school");
}

TEST_CASE("an enum's values have their names, and other numbers none", "[wire]") {
    STATIC_REQUIRE(enumerator_name<school::Colour::red>() == "red");
    STATIC_REQUIRE(enumerator_name<school::Colour::green>() == "green");
    STATIC_REQUIRE(enumerator_name<static_cast<school::Colour>(1)>().empty());
    STATIC_REQUIRE(enumerator_name<school::two>() == "two");
}
