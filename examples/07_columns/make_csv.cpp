// Writes a CSV file of any size, the same bytes for the same options on every machine.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include <baton/unique_fd.hpp>
#include <baton/command_line.hpp>
#include <baton/progress.hpp>

namespace {

struct Options {
    std::string path;
    std::uint64_t rows = 1'000'000;
    std::uint64_t seed = 1;
    unsigned integers = 3;
    unsigned reals = 4;
    unsigned texts = 2;
    unsigned missing_percent = 2;
    bool has_newlines = false;
};

// SplitMix64: every number of it is a good one, whatever the seed.
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    std::uint64_t below(std::uint64_t end) {
        return static_cast<std::uint64_t>((static_cast<Wide>(next()) * end) >> 64);
    }

private:
    __extension__ using Wide = unsigned __int128;
    std::uint64_t state_;
};

constexpr std::array<std::uint64_t, 17> powers_of_ten = [] {
    std::array<std::uint64_t, 17> powers{1};
    for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = 10 * powers[i - 1];
    return powers;
}();

constexpr std::array<std::string_view, 24> words{"amber",   "bridge",  "copper",   "drizzle", "ember",   "fjord",
                                                 "granite", "harbour", "island",   "juniper", "kestrel", "lantern",
                                                 "meadow",  "nettle",  "orchard",  "pebble",  "quarry",  "river",
                                                 "saffron", "timber",  "umbrella", "velvet",  "willow",  "caf\u00e9"};

class Writer {
public:
    Writer(const Options& options, int fd) : options_(options), random_(options.seed), fd_(fd) {
        buffer_.reserve(2 * buffer_bytes);
    }

    // Returns 0 or the error number.
    int write_all() {
        header();
        baton::Progress progress{"writing", options_.rows, "rows"};
        for (std::uint64_t row = 0; row < options_.rows; ++row) {
            this->row(row);
            if (buffer_.size() < buffer_bytes) continue;
            if (const int failed = flush(); failed != 0) return failed;
            progress.reach(row + 1);
        }
        progress.reach(options_.rows);
        return flush();
    }
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

private:
    static constexpr std::size_t buffer_bytes = std::size_t{1} << 20;

    void header() {
        std::string names = "id";
        for (unsigned i = 1; i <= options_.integers; ++i) names += fmt::format(",integer_{}", i);
        for (unsigned i = 1; i <= options_.reals; ++i) names += fmt::format(",real_{}", i);
        for (unsigned i = 1; i <= options_.texts; ++i) names += fmt::format(",text_{}", i);
        buffer_ += names + '\n';
    }

    void row(std::uint64_t number) {
        digits(number);
        for (unsigned i = 0; i < options_.integers; ++i) cell([&] { integer(i); });
        for (unsigned i = 0; i < options_.reals; ++i) cell([&] { real(i); });
        for (unsigned i = 0; i < options_.texts; ++i) cell([&] { text(i); });
        buffer_ += '\n';
    }

    template <class Write>
    void cell(Write write) {
        buffer_ += ',';
        if (random_.below(100) >= options_.missing_percent) write();
    }

    // Columns of 3, 6, 9, 12 digits at most, in turn; some are negative.
    void integer(unsigned column) {
        if (random_.below(4) == 0) buffer_ += '-';
        digits(1 + random_.below(powers_of_ten[3 + 3 * (column % 4)] - 1));
    }

    // Prices, coordinates, measurements with an exponent and probabilities with all their digits, in turn.
    void real(unsigned column) {
        switch (column % 4) {
            case 0: decimal(random_.below(100'000), 2); break;
            case 1: decimal(random_.below(180), 6); break;
            case 2:
                decimal(1 + random_.below(9), 4);
                buffer_ += random_.below(2) == 0 ? "e+" : "e-";
                digits(random_.below(30));
                break;
            default: decimal(0, 16); break;
        }
    }

    void decimal(std::uint64_t whole, std::size_t places) {
        digits(whole);
        buffer_ += '.';
        // A leading one keeps the zeros of the fraction, and the point takes its place.
        const std::size_t point = buffer_.size() - 1;
        buffer_.pop_back();
        digits(powers_of_ten[places] + random_.below(powers_of_ten[places]));
        buffer_[point] = '.';
    }

    // Sentences in quotes, and codes without, in turn.
    void text(unsigned column) {
        if (column % 2 == 1) {
            buffer_ += words[random_.below(words.size())];
            digits(random_.below(100));
            return;
        }
        buffer_ += '"';
        const std::uint64_t count = 1 + random_.below(6);
        for (std::uint64_t i = 0; i < count; ++i) {
            if (i > 0) buffer_ += random_.below(8) == 0 ? ", " : " ";
            if (i > 0 && options_.has_newlines && random_.below(16) == 0) buffer_ += '\n';
            const bool is_quoted = random_.below(64) == 0;
            if (is_quoted) buffer_ += "\"\"";
            buffer_ += words[random_.below(words.size())];
            if (is_quoted) buffer_ += "\"\"";
        }
        buffer_ += '"';
    }

    void digits(std::uint64_t number) {
        std::array<char, 20> text;
        const auto written = std::to_chars(text.data(), text.data() + text.size(), number);
        buffer_.append(text.data(), static_cast<std::size_t>(written.ptr - text.data()));
    }

    int flush() {
        for (std::string_view rest = buffer_; !rest.empty();) {
            const ssize_t written = ::write(fd_, rest.data(), rest.size());
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) return errno;
            rest.remove_prefix(static_cast<std::size_t>(written));
            bytes_ += static_cast<std::uint64_t>(written);
        }
        buffer_.clear();
        return 0;
    }

    Options options_;
    Random random_;
    int fd_;
    std::string buffer_;
    std::uint64_t bytes_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Writes a CSV file of any size, the same bytes for the same options."};
    Options options;
    app.add_option("file", options.path, "the file to write; it is overwritten")->required();
    app.add_option("--rows", options.rows, "how many rows")->check(CLI::Range(0ULL, 1ULL << 40))->capture_default_str();
    app.add_option("--seed", options.seed, "where the random numbers begin")->capture_default_str();
    app.add_option("--integers", options.integers, "columns of integers, beside the id")
        ->check(CLI::Range(0, 1000))
        ->capture_default_str();
    app.add_option("--reals", options.reals, "columns of real numbers")
        ->check(CLI::Range(0, 1000))
        ->capture_default_str();
    app.add_option("--texts", options.texts, "columns of text, every other one in quotes")
        ->check(CLI::Range(0, 1000))
        ->capture_default_str();
    app.add_option("--missing", options.missing_percent, "how many of 100 cells are empty")
        ->check(CLI::Range(0, 100))
        ->capture_default_str();
    app.add_flag("--newlines", options.has_newlines, "some of the texts in quotes hold newlines");
    app.footer("Example, about 1 GB:\n  make_csv /tmp/large.csv --rows 9000000");
    if (const std::optional<int> code = baton::program::read_command_line(app, argc, argv, "make_csv")) return *code;

    baton::UniqueFd fd{::open(options.path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
    int failed = fd.is_open() ? 0 : errno;
    Writer writer{options, fd.get()};
    if (failed == 0) failed = writer.write_all();
    if (fd.is_open() && ::close(fd.release()) != 0 && failed == 0) failed = errno;
    if (failed != 0) {
        std::fputs(fmt::format("make_csv: cannot write '{}': {}\n", options.path, std::strerror(failed)).c_str(),
                   stderr);
        return 73;  // EX_CANTCREAT of sysexits.h
    }
    fmt::print("{} rows, {} bytes in {}\n", options.rows, writer.bytes(), options.path);
}
