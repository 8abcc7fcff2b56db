// What an exception of a handler becomes: an Error that somebody can read.
#include <map>
#include <variant>

#include <baton/actor.hpp>
#include "tests/catch.hpp"

namespace {

using Catch::Contains;

template <class T>
struct Torn : std::runtime_error {
    using std::runtime_error::runtime_error;
};
using Deep =
    std::map<std::string, std::variant<std::map<std::string, std::vector<std::string>>, std::map<int, std::string>>>;

template <class Throw>
baton::Error error_of(const Throw& does_throw) {
    try {
        does_throw();
    } catch (...) {
        return baton::detail::error_of_current_exception();
    }
    return {};
}

}  // namespace

TEST_CASE("an exception's type stands in the error as it is written, without the arguments of a long template",
          "[inbox]") {
    const baton::Error plain = error_of([] { throw std::out_of_range("no 7"); });
    CHECK(plain.type == "std::out_of_range");
    CHECK(plain.text == "no 7");
    const baton::Error deep = error_of([] { throw Torn<std::map<int, Deep>>("the film is torn"); });
    CHECK_THAT(deep.type, Contains("Torn<...>"));
    CHECK(deep.type.size() < 100);
    CHECK(deep.text == "the film is torn");
    for (const std::string& frame : deep.frames) CHECK(frame.size() <= 240);
    CHECK(error_of([] { throw 7; }).text == "an exception that is not a std::exception");
}

TEST_CASE("an error that a handler lets through keeps what stops an actor, and is a failure of its own otherwise",
          "[inbox]") {
    const auto kind_of = [](baton::ErrorKind kind) {
        return error_of([kind] { throw baton::ErrorException(baton::Error{kind, "so"}); }).kind;
    };
    CHECK(kind_of(baton::ErrorKind::stopping) == baton::ErrorKind::stopping);
    CHECK(kind_of(baton::ErrorKind::timed_out) == baton::ErrorKind::failed);
}
