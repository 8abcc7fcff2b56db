// raw_pipe: the least that the kernel takes for what Baton does: bytes through pipes between two processes.
//
//   raw_pipe round-trip --count N [--pause-ms N] [--cpus any|one|two]   64 bytes there and back, one at a time
//   raw_pipe one-way    --count N [--block-bytes N]    one write a message, of 64 bytes or of N; each is added up
//
// Nothing is encoded: a message is its doubles. The result is one line of JSON. Knows nothing of Baton.

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "bench/placement.hpp"
#include "bench/touch.hpp"
#include "bench/usage.hpp"

namespace {

constexpr std::size_t sample_bytes = 64;
constexpr std::size_t warm_up_count_max = 10'000;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

struct Pipe {
    std::array<int, 2> ends{-1, -1};  // to read, to write
    Pipe() {
        if (::pipe(ends.data()) != 0) fail("pipe");
    }
    void write(const void* bytes, std::size_t size) const {
        const auto* next = static_cast<const char*>(bytes);
        for (std::size_t done = 0; done < size;) {
            const ssize_t some = ::write(ends[1], next + done, size - done);
            if (some < 0) fail("write");
            done += static_cast<std::size_t>(some);
        }
    }
    void read(void* bytes, std::size_t size) const {
        auto* next = static_cast<char*>(bytes);
        for (std::size_t done = 0; done < size;) {
            const ssize_t some = ::read(ends[0], next + done, size - done);
            if (some <= 0) fail("read");
            done += static_cast<std::size_t>(some);
        }
    }
};

// The other process; it runs `work` and does not outlive this one.
template <class Work>
pid_t start(const Work& work) {
    const pid_t child = ::fork();
    if (child < 0) fail("fork");
    if (child != 0) return child;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    work();
    std::_Exit(0);
}

void finish(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    if (status != 0) throw std::runtime_error("a child failed");
}

void round_trip(std::size_t count, std::chrono::milliseconds pause, bench::Cpus cpus) {
    const Pipe there;
    const Pipe back;
    const std::size_t warm_up_count = std::min(count, warm_up_count_max);
    std::array<char, sample_bytes> message{};
    const pid_t child = start([&] {
        for (std::size_t i = 0; i < warm_up_count + count; ++i) {
            there.read(message.data(), message.size());
            back.write(message.data(), message.size());
        }
    });
    bench::place(cpus, child);
    std::vector<double> microseconds;
    for (std::size_t i = 0; i < warm_up_count + count; ++i) {
        if (i >= warm_up_count && pause.count() > 0) std::this_thread::sleep_for(pause);
        const std::int64_t began = bench::nanoseconds_now();
        there.write(message.data(), message.size());
        back.read(message.data(), message.size());
        if (i >= warm_up_count) microseconds.push_back(bench::microseconds_since(began));
    }
    finish(child);
    bench::print_microseconds(std::move(microseconds));
}

// The receiver reads as much as there is.
double sum_of_messages(const Pipe& pipe, std::size_t count, std::size_t size) {
    std::vector<char> held(std::max<std::size_t>(std::size_t{64} << 10, size));
    std::size_t filled = 0;
    double sum = 0;
    for (std::size_t taken = 0; taken < count;) {
        const ssize_t some = ::read(pipe.ends[0], held.data() + filled, held.size() - filled);
        if (some <= 0) fail("read");
        filled += static_cast<std::size_t>(some);
        std::size_t start = 0;
        for (; filled - start >= size && taken < count; start += size, ++taken) {
            double first = 0;
            std::memcpy(&first, held.data() + start, sizeof first);
            sum += first;
        }
        filled -= start;
        std::memmove(held.data(), held.data() + start, filled);
    }
    return sum;
}

void one_way(std::size_t count, std::size_t size) {
    const Pipe there;
    const Pipe back;
    const std::size_t warm_up_count = std::min(count, warm_up_count_max);
    const pid_t child = start([&] {
        for (const std::size_t messages : {warm_up_count, count}) {
            const double sum = sum_of_messages(there, messages, size);
            back.write(&sum, sizeof sum);
        }
        char goodbye = 0;
        there.read(&goodbye, sizeof goodbye);  // until its usage has been read
    });
    std::vector<char> message(size, 7);
    const auto send_all = [&](std::size_t messages) {
        double expected = 0;
        for (std::size_t i = 0; i < messages; ++i) {
            const auto first = static_cast<double>(i % 1000);
            std::memcpy(message.data(), &first, sizeof first);
            there.write(message.data(), message.size());
            expected += first;
        }
        double sum = 0;
        back.read(&sum, sizeof sum);
        if (sum != expected) throw std::runtime_error("a wrong sum came back");
    };
    send_all(warm_up_count);
    const std::vector<pid_t> both{::getpid(), child};
    const bench::Usage before = bench::usage_of(both);
    const std::int64_t began = bench::nanoseconds_now();
    send_all(count);
    const double seconds = bench::microseconds_since(began) * 1e-6;
    bench::print_one_way(static_cast<double>(count), seconds, before, bench::usage_of(both));
    there.write(message.data(), 1);
    finish(child);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"The same bytes through pipes, as one line of JSON."};
    std::string mode;
    std::size_t count = 20'000;
    std::size_t block_bytes = sample_bytes;
    std::int64_t pause_ms = 0;
    bench::Cpus cpus = bench::Cpus::any;
    app.add_option("mode", mode, "what to measure")->required()->check(CLI::IsMember({"round-trip", "one-way"}));
    app.add_option("--count", count, "round trips or messages")->check(CLI::Range(1, 100'000'000));
    app.add_option("--block-bytes", block_bytes, "one-way: bytes per message")->check(CLI::Range(8, 1'000'000));
    app.add_option("--pause-ms", pause_ms, "round-trip: quiet time before each")->check(CLI::Range(0, 1000));
    app.add_option("--cpus", cpus, "round-trip: on which processors the two run")
        ->transform(CLI::CheckedTransformer(bench::cpus_by_name()));
    CLI11_PARSE(app, argc, argv);
    try {
        if (mode == "round-trip") round_trip(count, std::chrono::milliseconds{pause_ms}, cpus);
        else one_way(count, block_bytes);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "raw_pipe: %s\n", error.what());
        return 1;
    }
}
