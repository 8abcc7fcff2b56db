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

class Log {
public:
    enum class Level { debug, info, warn, error, off };

    explicit Log(std::string who);
    ~Log();
    Log(Log&&) noexcept;
    Log& operator=(Log&&) noexcept;

    template <class... Args>
    void debug(std::string_view event, fmt::format_string<Args...> text, Args&&... args) {
        if (writes(Level::debug)) write(Level::debug, event, fmt::format(text, std::forward<Args>(args)...));
    }
    template <class... Args>
    void info(std::string_view event, fmt::format_string<Args...> text, Args&&... args) {
        if (writes(Level::info)) write(Level::info, event, fmt::format(text, std::forward<Args>(args)...));
    }
    template <class... Args>
    void warn(std::string_view event, fmt::format_string<Args...> text, Args&&... args) {
        if (writes(Level::warn)) write(Level::warn, event, fmt::format(text, std::forward<Args>(args)...));
    }
    template <class... Args>
    void error(std::string_view event, fmt::format_string<Args...> text, Args&&... args) {
        if (writes(Level::error)) write(Level::error, event, fmt::format(text, std::forward<Args>(args)...));
    }

    [[nodiscard]] bool writes(Level level) const noexcept { return level >= level_; }
    void write(Level level, std::string_view event, std::string_view text);
    void rename(std::string who) { who_ = std::move(who); }

private:
    struct Sink;
    std::string who_;
    Level level_;
    std::unique_ptr<Sink> sink_;
};

}  // namespace baton
