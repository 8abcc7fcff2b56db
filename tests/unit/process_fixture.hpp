#pragma once
// What the tests of runtime/process share: a session base of their own, pipes to wait on, processes that
// die when told to, and a look at what has been left behind.
//
// The processes made here by fork() stand for actors and coordinators that crash. They leave by _exit only
// and assert nothing: they speak by exit code and pipe.

#include <baton/time.hpp>
#include <baton/unique_fd.hpp>
#include "runtime/process/child.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/catch.hpp"

namespace process_test {

using namespace std::chrono_literals;

// Only ends a test that hangs; no test takes as long.
inline constexpr baton::Duration watchdog = 20s;

class Variable {
public:
    Variable(std::string name, const std::optional<std::string>& value) : name_(std::move(name)) {
        if (const char* const before = std::getenv(name_.c_str())) before_ = before;
        set(value);
    }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;
    ~Variable() { set(before_); }

private:
    void set(const std::optional<std::string>& value) {
        if (value)
            ::setenv(name_.c_str(), value->c_str(), 1);
        else
            ::unsetenv(name_.c_str());
    }
    std::string name_;
    std::optional<std::string> before_;
};

class FreshFolder {
public:
    FreshFolder() {
        std::string name = "/tmp/baton-test-XXXXXX";
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = std::filesystem::canonical(name);
    }
    FreshFolder(const FreshFolder&) = delete;
    FreshFolder& operator=(const FreshFolder&) = delete;
    ~FreshFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    [[nodiscard]] std::string file(const std::string& name, const std::string& text, mode_t mode = 0600) const {
        const std::filesystem::path file = path_ / name;
        std::ofstream{file} << text;
        REQUIRE(::chmod(file.c_str(), mode) == 0);
        return file;
    }

private:
    std::filesystem::path path_;
};

inline std::vector<std::string> open_descriptors() {
    std::vector<std::string> open;
    for (int fd = 0; fd < 1024; ++fd)
        if (::fcntl(fd, F_GETFD) >= 0) open.push_back(std::to_string(fd));
    return open;
}

// First in a test, so that it looks last: no descriptor and no child of it may be left.
class NothingLeft {
public:
    NothingLeft() = default;
    NothingLeft(const NothingLeft&) = delete;
    NothingLeft& operator=(const NothingLeft&) = delete;
    ~NothingLeft() {
        CHECK(open_descriptors() == before_);
        CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
        CHECK(errno == ECHILD);
    }

private:
    std::vector<std::string> before_ = open_descriptors();
};

// Base of the sessions of one test; nobody's real session is seen, or swept.
class OwnSessions {
public:
    [[nodiscard]] std::filesystem::path runtime_folder() const { return folder_.path(); }
    [[nodiscard]] std::filesystem::path base() const { return folder_.path() / "baton"; }
    [[nodiscard]] std::vector<std::string> entries() const {
        std::vector<std::string> names;
        if (std::filesystem::exists(base()))
            for (const auto& entry : std::filesystem::directory_iterator{base()})
                names.push_back(entry.path().filename());
        return names;
    }

private:
    FreshFolder folder_;
    Variable runtime_{"XDG_RUNTIME_DIR", folder_.path().string()};
    Variable session_{"BATON_SESSION", std::nullopt};
};

struct Pipe {
    baton::UniqueFd read_end;
    baton::UniqueFd write_end;

    Pipe() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
        read_end = baton::UniqueFd{ends[0]};
        write_end = baton::UniqueFd{ends[1]};
    }
    void write(const std::string& text) const {
        if (::write(write_end.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::abort();
    }
    // Up to the end of the line, or until the last writer has gone.
    [[nodiscard]] std::string line() const {
        std::string text;
        for (char next = 0; ::read(read_end.get(), &next, 1) == 1 && next != '\n';) text += next;
        return text;
    }
    // Until the last writer has gone; ours is closed first.
    [[nodiscard]] std::string rest() {
        write_end.reset();
        std::string text;
        for (char next = 0; ::read(read_end.get(), &next, 1) == 1;) text += next;
        return text;
    }
};

// A process that runs `life` and exits with its answer, unless it is killed first.
class Forked {
public:
    template <class Life>
    explicit Forked(Life life) : pid_(fork_flushed()) {
        REQUIRE(pid_ >= 0);
        if (pid_ == 0) ::_exit(life());
    }
    Forked(const Forked&) = delete;
    Forked& operator=(const Forked&) = delete;
    ~Forked() { kill(); }
    [[nodiscard]] pid_t pid() const { return pid_; }
    // As waitpid says it: its exit code, or minus the signal.
    int exit_code() {
        int status = 0;
        if (pid_ > 0) ::waitpid(pid_, &status, 0);
        pid_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    void kill() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        exit_code();
    }

private:
    // What has been written and not flushed would be flushed by the child, too: ThreadSanitizer's _exit() does that.
    static pid_t fork_flushed() {
        std::cout.flush();
        std::fflush(nullptr);
        return ::fork();
    }
    pid_t pid_;
};

// Or until the test has hung for so long that nobody will.
[[noreturn]] inline void wait_to_be_killed() {
    ::alarm(60);
    for (;;) ::pause();
}

inline std::string text_of(const std::filesystem::path& path) {
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
}

// A process that waits until it is released. It is past its start when the constructor returns: right after posix_spawn
// the kernel still sets it up, and its environment cannot be read yet.
class StandIn {
public:
    explicit StandIn(baton::detail::ChildSpec spec = {}) : child_(start(std::move(spec))) {
        // Opening a FIFO to write waits for the one who reads it.
        lifeline_ = baton::UniqueFd{::open(fifo().c_str(), O_WRONLY | O_CLOEXEC)};
        REQUIRE(lifeline_.is_open());
    }
    [[nodiscard]] baton::detail::Child& child() { return child_; }
    [[nodiscard]] pid_t pid() const { return child_.pid(); }
    void let_go() { lifeline_.reset(); }

private:
    [[nodiscard]] std::filesystem::path fifo() const { return folder_.path() / "lifeline"; }
    [[nodiscard]] baton::detail::Child start(baton::detail::ChildSpec spec) const {
        REQUIRE(::mkfifo(fifo().c_str(), 0600) == 0);
        spec.program = "/bin/cat";
        spec.arguments = {fifo()};
        return baton::detail::Child::start(spec).value();
    }
    FreshFolder folder_;
    baton::UniqueFd lifeline_;
    baton::detail::Child child_;
};

}  // namespace process_test
