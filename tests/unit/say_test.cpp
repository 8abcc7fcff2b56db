#include "runtime/base/say.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include "tests/catch.hpp"
#include <chrono>
#include <csignal>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/held_signals.hpp"
#include <baton/unique_fd.hpp>

using baton::detail::say;
using baton::UniqueFd;
using Catch::Matchers::EndsWith;

namespace {

// stderr is something else while the object lives. Nothing may be asserted in that time: Catch2 writes there.
class StderrIs {
public:
    explicit StderrIs(int fd) : before_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)) {
        if (fd >= 0)
            ::dup2(fd, STDERR_FILENO);
        else
            ::close(STDERR_FILENO);
    }
    StderrIs(const StderrIs&) = delete;
    StderrIs& operator=(const StderrIs&) = delete;
    ~StderrIs() { ::dup2(before_.get(), STDERR_FILENO); }

private:
    UniqueFd before_;
};

struct Ends {
    UniqueFd read;
    UniqueFd write;
};

Ends small_pipe() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    ::fcntl(ends[1], F_SETPIPE_SZ, 4096);
    return {UniqueFd{ends[0]}, UniqueFd{ends[1]}};
}

std::string all_of(int fd) {
    std::string text(1 << 20, '\0');
    const ssize_t size = ::recv(fd, text.data(), text.size(), MSG_DONTWAIT);
    if (size >= 0) return text.substr(0, static_cast<std::size_t>(size));
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    const ssize_t read = ::read(fd, text.data(), text.size());
    return read < 0 ? std::string{} : text.substr(0, static_cast<std::size_t>(read));
}

// What an earlier test could not say, it says to nobody.
void say_all_earlier() {
    const UniqueFd nowhere{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
    const StderrIs is{nowhere.get()};
    say("\n");
}

}  // namespace

TEST_CASE("a stderr that is closed, full or without a reader takes no text and ends nobody", "[say]") {
    say_all_earlier();
    const std::string what = GENERATE(std::string{"closed"}, std::string{"/dev/full"}, std::string{"no reader"});
    UniqueFd fd;
    if (what == "/dev/full") fd = UniqueFd{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
    if (what == "no reader") fd = std::move(small_pipe().write);
    std::uint64_t unsaid = 0;
    {
        const StderrIs is{fd.get()};
        for (int count = 0; count < 3; ++count) say("a line\n");
        unsaid = baton::detail::unsaid();
    }
    CHECK(unsaid == 3);
    say_all_earlier();
    CHECK(baton::detail::unsaid() == 0);
}

TEST_CASE("what a pipe or a socket that nobody reads can't take is dropped, counted and told when there is room",
          "[say]") {
    say_all_earlier();
    Ends ends = small_pipe();
    if (GENERATE(false, true)) {
        std::array<int, 2> both{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both.data()) == 0);
        ends = {UniqueFd{both[0]}, UniqueFd{both[1]}};
    }
    const int flags = ::fcntl(ends.write.get(), F_GETFL);
    const std::string line(99, 'x');
    std::size_t said = 20;
    const auto before = std::chrono::steady_clock::now();
    {
        const StderrIs is{ends.write.get()};
        for (; baton::detail::unsaid() == 0; ++said) say(line + "\n");
        for (int count = 0; count < 20; ++count) say(line + "\n");
    }
    // Only those that found no room after there was some have waited for it (limits::say_wait).
    CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds{2});
    std::string all = all_of(ends.read.get());
    {
        const StderrIs is{ends.write.get()};
        say("room again\n");
    }
    all += all_of(ends.read.get());
    CHECK_THAT(all, EndsWith("could not be written here)\nroom again\n"));
    std::size_t written = 0;
    std::size_t told = 0;
    std::istringstream lines{all};
    for (std::string one; std::getline(lines, one);) {
        if (one == line) ++written;
        if (one.starts_with("(")) told += std::stoul(one.substr(1));
    }
    CHECK(written + told == said);
    CHECK(::fcntl(ends.write.get(), F_GETFL) == flags);
}

// Goal: the bound holds however many write to one pipe, since each may be the one that finds the last place taken.
// Method: threads, each with the view of a process of its own, as say() opens the pipe for each text.
TEST_CASE("lines of many who write to one pipe at once are whole", "[say]") {
    say_all_earlier();
    const Ends ends = small_pipe();
    std::string read;
    {
        const StderrIs is{ends.write.get()};
        std::vector<std::thread> writers;
        for (int number = 0; number < 4; ++number)
            writers.emplace_back([number] {
                for (int count = 0; count < 50; ++count) say(std::string(700, static_cast<char>('a' + number)) + "\n");
            });
        std::thread reader{[&] {
            char bytes[512];
            while (read.find("end\n") == std::string::npos) {
                const ssize_t size = ::read(ends.read.get(), bytes, sizeof bytes);
                if (size <= 0) break;
                read.append(bytes, static_cast<std::size_t>(size));
            }
        }};
        for (std::thread& writer : writers) writer.join();
        while (baton::detail::unsaid() > 0) say("again\n");
        say("end\n");
        reader.join();
    }
    std::size_t start = 0;
    for (std::size_t end = read.find('\n'); end != std::string::npos; start = end + 1, end = read.find('\n', start)) {
        const std::string line = read.substr(start, end - start);
        const bool is_note = line.starts_with("(") || line == "again" || line == "end";
        CHECK((is_note || line == std::string(700, line.front())));
    }
}

TEST_CASE("a text that is longer than a pipe keeps whole arrives whole where it is read", "[say]") {
    say_all_earlier();
    const Ends ends = small_pipe();
    const std::string text = std::string(50'000, 'x') + "\n";
    std::string read;
    {
        const StderrIs is{ends.write.get()};
        std::thread reader{[&] {
            char bytes[4096];
            while (read.size() < text.size()) {
                const ssize_t size = ::read(ends.read.get(), bytes, sizeof bytes);
                if (size <= 0) break;
                read.append(bytes, static_cast<std::size_t>(size));
            }
        }};
        say(text);
        reader.join();
    }
    CHECK(read == text);
}

TEST_CASE("held signals are an errno for this thread, and what was pending before stays", "[say]") {
    struct sigaction before {};
    struct sigaction action {};
    static volatile std::sig_atomic_t came = 0;
    came = 0;
    action.sa_handler = [](int) { came = came + 1; };
    REQUIRE(::sigaction(SIGPIPE, &action, &before) == 0);
    const UniqueFd without_reader = std::move(small_pipe().write);
    {
        const baton::detail::HeldSignals held;
        CHECK(::write(without_reader.get(), "x", 1) < 0);
        CHECK(errno == EPIPE);
    }
    CHECK(came == 0);
    sigset_t pipe_alone;
    sigset_t mask_before;
    sigemptyset(&pipe_alone);
    sigaddset(&pipe_alone, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_alone, &mask_before);
    ::raise(SIGPIPE);
    { const baton::detail::HeldSignals held; }
    ::pthread_sigmask(SIG_SETMASK, &mask_before, nullptr);
    CHECK(came == 1);
    ::sigaction(SIGPIPE, &before, nullptr);
}
