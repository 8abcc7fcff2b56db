// A worker of a pool with functions that do what tests need: compute, fail, wait, die, and handle segments.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <numeric>
#include <stdexcept>

#include <baton/pool.hpp>
#include <baton/worker.hpp>
#include <baton/actor.hpp>

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

// One more byte in that file.
std::int64_t append_to(const std::string& file) {
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    const auto written = ::write(fd, "x", 1);
    ::close(fd);
    return written;
}

// One more byte in the file, and then what the other two do; without a file, nothing but a failure.
std::int64_t append_and(const std::string& file, const std::string& fifo, const std::string& letters) {
    if (file.empty()) throw std::invalid_argument("no file");
    append_to(file);
    wait_for(fifo);
    return die_while(0, letters);
}

// A worker that has workers of its own; one of them dies on the way. Returns the worker that ran the last task.
baton::Result<std::string> delegate(baton::Context& context, std::int64_t count, const std::string& letters) {
    baton::pool::Pool pool{context,
                           {.program = "pool_worker", .workers = 2, .name = "helper", .shows_progress = false}};
    std::vector<std::tuple<std::int64_t, std::string>> rows;
    for (std::int64_t x = 0; x < count; ++x) rows.emplace_back(x, letters);
    const auto outcomes = pool.starmap<std::int64_t>("die_while", rows);
    if (!outcomes) return outcomes.error();
    std::int64_t sum = 0;
    for (const auto& one : *outcomes) sum += one.value();
    return std::to_string(sum) + " by " + (*outcomes)[outcomes->size() - 1].worker();
}

// Busy for that time.
std::int64_t spin(std::int64_t milliseconds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds{milliseconds};
    while (std::chrono::steady_clock::now() < end) {
    }
    return milliseconds;
}

// Speaks as workers do, and lies: its first argument says how.
namespace detail = baton::detail::pool;

class Liar {
public:
    explicit Liar(baton::Context& context) : lie_(context.arguments()[0]) {}

    detail::Described on(const detail::Describe&) {
        detail::Signature square{"square", {{"x", {"int64", "", 0, {}}}}, {"int64", "", 0, {}}};
        if (lie_ == "description") square.result = {"list", "", 0, {}};
        return {"liar", {square}};
    }
    detail::Done on(detail::Run) {
        detail::Done done;
        done.moments.resize(lie_ == "count" ? 4000 : lie_ == "half" ? 3 : lie_ == "nothing" ? 0 : 4);
        if (lie_ == "failures") done.failures = {{7, {}}};
        if (lie_ == "results")
            done.results = {std::byte{0xdd}, std::byte{0xff}, std::byte{0xff}, std::byte{0xff}, std::byte{0xff}};
        if (lie_ == "type") done.results = {std::byte{0x91}, std::byte{0xc3}};  // [true]
        return done;
    }

private:
    std::string lie_;
};

// An actor that serves others while its pool works for it.
struct AddSquares {
    std::vector<std::int64_t> numbers;
    std::string fifo;  // nothing is answered before it is opened for writing
    using Reply = std::int64_t;
};
struct Busy {
    using Reply = std::uint64_t;  // how many answers it owes
};
using SumsProtocol = baton::Protocol<AddSquares, Busy>;

class Sums {
public:
    explicit Sums(baton::Context& context)
        : pool_(context, {.program = "pool_worker", .workers = 2, .name = "helper", .shows_progress = false}) {}

    void on(const AddSquares& command, baton::Answer<std::int64_t> answer) {
        const auto owed = std::make_shared<baton::Answer<std::int64_t>>(std::move(answer));
        const auto fail = [owed](const baton::Error& error) { owed->fail(error); };
        auto squares = pool_.map_async<std::int64_t>("square", command.numbers);
        if (!squares) return fail(squares.error());
        auto gate = pool_.submit<std::string>("wait_for", command.fifo);
        if (!gate) return fail(gate.error());
        ++owed_;
        squares->then([this, owed, gate = std::make_shared<Gate>(std::move(*gate))](const Squares& all) {
            const auto numbers = all.values();
            if (!numbers) return owed->fail(numbers.error());
            const std::int64_t sum = std::accumulate(numbers->begin(), numbers->end(), std::int64_t{0});
            gate->then([this, owed, sum](const baton::pool::Outcome<std::string>& released) {
                --owed_;
                if (released.ok()) owed->reply(sum);
                else owed->fail(released.error());
            });
        });
    }
    std::uint64_t on(const Busy&) { return owed_; }

private:
    using Gate = baton::pool::Task<std::string, baton::Context>;
    using Squares = baton::pool::Outcomes<std::int64_t, baton::Context>;
    baton::pool::Pool<baton::Context> pool_;
    std::uint64_t owed_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1 && std::string_view(argv[1]) == "sums") return baton::run_actor<Sums, SumsProtocol>(argc, argv);
    if (argc > 1 && std::string_view(argv[1]) != "twice")
        return baton::run_actor<Liar, baton::detail::pool::Protocol>(argc, argv);
    baton::pool::Worker worker;
    worker.task("square", square);
    worker.task("power", power, {"base", "exponent"});
    worker.task("answer", [] { return std::int64_t{42}; });
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
    worker.task("delegate", delegate);
    worker.task("append_to", append_to);
    worker.task("append_and", append_and);
    worker.task("spin", spin);
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
    worker.task("sum_and_wait", [](const baton::Lease& numbers, const std::string& begun, const std::string& fifo) {
        append_to(begun);
        wait_for(fifo);
        return numbers.as<std::int64_t>()[0];
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
