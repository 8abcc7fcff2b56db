#pragma once
// Result: what every function that can fail on the world's side returns: the value, or an Error that
// says what was tried, on what, and why it failed.
//
// Two kinds of trouble and no third. The world's trouble (a dead peer, a full queue, bad bytes) is an
// Error and travels in a Result. Our own broken promises are check() (base/check.hpp) and end the actor.
//
// The kinds are chosen by what the caller can do about it; docs/decisions/0002-error-kinds.md says why
// there are eight. Thread rule: plain values, no shared state.

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace baton {

enum class ErrorKind : std::uint8_t {
    refused,      // understood, and no: change the request
    overloaded,   // a limit was reached: try later, not at once
    timed_out,    // the deadline passed; the outcome is unknown
    gone,         // the actor has exited, or never was: choose another
    unsupported,  // the peer does not know this command or version: fall back
    corrupt,      // the bytes do not parse: the peer is dropped
    failed,       // the handler of the command raised an exception: read its text
    stopping,     // this actor or its session is ending: finish what you do
};

// "refused", "overloaded", ... as they stand on the wire and in the logs.
[[nodiscard]] std::string_view name_of(ErrorKind kind) noexcept;
[[nodiscard]] std::optional<ErrorKind> error_kind_of(std::string_view name) noexcept;

struct Error {
    ErrorKind kind = ErrorKind::failed;
    std::string text;
    std::string type = {};                 // of the exception that a handler raised, else empty
    std::vector<std::string> frames = {};  // where it was thrown, innermost first, at most three
};

// "refused: ..." for people.
[[nodiscard]] std::string describe(const Error& error);

// What value() throws. For scenarios and tests; the runtime itself returns Results.
class Failure : public std::runtime_error {
public:
    explicit Failure(Error error) : std::runtime_error(describe(error)), error_(std::move(error)) {}
    [[nodiscard]] const Error& error() const noexcept { return error_; }
    [[nodiscard]] ErrorKind kind() const noexcept { return error_.kind; }

private:
    Error error_;
};

template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit by design
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

    [[nodiscard]] bool ok() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return ok(); }

    // Only after ok() said yes.
    [[nodiscard]] T& operator*() & noexcept { return *std::get_if<0>(&state_); }
    [[nodiscard]] const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
    [[nodiscard]] T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
    [[nodiscard]] T* operator->() noexcept { return std::get_if<0>(&state_); }
    [[nodiscard]] const T* operator->() const noexcept { return std::get_if<0>(&state_); }

    // Only after ok() said no.
    [[nodiscard]] Error& error() noexcept { return *std::get_if<1>(&state_); }
    [[nodiscard]] const Error& error() const noexcept { return *std::get_if<1>(&state_); }

    // Throws Failure where there is no value.
    T& value() & { return demand(), **this; }
    const T& value() const& { return demand(), **this; }
    T value() && { return demand(), std::move(**this); }

    [[nodiscard]] T value_or(T other) && { return ok() ? std::move(**this) : std::move(other); }

private:
    void demand() const {
        if (!ok()) throw Failure(error());
    }
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}  // NOLINT

    [[nodiscard]] bool ok() const noexcept { return !error_.has_value(); }
    explicit operator bool() const noexcept { return ok(); }
    [[nodiscard]] Error& error() noexcept { return *error_; }
    [[nodiscard]] const Error& error() const noexcept { return *error_; }
    void value() const {
        if (!ok()) throw Failure(*error_);
    }

private:
    std::optional<Error> error_;
};

template <class T>
struct IsResult : std::false_type {};
template <class T>
struct IsResult<Result<T>> : std::true_type {};

}  // namespace baton
