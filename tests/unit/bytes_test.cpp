#include <baton/bytes.hpp>
#include <baton/segment.hpp>

#include <map>
#include <string>

#include "tests/catch.hpp"

using namespace baton;

namespace {

struct Order {
    std::string what;
    std::vector<std::uint32_t> amounts;
    bool operator==(const Order&) const = default;
};
struct Photo {
    Segment pixels;
};
template <class T>
concept Writable = requires(const T& value) { to_bytes(value); };
static_assert(Writable<Order> && Writable<std::map<std::string, double>> && !Writable<Photo> && !Writable<Segment>);

}  // namespace

TEST_CASE("a value is the same after its way through bytes", "[unit]") {
    const Order order{"tea", {1, 2, 300'000}};
    CHECK(from_bytes<Order>(to_bytes(order)).value() == order);
    CHECK(from_bytes<double>(to_bytes(0.5)).value() == 0.5);
    CHECK(from_bytes<Bytes>(to_bytes(Bytes{std::byte{1}, std::byte{0}})).value().size() == 2);
}

TEST_CASE("bytes of another type are refused with the place, and bytes of no value are corrupt", "[unit]") {
    const auto wrong = from_bytes<Order>(to_bytes(std::string("tea")), "order");
    CHECK(wrong.error().kind == ErrorKind::refused);
    CHECK_THAT(wrong.error().text, Catch::StartsWith("order"));
    const Bytes cut{to_bytes(std::string(100, 'x'))};
    CHECK(from_bytes<std::string>(std::span{cut}.first(50)).error().kind == ErrorKind::corrupt);
    CHECK(from_bytes<std::string>({}).error().kind == ErrorKind::corrupt);
}

TEST_CASE("the layout of an array is named by its type and shape", "[unit]") {
    CHECK(layout_of<double>({480, 640}) == Layout{"<f8", {480, 640}});
    CHECK(layout_of<char>({5}).bytes() == 5);
}
