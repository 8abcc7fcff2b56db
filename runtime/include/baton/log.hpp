#pragma once
// Log: one record, one line, on stderr: `12:03:04.118 darkroom#3.1 info transfer.accepted segment=17`.
//
// A record may quote what peers say, so what is written goes through printable() (base/text.hpp): a tag or a text can
// neither end its line nor speak to the terminal. Logging never fails and never waits for long: what stderr does not
// take is dropped and counted (base/say.hpp).
//
// Code that handles an error logs it, once; code that returns it does not. Event names are `noun.verb` from the
// vocabulary of the documentation. The level comes from BATON_LOG (debug, info, warn, error, off; default warn). This
// header is the door to fmt, log.cpp the only door to spdlog. Owned by main and passed to what needs it; one thread.

#include <baton/limits.hpp>

#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>

namespace baton {

enum class LogLevel { debug, info, warn, error, off };

class Log {
public:
    explicit Log(std::string who);
    ~Log();
    Log(Log&&) noexcept;
    Log& operator=(Log&&) noexcept;

    template <class... Args>
    void debug(std::string_view event, fmt::format_string<Args...> text, Args&&... args) {
        if (writes(LogLevel::debug)) write(LogLevel::debug, event, fmt::format(text, std::forward<Args>(args)...));
    }
    template <class... Args>
    void info(std::string_view event, fmt::format_string<Args...> text, Args&&... args) {
        if (writes(LogLevel::info)) write(LogLevel::info, event, fmt::format(text, std::forward<Args>(args)...));
    }
    template <class... Args>
    void warn(std::string_view event, fmt::format_string<Args...> text, Args&&... args) {
        if (writes(LogLevel::warn)) write(LogLevel::warn, event, fmt::format(text, std::forward<Args>(args)...));
    }
    template <class... Args>
    void error(std::string_view event, fmt::format_string<Args...> text, Args&&... args) {
        if (writes(LogLevel::error)) write(LogLevel::error, event, fmt::format(text, std::forward<Args>(args)...));
    }

    [[nodiscard]] bool writes(LogLevel level) const noexcept { return level >= level_; }
    void write(LogLevel level, std::string_view event, std::string_view text);
    void rename(std::string who) { who_ = std::move(who); }

private:
    struct Sink;
    std::string who_;
    LogLevel level_;
    std::unique_ptr<Sink> sink_;
};

}  // namespace baton
