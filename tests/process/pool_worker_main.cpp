// A worker of a pool with functions that do what tests need: compute, fail, wait, die, and handle segments.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <numeric>
#include <stdexcept>

#include "actors/pool/worker.hpp"

namespace {

struct Point {
    double x = 0;
    double y = 0;
};

[[noreturn]] void die() {
    ::kill(::getpid(), SIGKILL);
    for (;;) ::pause();
}

std::int64_t square(std::int64_t x) { return x * x; }

std::int64_t power(std::int64_t base, std::uint8_t exponent) {
    std::int64_t product = 1;
    for (int factor = 0; factor < exponent; ++factor) product *= base;
    return product;
}

std::int64_t all_but(std::int64_t x, std::int64_t bad) {
    if (x == bad) throw std::out_of_range("no " + std::to_string(x));
    return x;
}

// Blocks until that fifo is opened for writing.
std::string wait_for(const std::string& fifo) {
    const int fd = ::open(fifo.c_str(), O_RDONLY);
    ::close(fd);
    return "released";
}

// Dies by SIGKILL as long as it can take a letter from that file, so that a later attempt lives.
std::int64_t die_while(std::int64_t x, const std::string& letters) {
    const int fd = ::open(letters.c_str(), O_RDWR);
    const off_t size = ::lseek(fd, 0, SEEK_END);
    if (size > 0 && ::ftruncate(fd, size - 1) == 0) die();
    ::close(fd);
    return x;
}

}  // namespace

int main(int argc, char** argv) {
    baton::pool::Worker worker;
    worker.task("square", square);
    worker.task("power", power, {"base", "exponent"});
    worker.task("all_but", all_but, {"x", "bad"});
    worker.task("wait_for", wait_for);
    worker.task("die_while", die_while);
    worker.task("die_at", [](std::int64_t x, std::int64_t bad) { return x == bad ? die(), x : x; });
    worker.task("exit_with", [](std::int32_t code) { ::_exit(code); });
    worker.task("pid", [](std::int64_t) { return std::int64_t{::getpid()}; });
    worker.task("nothing", [](const std::string&) {});
    worker.task("refuse", [](std::int64_t x) -> baton::Result<std::int64_t> {
        if (x < 0) return baton::Error{baton::ErrorKind::refused, "below nothing"};
        return x;
    });
    worker.task("norm", [](const Point& point) { return point.x * point.x + point.y * point.y; });
    worker.task("long_text", [](std::uint64_t bytes) { return std::string(bytes, 'x'); });
    worker.task("text_bytes", [](const std::string& text) { return std::uint64_t{text.size()}; });
    worker.task("sum", [](const baton::Lease& numbers) {
        const auto all = numbers.as<std::int64_t>();
        return std::accumulate(all.begin(), all.end(), std::int64_t{0});
    });
    worker.task("sum_or_die", [](const baton::Lease& numbers, const std::string& letters) {
        return die_while(numbers.as<std::int64_t>()[0], letters);
    });
    worker.task("set", [](baton::Slice& part, std::int64_t value) {
        for (std::int64_t& one : part.as<std::int64_t>()) one = value;
    });
    worker.task("use_up", [](baton::Segment numbers) { return std::uint64_t{numbers.size_bytes()}; });
    worker.task("use_up_and_die", [](baton::Segment) { die(); });
    worker.task("range", [](baton::Context& context, std::uint64_t count) {
        baton::Segment numbers = context.create_array<std::int64_t>({count}).value();
        const auto all = numbers.as<std::int64_t>();
        std::iota(all.begin(), all.end(), 0);
        return numbers;
    });
    if (argc > 1 && std::string_view(argv[1]) == "twice") worker.task("square", square);
    return worker.run(argc, argv);
}
