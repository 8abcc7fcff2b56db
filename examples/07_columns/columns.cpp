// Columns: a CSV file of any size, read by several actors into typed columns in shared memory.
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <set>

#include "actors/column_reader/npy.hpp"
#include "examples/07_columns/collector.hpp"
#include "examples/07_columns/report.hpp"
#include <baton/time.hpp>
#include <baton/command_line.hpp>

namespace {

using namespace column_reader;

// Of sysexits.h.
constexpr int exit_data = 65;
constexpr int exit_no_input = 66;
constexpr int exit_cannot_create = 73;

constexpr std::size_t bad_rows_told_max = 5;

struct Options {
    std::string path;
    std::size_t readers = 0;  // as many as there are processors, and fewer for a small file
    std::string delimiter = ",";
    bool has_no_header = false;
    std::string npy_folder;
    bool is_json = false;
    bool has_checksum = false;
};

baton::Result<char> delimiter_of(const std::string& text) {
    if (text == "tab") return '\t';
    if (text.size() != 1)
        return baton::Error{baton::ErrorKind::refused, "a delimiter is one character, or \"tab\""};
    if (const auto fine = is_delimiter(text[0]); !fine) return fine.error();
    return text[0];
}

std::span<const std::byte> bytes_of(const baton::Segment& segment) {
    return segment ? segment.bytes() : std::span<const std::byte>{};
}

baton::Result<void> write_column(const std::string& path, const Column& column) {
    const std::array<std::span<const std::byte>, 1> slots{bytes_of(column.slots)};
    if (column.kind != Kind::text) {
        const NpyElement element = column.kind == Kind::integer ? NpyElement::int64 : NpyElement::float64;
        return write_npy(path + ".npy", element, slots);
    }
    std::vector<std::span<const std::byte>> texts;
    for (const baton::Segment& text : column.texts) texts.push_back(text.bytes());
    return write_npy(path + ".offsets.npy", NpyElement::uint64, slots).and_then([&] {
        return write_npy(path + ".bytes.npy", NpyElement::uint8, texts);
    });
}

baton::Result<void> write_columns(const std::string& folder, const Table& table) {
    std::filesystem::create_directories(folder);
    std::set<std::string> used;
    for (const Column& column : table.columns) {
        const std::string wanted = file_name_of(column.name);
        std::string name = wanted;
        for (int number = 2; !used.insert(name).second; ++number) name = fmt::format("{}_{}", wanted, number);
        const std::string path = (std::filesystem::path{folder} / name).string();
        if (auto written = write_column(path, column); !written) return written;
    }
    return {};
}

void warn_of_bad_rows(const Table& table) {
    if (table.bad_rows == 0) return;
    std::fputs(
        fmt::format("columns: {} row{} left out:\n", table.bad_rows, table.bad_rows == 1 ? " is" : "s are").c_str(),
        stderr);
    for (std::size_t i = 0; i < std::min(table.first_bad_rows.size(), bad_rows_told_max); ++i)
        std::fputs(fmt::format("  line {}: {}\n", table.first_bad_rows[i].line, table.first_bad_rows[i].reason).c_str(),
                   stderr);
    if (table.bad_rows > bad_rows_told_max) std::fputs("  ...\n", stderr);
}

// Returns the exit code.
int play(baton::Scenario& scenario, const Options& options, const TextFile& file, const Header& header, char delimiter,
         baton::Instant begin) {
    const Source source{file.path(), file.version(), delimiter};
    Collector collector{scenario, source, options.readers};
    Table table;
    try {
        table = collector.read(file, header);
    } catch (const baton::ErrorException& failure) {
        if (failure.kind() != baton::ErrorKind::refused) throw;
        std::fputs(fmt::format("columns: {}\n", failure.error().text).c_str(), stderr);
        return exit_data;
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    warn_of_bad_rows(table);
    Run run{options.path, collector.readers(), collector.replaced(), seconds.count(), {}};
    if (options.has_checksum) run.checksum = checksum_of(table);
    fmt::print("{}", options.is_json ? json_of(table, run) + '\n' : text_of(table, run));
    if (options.npy_folder.empty()) return 0;
    std::string trouble;
    try {
        if (const auto written = write_columns(options.npy_folder, table); !written) trouble = to_text(written.error());
    } catch (const std::exception& exception) {  // of the folder
        trouble = exception.what();
    }
    if (trouble.empty()) return 0;
    std::fputs(fmt::format("columns: {}\n", trouble).c_str(), stderr);
    return exit_cannot_create;
}

}  // namespace

int main(int argc, char** argv) {
    const baton::Instant begin = std::chrono::steady_clock::now();
    CLI::App app{"Reads a CSV file into typed columns with several actors at once and shows what is in them."};
    Options options;
    app.add_option("file", options.path, "a CSV file of any size, in UTF-8")->required();
    app.add_option("--readers", options.readers,
                   "how many actors read (default: one a processor, fewer for a small file)")
        ->check(CLI::Range(1, 256));
    app.add_option("--delimiter", options.delimiter, "what stands between two fields, or \"tab\"")
        ->capture_default_str();
    app.add_flag("--no-header", options.has_no_header, "the first row holds values, not names");
    app.add_option("--npy", options.npy_folder, "a folder for the columns as .npy files, which NumPy reads");
    app.add_flag("--json", options.is_json, "for programs, in one line");
    app.add_flag("--checksum", options.has_checksum, "of all cells, to compare programs by");
    app.footer(
        "Examples:\n"
        "  make_csv data.csv                  # makes a file to read\n"
        "  columns data.csv --npy columns/");
    if (const std::optional<int> code = baton::program::read_command_line(app, argc, argv, "columns")) return *code;

    const baton::Result<char> delimiter = delimiter_of(options.delimiter);
    if (!delimiter) {
        std::fputs(fmt::format("columns: --delimiter: {}\n", delimiter.error().text).c_str(), stderr);
        return baton::program::exit_usage;
    }
    // A file that can't be read is said before anything is started. The actors may stand elsewhere.
    auto file = TextFile::open(std::filesystem::absolute(options.path).string());
    if (!file) {
        std::fputs(fmt::format("columns: {}\n", file.error().text).c_str(), stderr);
        return exit_no_input;
    }
    const auto header =
        read_header(*file, *delimiter, options.has_no_header ? FirstRow::values : FirstRow::names);
    if (!header) {
        std::fputs(fmt::format("columns: {}\n", header.error().text).c_str(), stderr);
        return exit_data;
    }
    int code = 0;
    const int session_code = baton::run_scenario(
        1, argv, [&](baton::Scenario& scenario) { code = play(scenario, options, *file, *header, *delimiter, begin); });
    return session_code != 0 ? session_code : code;
}
