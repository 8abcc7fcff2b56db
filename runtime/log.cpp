#include <baton/log.hpp>

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <optional>

#include "runtime/base/log_level.hpp"
#include "runtime/base/say.hpp"
#include "runtime/base/text.hpp"

namespace baton {

using namespace detail;

namespace {

constexpr std::array<std::string_view, 5> level_names{"debug", "info", "warn", "error", "off"};

std::optional<Log::Level> level_of(std::string_view name) {
    const auto found = std::ranges::find(level_names, name);
    if (found == level_names.end()) return std::nullopt;
    return static_cast<Log::Level>(found - level_names.begin());
}

// Empty if it is not set.
std::string_view said_in_environment() {
    const char* const text = std::getenv(detail::log_variable);
    return text == nullptr ? std::string_view{} : std::string_view{text};
}

spdlog::level::level_enum to_spdlog(Log::Level level) {
    switch (level) {
        case Log::Level::debug: return spdlog::level::debug;
        case Log::Level::info: return spdlog::level::info;
        case Log::Level::warn: return spdlog::level::warn;
        case Log::Level::error: return spdlog::level::err;
        case Log::Level::off: return spdlog::level::off;
    }
    return spdlog::level::off;
}

}  // namespace

Log::Level detail::log_level_from_environment() {
    const std::string_view said = said_in_environment();
    if (said.empty()) return Log::Level::warn;
    if (const std::optional<Log::Level> level = level_of(said); level) return *level;
    static std::atomic_flag was_told = ATOMIC_FLAG_INIT;
    constexpr std::size_t shown_bytes_max = 80;
    if (!was_told.test_and_set())
        say(fmt::format("baton: {}='{}' is not a log level, so warn is used; the levels are {}\n", log_variable,
                        printable(readable(said, shown_bytes_max)), fmt::join(level_names, ", ")));
    return Log::Level::warn;
}

void detail::replace_bad_log_level(std::vector<std::pair<std::string, std::string>>& environment) {
    if (const std::string_view said = said_in_environment(); !said.empty() && !level_of(said))
        environment.emplace_back(log_variable, "warn");
}

struct Log::Sink {
    // spdlog's own sinks wait for as long as stderr takes no text.
    class Says final : public spdlog::sinks::base_sink<std::mutex> {
    protected:
        void sink_it_(const spdlog::details::log_msg& message) override {
            spdlog::memory_buf_t line;
            formatter_->format(message, line);
            say({line.data(), line.size()});
        }
        void flush_() override {}
    };
    spdlog::logger logger{"baton", std::make_shared<Says>()};
};

Log::Log(std::string who)
    : who_(std::move(who)), level_(log_level_from_environment()), sink_(std::make_unique<Sink>()) {
    sink_->logger.set_level(spdlog::level::trace);  // Log::writes() decides
    sink_->logger.set_pattern("%H:%M:%S.%e %v");
}

Log::~Log() = default;
Log::Log(Log&&) noexcept = default;
Log& Log::operator=(Log&&) noexcept = default;

void Log::write(Log::Level level, std::string_view event, std::string_view text) {
    const std::string line = fmt::format("{} {} {} {}", printable(who_), level_names[static_cast<std::size_t>(level)],
                                         event, printable(text));
    sink_->logger.log(to_spdlog(level), "{}", line);
}

}  // namespace baton
