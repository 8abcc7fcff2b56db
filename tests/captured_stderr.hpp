#pragma once
// What this process writes to stderr while the object lives: where the log goes.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include <baton/unique_fd.hpp>

namespace baton_test {

class CapturedStderr {
public:
    CapturedStderr() : file_(::memfd_create("stderr", MFD_CLOEXEC)), before_(::dup(STDERR_FILENO)) {
        std::fflush(stderr);
        // Processes that write at once would else write to one place: the kernel keeps no lock for a memfd's position.
        ::fcntl(file_.get(), F_SETFL, O_APPEND);
        ::dup2(file_.get(), STDERR_FILENO);
    }
    CapturedStderr(const CapturedStderr&) = delete;
    CapturedStderr& operator=(const CapturedStderr&) = delete;
    ~CapturedStderr() {
        std::fflush(stderr);
        ::dup2(before_.get(), STDERR_FILENO);
    }
    [[nodiscard]] std::string text() const {
        std::fflush(stderr);
        std::string all;
        char piece[4096];
        for (off_t at = 0;;) {
            const ssize_t size = ::pread(file_.get(), piece, sizeof piece, at);
            if (size <= 0) return all;
            all.append(piece, static_cast<std::size_t>(size));
            at += size;
        }
    }

private:
    baton::UniqueFd file_;
    baton::UniqueFd before_;
};

// BATON_LOG for the logs that are made while the object lives.
class LogLevelSetting {
public:
    explicit LogLevelSetting(const char* level) {
        if (const char* before = std::getenv("BATON_LOG")) before_ = before;
        ::setenv("BATON_LOG", level, 1);
    }
    LogLevelSetting(const LogLevelSetting&) = delete;
    LogLevelSetting& operator=(const LogLevelSetting&) = delete;
    ~LogLevelSetting() {
        if (before_)
            ::setenv("BATON_LOG", before_->c_str(), 1);
        else
            ::unsetenv("BATON_LOG");
    }

private:
    std::optional<std::string> before_;
};

}  // namespace baton_test
