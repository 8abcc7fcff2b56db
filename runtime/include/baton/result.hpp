#pragma once
// Result: the return type of every function that can fail for reasons outside the program. It holds the value, or an
// Error that says what was tried, on what, and why it failed. It behaves like std::expected (C++23):
//
//     baton::Result<double> mean = context.ask(reader, Mean{});
//     if (!mean) return std::move(mean).error();              // pass it on
//     double twice = mean.transform([](double m) { return 2 * m; }).value_or(0);
//
// There are two kinds of trouble. A dead peer, a full queue or bad bytes are an Error and travel in a Result. A broken
// promise of the program itself ends the actor; reading the value of a Result that holds an error is one, even in
// release builds. value() throws ErrorException instead; it is for scenarios and tests.
//
// The kinds are chosen by what the caller can do about the error; docs/decisions/0002-error-kinds.md says why there are
// nine. Thread rule: plain values, no shared state.

#include <baton/limits.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace baton {

enum class ErrorKind : std::uint8_t {
    refused,      // the request was understood and rejected: change it
    overloaded,   // a limit was reached: try later, not at once
    timed_out,    // the deadline has passed; the outcome is unknown unless the text says more
    gone,         // the actor has exited or never existed: choose another
    unsupported,  // the peer does not know this command or version: fall back
    corrupt,      // the bytes do not parse: the peer is dropped
    failed,       // the handler of the command threw an exception: read its text
    stopping,     // this actor or its session is ending: finish what you are doing
    deadlock,     // the wait could never end, as actors wait for each other: release what you hold, then try again
};

// "refused", "overloaded", ...: as they appear on the wire and in the logs.
[[nodiscard]] std::string_view name_of(ErrorKind kind) noexcept;

struct Error {
    ErrorKind kind = ErrorKind::failed;
    std::string text;
    std::string type = {};                 // of the exception that a handler threw; otherwise empty
    std::vector<std::string> frames = {};  // where it was thrown, innermost first, at most three
    // Of an ask that was given up (timed_out, deadlock, stopping) or could not be sent. True: its command had not begun
    // and never will, so it can be repeated. False: it may have begun, and may still finish.
    bool is_withdrawn = false;
};

// "refused: ...", for people.
[[nodiscard]] std::string to_text(const Error& error);

// What value() throws.
class ErrorException : public std::runtime_error {
public:
    explicit ErrorException(Error error) : std::runtime_error(to_text(error)), error_(std::move(error)) {}
    [[nodiscard]] const Error& error() const noexcept { return error_; }
    [[nodiscard]] ErrorKind kind() const noexcept { return error_.kind; }

private:
    Error error_;
};

template <class T>
class Result;
template <>
class Result<void>;

namespace detail {

[[nodiscard]] std::optional<ErrorKind> error_kind_of(std::string_view name) noexcept;

// Ends the process: a Result was read as what it is not.
[[noreturn]] void fail_value_access(const Error& error) noexcept;
[[noreturn]] void fail_error_access() noexcept;

template <class T>
struct IsResult : std::false_type {};
template <class T>
struct IsResult<Result<T>> : std::true_type {};

}  // namespace detail

template <class T>
class [[nodiscard]] Result {
public:
    using value_type = T;
    using error_type = Error;

    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit by design
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

    [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
    [[nodiscard]] bool ok() const noexcept { return has_value(); }
    explicit operator bool() const noexcept { return has_value(); }

    // Only if has_value(); otherwise the process ends, with the error as its last words.
    [[nodiscard]] T& operator*() & noexcept { return checked(); }
    [[nodiscard]] const T& operator*() const& noexcept { return checked(); }
    [[nodiscard]] T&& operator*() && noexcept { return std::move(checked()); }
    [[nodiscard]] T* operator->() noexcept { return &checked(); }
    [[nodiscard]] const T* operator->() const noexcept { return &checked(); }

    // Only if not has_value(); otherwise the process ends.
    [[nodiscard]] Error& error() & noexcept { return checked_error(); }
    [[nodiscard]] const Error& error() const& noexcept { return checked_error(); }
    [[nodiscard]] Error&& error() && noexcept { return std::move(checked_error()); }

    // Throws ErrorException if there is no value.
    T& value() & { return demand(), **this; }
    const T& value() const& { return demand(), **this; }
    T value() && { return demand(), std::move(**this); }

    template <class U = T>
    [[nodiscard]] T value_or(U&& other) const& {
        return has_value() ? **this : static_cast<T>(std::forward<U>(other));
    }
    template <class U = T>
    [[nodiscard]] T value_or(U&& other) && {
        return has_value() ? std::move(**this) : static_cast<T>(std::forward<U>(other));
    }

    // The value through `function`; an error stays as it is.
    template <class F>
    [[nodiscard]] auto transform(
        F&& function) const& -> Result<std::remove_cvref_t<std::invoke_result_t<F, const T&>>> {
        return mapped(*this, std::forward<F>(function));
    }
    template <class F>
    [[nodiscard]] auto transform(F&& function) && -> Result<std::remove_cvref_t<std::invoke_result_t<F, T&&>>> {
        return mapped(std::move(*this), std::forward<F>(function));
    }
    // Like transform(), for a function that returns a Result itself.
    template <class F>
    [[nodiscard]] auto and_then(F&& function) const& -> std::remove_cvref_t<std::invoke_result_t<F, const T&>> {
        if (has_value()) return std::invoke(std::forward<F>(function), **this);
        return error();
    }
    template <class F>
    [[nodiscard]] auto and_then(F&& function) && -> std::remove_cvref_t<std::invoke_result_t<F, T&&>> {
        if (has_value()) return std::invoke(std::forward<F>(function), std::move(**this));
        return std::move(*this).error();
    }
    // `function` turns an error into another Result.
    template <class F>
    [[nodiscard]] Result or_else(F&& function) const& {
        return has_value() ? *this : Result{std::invoke(std::forward<F>(function), error())};
    }
    template <class F>
    [[nodiscard]] Result or_else(F&& function) && {
        return has_value() ? std::move(*this)
                           : Result{std::invoke(std::forward<F>(function), std::move(*this).error())};
    }

private:
    template <class Self, class F>
    [[nodiscard]] static auto mapped(Self&& self, F&& function) {
        using Mapped = std::remove_cvref_t<std::invoke_result_t<F, decltype(*std::forward<Self>(self))>>;
        if (!self.has_value()) return Result<Mapped>{std::forward<Self>(self).error()};
        if constexpr (std::is_void_v<Mapped>) {
            std::invoke(std::forward<F>(function), *std::forward<Self>(self));
            return Result<Mapped>{};
        } else {
            return Result<Mapped>{std::invoke(std::forward<F>(function), *std::forward<Self>(self))};
        }
    }
    [[nodiscard]] T& checked() noexcept {
        if (!has_value()) [[unlikely]] detail::fail_value_access(*std::get_if<1>(&state_));
        return *std::get_if<0>(&state_);
    }
    [[nodiscard]] const T& checked() const noexcept { return const_cast<Result&>(*this).checked(); }
    [[nodiscard]] Error& checked_error() noexcept {
        if (has_value()) [[unlikely]] detail::fail_error_access();
        return *std::get_if<1>(&state_);
    }
    [[nodiscard]] const Error& checked_error() const noexcept { return const_cast<Result&>(*this).checked_error(); }
    void demand() const {
        if (!has_value()) throw ErrorException(error());
    }
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    using value_type = void;
    using error_type = Error;

    Result() noexcept {}  // not defaulted: `return {}` would fill the room for an Error with zeros first
    Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit by design

    [[nodiscard]] bool has_value() const noexcept { return !error_.has_value(); }
    [[nodiscard]] bool ok() const noexcept { return has_value(); }
    explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] Error& error() & noexcept { return checked_error(); }
    [[nodiscard]] const Error& error() const& noexcept { return const_cast<Result&>(*this).checked_error(); }
    [[nodiscard]] Error&& error() && noexcept { return std::move(checked_error()); }
    void value() const {
        if (!has_value()) throw ErrorException(*error_);
    }

    template <class F>
    [[nodiscard]] auto transform(F&& function) const -> Result<std::remove_cvref_t<std::invoke_result_t<F>>> {
        if (!has_value()) return *error_;
        if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
            std::invoke(std::forward<F>(function));
            return {};
        } else {
            return std::invoke(std::forward<F>(function));
        }
    }
    template <class F>
    [[nodiscard]] auto and_then(F&& function) const -> std::remove_cvref_t<std::invoke_result_t<F>> {
        if (!has_value()) return *error_;
        return std::invoke(std::forward<F>(function));
    }
    template <class F>
    [[nodiscard]] Result or_else(F&& function) const {
        return has_value() ? *this : Result{std::invoke(std::forward<F>(function), *error_)};
    }

private:
    [[nodiscard]] Error& checked_error() noexcept {
        if (has_value()) [[unlikely]] detail::fail_error_access();
        return *error_;
    }
    std::optional<Error> error_;
};

namespace detail {

// The two faces of everything that may fail: a Result for actors, the value or an ErrorException for scripts.
struct Returning {
    template <class T>
    using Of = Result<T>;
    template <class T>
    [[nodiscard]] static Result<T> give(Result<T> result) {
        return result;
    }
};
struct Throwing {
    template <class T>
    using Of = T;
    template <class T>
    static T give(Result<T> result) {
        return std::move(result).value();
    }
};

}  // namespace detail

}  // namespace baton

// "refused: ..." and "refused".
template <>
struct fmt::formatter<baton::Error> : fmt::formatter<std::string> {
    template <class FormatContext>
    auto format(const baton::Error& error, FormatContext& context) const {
        return fmt::formatter<std::string>::format(baton::to_text(error), context);
    }
};
template <>
struct fmt::formatter<baton::ErrorKind> : fmt::formatter<std::string_view> {
    template <class FormatContext>
    auto format(baton::ErrorKind kind, FormatContext& context) const {
        return fmt::formatter<std::string_view>::format(baton::name_of(kind), context);
    }
};
