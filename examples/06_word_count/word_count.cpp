// Word count: a text file of any size, cut at word ends, counted by N actors, and the words that come most.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <thread>

#include "actors/word_counter/word_table.hpp"
#include "examples/06_word_count/merged_pages.hpp"
#include <baton/command_line.hpp>
#include <baton/progress.hpp>
#include <baton/scenario.hpp>
#include <baton/json.hpp>

namespace {

using namespace word_counter;
using Counter = baton::Ref<Protocol>;

struct Options {
    std::string path;
    std::size_t counters = std::max(1U, std::thread::hardware_concurrency());
    std::size_t top = 10;
    bool is_json = false;
};

// What `--json` prints.
struct Summary {
    std::string path;
    Totals totals;
    std::uint64_t distinct_words = 0;
    std::vector<Entry> top;
};

// Pieces small enough to spread evenly and to show progress, large enough that asking costs nothing.
constexpr std::uint64_t piece_bytes_max = std::uint64_t{8} << 20;
constexpr baton::Duration piece_timeout = std::chrono::minutes{10};

std::vector<baton::SpawnOptions> programs(std::size_t count) {
    std::vector<baton::SpawnOptions> out;
    for (std::size_t number = 1; number <= count; ++number)
        out.push_back({"word_counter", fmt::format("counter-{}", number)});
    return out;
}

// Each counter has one piece in hand, and gets the next one when it is done.
Totals count_all(baton::Scenario& scenario, const std::vector<Counter>& counters, const std::string& path,
                 const std::vector<Range>& pieces) {
    baton::Progress progress{"counting", pieces.size(), "pieces"};
    Totals totals;
    std::size_t given = 0;
    std::size_t done = 0;
    const auto give = [&](const Counter& counter) {
        const Range piece = pieces[given++];
        return scenario.request(counter, CountRange{path, piece.begin, piece.end});
    };
    std::deque<std::pair<Counter, baton::Pending<Totals>>> working;
    for (const Counter& counter : counters)
        if (given < pieces.size()) working.emplace_back(counter, give(counter));
    while (!working.empty()) {
        // The first that is ready, else the one that has worked longest.
        const auto ready = std::ranges::find_if(working, [](auto& one) { return one.second.ready(); });
        auto [counter, pending] = std::move(ready == working.end() ? working.front() : *ready);
        working.erase(ready == working.end() ? working.begin() : ready);
        totals += pending.get(piece_timeout).value();
        progress.reach(++done);
        if (given < pieces.size()) working.emplace_back(counter, give(counter));
    }
    return totals;
}

Summary summarise(baton::Scenario& scenario, const std::vector<Counter>& counters, const Options& options,
                  Totals totals) {
    Summary summary{options.path, totals, 0, {}};
    const auto comes_more = [](const Entry& a, const Entry& b) {
        return a.count != b.count ? a.count > b.count : a.word < b.word;
    };
    MergedPages words{scenario, counters};
    while (std::optional<Entry> entry = words.next()) {
        ++summary.distinct_words;
        const auto place = std::ranges::upper_bound(summary.top, *entry, comes_more);
        summary.top.insert(place, std::move(*entry));
        if (summary.top.size() > options.top) summary.top.pop_back();
    }
    return summary;
}

void print(const Summary& summary) {
    fmt::print("{} lines, {} words, {} bytes, {} different words in {}\n\n", summary.totals.lines, summary.totals.words,
               summary.totals.bytes, summary.distinct_words, summary.path);
    const std::uint64_t most = summary.top.empty() ? 1 : summary.top.front().count;
    for (const Entry& entry : summary.top) {
        std::string bar;
        for (std::uint64_t cell = 0; cell < 30 * entry.count / most; ++cell) bar += "▪";
        fmt::print("{:>12}  {:<16} {}\n", entry.count, entry.word, bar);
    }
}

void play(baton::Scenario& scenario, const Options& options) {
    const std::uint64_t size = std::filesystem::file_size(options.path);
    const std::uint64_t piece = std::clamp<std::uint64_t>(size / options.counters + 1, 1, piece_bytes_max);
    const std::vector<Range> pieces = cut_into_ranges(options.path, piece).value();
    const std::vector<Counter> counters =
        scenario.spawn_all<Protocol>(programs(std::clamp<std::size_t>(pieces.size(), 1, options.counters)));
    const Summary summary =
        summarise(scenario, counters, options, count_all(scenario, counters, options.path, pieces));
    if (options.is_json) {
        fmt::print("{}\n", baton::to_json(summary, baton::JsonLayout::indented));
    } else {
        print(summary);
    }
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Counts the words of a text file with several actors at once and shows those that come most."};
    Options options;
    app.add_option("file", options.path, "a text file of any size")->required();
    app.add_option("--counters", options.counters, "how many actors count")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    app.add_option("--top", options.top, "how many words to show")->check(CLI::Range(1, 10'000))->capture_default_str();
    app.add_flag("--json", options.is_json, "for programs");
    app.footer("Example:\n  word_count /usr/share/common-licenses/GPL-3");
    if (const std::optional<int> code = baton::program::read_command_line(app, argc, argv, "word_count")) return *code;

    // A file that can't be counted is said before anything is started.
    constexpr int exit_no_input = 66;  // EX_NOINPUT of sysexits.h
    const auto readable = cut_into_ranges(options.path, piece_bytes_max);
    std::string trouble;
    if (!readable) trouble = readable.error().text;
    if (readable && readable->empty()) trouble = fmt::format("{} is empty: there is nothing to count", options.path);
    if (!trouble.empty()) {
        std::fputs(fmt::format("word_count: {}\n", trouble).c_str(), stderr);
        return exit_no_input;
    }
    options.path = std::filesystem::absolute(options.path).string();  // the actors may stand elsewhere
    return baton::run_scenario(1, argv, [&](baton::Scenario& scenario) { play(scenario, options); });
}
