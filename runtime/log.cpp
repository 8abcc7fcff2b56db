#include <baton/log.hpp>

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <mutex>

#include "runtime/base/say.hpp"

#include "runtime/base/text.hpp"

namespace baton {

using namespace detail;

namespace {

LogLevel level_from_environment() {
    const char* text = std::getenv("BATON_LOG");
    const std::string_view name = text == nullptr ? "" : text;
    if (name == "debug") return LogLevel::debug;
    if (name == "info") return LogLevel::info;
    if (name == "error") return LogLevel::error;
    if (name == "off") return LogLevel::off;
    return LogLevel::warn;
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
    switch (level) {
        case LogLevel::debug: return spdlog::level::debug;
        case LogLevel::info: return spdlog::level::info;
        case LogLevel::warn: return spdlog::level::warn;
        case LogLevel::error: return spdlog::level::err;
        case LogLevel::off: return spdlog::level::off;
    }
    return spdlog::level::off;
}

}  // namespace

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
    : who_(std::move(who)), level_(level_from_environment()), sink_(std::make_unique<Sink>()) {
    sink_->logger.set_level(spdlog::level::trace);  // Log::writes() decides
    sink_->logger.set_pattern("%H:%M:%S.%e %v");
}

Log::~Log() = default;
Log::Log(Log&&) noexcept = default;
Log& Log::operator=(Log&&) noexcept = default;

void Log::write(LogLevel level, std::string_view event, std::string_view text) {
    static constexpr std::string_view names[] = {"debug", "info", "warn", "error", "off"};
    const std::string line = fmt::format("{} {} {} {}", printable(who_), names[static_cast<int>(level)], event, printable(text));
    sink_->logger.log(to_spdlog(level), "{}", line);
}

}  // namespace baton
