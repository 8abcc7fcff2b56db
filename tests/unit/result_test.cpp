// Result, which behaves like std::expected, and the texts of values in fmt.
#include <memory>

#include <baton/exit.hpp>
#include <baton/layout.hpp>
#include <baton/ref.hpp>
#include <baton/result.hpp>

#include "tests/catch.hpp"

using baton::Error;
using baton::ErrorKind;
using baton::Result;

namespace {

Result<int> half(int number) {
    if (number % 2 != 0) return Error{ErrorKind::refused, fmt::format("{} is odd", number)};
    return number / 2;
}

}  // namespace

TEST_CASE("a result is transformed and chained as long as it holds a value, and keeps its error otherwise",
          "[result]") {
    CHECK(half(8).and_then(half).and_then(half).value() == 1);
    CHECK(half(8).transform([](int number) { return std::to_string(number); }).value() == "4");
    const Result<int> odd = half(6).and_then(half);
    CHECK_FALSE(odd.has_value());
    CHECK(odd.error().text == "3 is odd");
    CHECK(odd.transform([](int number) { return 2 * number; }).error().kind == ErrorKind::refused);
    CHECK(odd.value_or(7) == 7);
    CHECK(odd.or_else([](const Error&) -> Result<int> { return 9; }).value() == 9);
    CHECK(half(8).or_else([](const Error&) -> Result<int> { return 9; }).value() == 4);

    int seen = 0;
    CHECK(half(4).transform([&](int number) { seen = number; }).has_value());
    CHECK(seen == 2);
    const Result<void> fine;
    CHECK(fine.and_then([] { return half(2); }).value() == 1);
    const Result<void> failed{Error{ErrorKind::gone, "it has exited"}};
    CHECK(failed.transform([] { return 1; }).error().kind == ErrorKind::gone);
    CHECK(failed.or_else([](const Error&) { return Result<void>{}; }).has_value());
}

TEST_CASE("what a result holds can be moved out of it, the error too", "[result]") {
    Result<std::unique_ptr<int>> owner = std::make_unique<int>(5);
    const std::unique_ptr<int> moved = std::move(owner).value();
    CHECK(*moved == 5);
    CHECK(*Result<std::unique_ptr<int>>{std::make_unique<int>(6)}
               .transform([](std::unique_ptr<int> one) { return one; })
               .value() == 6);
    Result<int> failed = Error{ErrorKind::failed, std::string(100, 'x')};
    const Error error = std::move(failed).error();
    CHECK(error.text == std::string(100, 'x'));
    CHECK(failed.error().text.empty());
}

TEST_CASE("value() of a result without one throws the error", "[result]") {
    try {
        static_cast<void>(half(3).value());
        FAIL("nothing was thrown");
    } catch (const baton::ErrorException& exception) {
        CHECK(exception.kind() == ErrorKind::refused);
        CHECK(std::string(exception.what()) == "refused: 3 is odd");
    }
}

TEST_CASE("errors, exits, ids, addresses and layouts can be formatted", "[result]") {
    CHECK(fmt::format("{}", Error{ErrorKind::gone, "Ada has exited"}) == "gone: Ada has exited");
    CHECK(fmt::format("{:>8}", ErrorKind::failed) == "  failed");
    CHECK(fmt::format("{}", baton::ActorId{3, 1}) == "3.1");
    CHECK(fmt::format("{}", baton::AnyRef{baton::ActorId{4, 2}}) == "4.2");
    CHECK(fmt::format("{}", baton::Ref<int>{baton::ActorId{5, 1}}) == "5.1");
    CHECK(fmt::format("{}", baton::Exit{baton::ExitKind::returned, 3, "", "", {}}) == "returned 3");
    CHECK(fmt::format("{}", baton::Layout{"<f8", {2, 3}}) == "float64[2, 3]");
}
