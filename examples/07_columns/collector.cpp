#include "examples/07_columns/collector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <thread>

#include <baton/progress.hpp>

using namespace column_reader;
using baton::Error;
using baton::ErrorKind;
using baton::ErrorException;
using baton::Result;

namespace {

constexpr baton::Duration answer_timeout = std::chrono::hours{1};  // of a step of any size on any disk
constexpr std::uint64_t step_bytes = std::uint64_t{4} << 20;        // of a part, to see how far it is
constexpr std::uint64_t steps_max = 200;
constexpr std::uint64_t part_bytes_min = std::uint64_t{1} << 20;    // below that a reader costs more than it reads
constexpr std::size_t replaced_max = 3;
constexpr std::size_t bad_rows_told_max = 5;

std::size_t default_readers() { return std::max(1U, std::thread::hardware_concurrency()); }

std::string first_lines(std::span<const BadRow> rows) {
    std::string lines;
    for (const BadRow& row : rows.first(std::min(rows.size(), bad_rows_told_max)))
        lines += fmt::format("\n  line {}: {}", row.line, row.reason);
    return lines;
}

}  // namespace

Table Collector::read(const TextFile& file, const Header& header) {
    scenario_->context().on_bounced([](baton::Bounced<TakeSlots>) {});  // slices that come back end here
    survey(file, header);
    if (!readers_.empty()) {
        lend_columns(header.names.size());
        parse();
        settle();
        give();
    }
    return table(header);
}

// Cuts the file into a part for each reader.
void Collector::survey(const TextFile& file, const Header& header) {
    const std::uint64_t bytes = file.end() - header.begin;
    const std::size_t worth_it = static_cast<std::size_t>(bytes / part_bytes_min) + 1;
    const std::size_t count = readers_wanted_ != 0 ? readers_wanted_ : std::min(default_readers(), worth_it);
    std::vector<Stretch> stretches = stretches_of(file, header.begin, count).value();
    std::erase_if(stretches, [](const Stretch& stretch) { return stretch.begin == stretch.end; });
    if (stretches.empty()) return;

    std::vector<baton::SpawnOptions> programs;
    for (std::size_t number = 1; number <= stretches.size(); ++number)
        programs.push_back({"column_reader", fmt::format("reader-{}", number)});
    const auto actors = scenario_->spawn_all<Protocol>(programs);
    for (std::size_t number = 0; number < actors.size(); ++number)
        readers_.push_back({programs[number].name, actors[number], {}, 0, {}, {}, {}});

    std::vector<Survey> surveys(stretches.size());
    ask_everyone(
        Stage::nothing, [&](std::size_t i) { return SurveyStretch{source_, stretches[i]}; },
        [&](std::size_t i, Survey survey) { surveys[i] = survey; });
    const std::vector<Part> parts = parts_of(surveys, header.first_line);
    for (std::size_t i = 0; i < parts.size(); ++i) readers_[i].part = parts[i];
    // A stretch that lies within one row.
    std::erase_if(readers_, [](const Reader& reader) { return reader.part.rows_max == 0; });
}

void Collector::lend_columns(std::size_t columns) {
    std::uint64_t slots = 0;
    for (Reader& reader : readers_) {
        reader.first_slot = slots;
        slots += reader.part.rows_max;
    }
    for (std::size_t column = 0; column < columns; ++column)
        lent_.push_back(scenario_->lend(scenario_->create_array<Slot>({slots + 1})));
}

void Collector::hand_over(Reader& reader) {
    scenario_->send(reader.actor, TakePart{source_, reader.part, lent_.size()});
    for (std::size_t first = 0; first < lent_.size(); first += baton::limits::manifest_handles_max) {
        TakeSlots command;
        const std::size_t end = std::min(first + baton::limits::manifest_handles_max, lent_.size());
        for (std::size_t column = first; column < end; ++column)
            command.slots.push_back(lent_[column].slice(reader.first_slot, reader.part.rows_max).value());
        scenario_->send(reader.actor, std::move(command));
    }
}

// All steps are asked for at once, so that no reader ever waits for this process.
void Collector::parse() {
    const std::uint64_t bytes = std::accumulate(readers_.begin(), readers_.end(), std::uint64_t{0},
        [](std::uint64_t sum, const Reader& reader) { return sum + reader.part.end - reader.part.begin; });
    baton::Progress progress{"reading", bytes >> 20, "MiB"};
    std::vector<std::uint64_t> done(readers_.size());
    std::vector<std::vector<baton::Pending<std::uint64_t>>> steps(readers_.size());
    std::uint64_t rounds = 0;
    for (std::size_t i = 0; i < readers_.size(); ++i) {
        const std::uint64_t part_bytes = readers_[i].part.end - readers_[i].part.begin;
        const std::uint64_t step = std::max(step_bytes, part_bytes / steps_max + 1);
        rounds = std::max(rounds, part_bytes / step + 1);
        try {
            hand_over(readers_[i]);
            for (std::uint64_t begin = 0; begin < part_bytes; begin += step)
                steps[i].push_back(scenario_->request(readers_[i].actor, ParseOn{step}));
        } catch (const ErrorException& failure) {
            if (failure.kind() != ErrorKind::gone) throw;
            steps[i].clear();
        }
    }
    for (std::uint64_t round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < readers_.size(); ++i) {
            if (round >= steps[i].size()) continue;
            const Result<std::uint64_t> position = steps[i][round].get(answer_timeout);
            if (position) done[i] = *position;
            else if (position.error().kind != ErrorKind::gone) throw ErrorException{position.error()};
            progress.reach(std::accumulate(done.begin(), done.end(), std::uint64_t{0}) >> 20);
        }
    }
    // A reader that is gone is noticed here.
    ask_everyone(
        Stage::parsed, [](std::size_t) { return TellFindings{}; },
        [&](std::size_t i, Findings findings) { readers_[i].findings = std::move(findings); });

    std::uint64_t rows = 0;
    std::uint64_t bad_rows = 0;
    std::vector<BadRow> told;
    for (const Reader& reader : readers_) {
        rows += reader.findings.rows;
        bad_rows += reader.findings.bad_rows;
        told.insert(told.end(), reader.findings.first_bad_rows.begin(), reader.findings.first_bad_rows.end());
    }
    if (const auto last =
            std::ranges::find_if(readers_, [](const Reader& one) { return one.findings.unclosed_line != 0; });
        last != readers_.end())
        throw ErrorException{Error{
            ErrorKind::refused,
            fmt::format("'{}', row {}, which begins on line {}: it opens a quote that nothing closes, so the rest of "
                        "the file is one field; close it, or double it where it is meant as a letter",
                        source_.path, rows + bad_rows, last->findings.unclosed_line)}};
    if (bad_rows > rows)
        throw ErrorException{Error{
            ErrorKind::refused,
            fmt::format("'{}': {} of {} rows have another number of fields than the first one, {}; is the "
                        "delimiter '{}'?{}",
                        source_.path, bad_rows, rows + bad_rows, lent_.size(), source_.delimiter, first_lines(told))}};
}

void Collector::settle() {
    kinds_.assign(lent_.size(), Kind::empty);
    for (const Reader& reader : readers_) merge(kinds_, reader.findings.kinds);
    for (Kind& kind : kinds_) kind = final_kind(kind);
    ask_everyone(
        Stage::parsed, [&](std::size_t) { return Settle{kinds_}; },
        [&](std::size_t i, std::vector<std::uint64_t> bytes) { readers_[i].text_bytes = std::move(bytes); });
}

GiveColumns Collector::give_command(const Reader& reader, std::size_t first) const {
    GiveColumns command{first, std::vector<std::uint64_t>(std::min(columns_given_max, kinds_.size() - first))};
    for (const Reader& before : readers_) {
        if (&before == &reader) break;
        for (std::size_t i = 0; i < command.text_begins.size(); ++i)
            command.text_begins[i] += before.text_bytes[first + i];
    }
    return command;
}

void Collector::give() {
    for (std::size_t first = 0; first < kinds_.size(); first += columns_given_max)
        ask_everyone(
            Stage::settled, [&](std::size_t i) { return give_command(readers_[i], first); },
            [&](std::size_t i, std::vector<GivenColumn> given) { readers_[i].given.push_back(std::move(given)); });
}

Table Collector::table(const Header& header) {
    Table table;
    for (Reader& reader : readers_) {
        table.rows += reader.findings.rows;
        table.bad_rows += reader.findings.bad_rows;
        for (BadRow& row : reader.findings.first_bad_rows) table.first_bad_rows.push_back(std::move(row));
    }
    for (std::size_t number = 0; number < header.names.size(); ++number) {
        Column column{header.names[number], Kind::real, {}, {}, {}};
        if (!readers_.empty()) finish(column, number);
        column.statistics.kind = column.kind;
        table.columns.push_back(std::move(column));
    }
    return table;
}

// Takes the column back whole, closes the gaps that bad and blank rows left between the parts, and adds up what the
// readers said of it.
void Collector::finish(Column& column, std::size_t number) {
    column.kind = kinds_[number];
    column.statistics.kind = column.kind;
    column.slots = lent_[number].reclaim().value();
    const std::span<Slot> slots = column.slots.as<Slot>();
    std::uint64_t rows = 0;
    std::uint64_t text_bytes = 0;
    for (Reader& reader : readers_) {
        const std::uint64_t count = reader.findings.rows;
        if (rows != reader.first_slot)
            std::memmove(&slots[rows], &slots[reader.first_slot], count * sizeof(Slot));
        rows += count;
        text_bytes += reader.text_bytes[number];

        GivenColumn& given = reader.given[number / columns_given_max][number % columns_given_max];
        Statistics part{
            column.kind, given.count, given.missing, given.numbers, {given.text_bytes, given.longest_bytes, {}}};
        if (!part.texts.distinct.assign(std::move(given.distinct)))
            throw ErrorException{
                Error{ErrorKind::corrupt, reader.name + " has counted different texts in another way"}};
        column.statistics.add(part);
        if (given.text) column.texts.push_back(std::move(*given.text));
    }
    if (column.kind == Kind::text) slots[rows] = text_bytes;
    const std::uint64_t elements = column.kind == Kind::text ? rows + 1 : rows;
    const std::string type = column.kind == Kind::text ? "<u8" : column.kind == Kind::integer ? "<i8" : "<f8";
    column.slots.reshape({type, {elements}}).value();
}

void Collector::replace(Reader& reader, Stage stage) {
    const Result<baton::Ended> ended = scenario_->context().join(reader.actor, baton::limits::ask_timeout);
    const std::string why = ended ? baton::to_text(ended->exit) : baton::to_text(ended.error());
    if (replaced_ == replaced_max)
        throw ErrorException{
            Error{ErrorKind::gone, fmt::format("{} has ended ({}), and {} others before it; is there memory for "
                                               "all readers?",
                                               reader.name, why, replaced_max)}};
    ++replaced_;
    const std::string name = fmt::format("{}.{}", reader.name.substr(0, reader.name.find('.')), replaced_ + 1);
    std::fputs(fmt::format("columns: {} has ended ({}); {} reads its part again\n", reader.name, why, name).c_str(),
               stderr);
    reader.name = name;
    reader.actor = scenario_->spawn<Protocol>({"column_reader", name});
    if (stage == Stage::nothing) return;

    // What the dead one had comes back with its death; what it had not taken yet comes back as a bounce.
    const auto are_in = [&] {
        return std::ranges::all_of(lent_, [&](baton::Loan& column) {
            return column.slice(reader.first_slot, reader.part.rows_max).ok();
        });
    };
    scenario_->wait_for(are_in, baton::limits::ask_timeout);
    hand_over(reader);
    scenario_->ask(reader.actor, ParseOn{reader.part.end - reader.part.begin}, answer_timeout);
    if (stage == Stage::parsed) return;
    scenario_->ask(reader.actor, Settle{kinds_}, answer_timeout);
    for (std::size_t batch = 0; batch < reader.given.size(); ++batch)
        reader.given[batch] =
            scenario_->ask(reader.actor, give_command(reader, batch * columns_given_max), answer_timeout);
}

template <class Make, class Take>
void Collector::ask_everyone(Stage stage, Make make, Take take) {
    using Command = decltype(make(0));
    using Reply = typename Command::Reply;
    std::vector<Result<baton::Pending<Reply>>> pending;
    for (std::size_t i = 0; i < readers_.size(); ++i)
        pending.push_back(scenario_->context().request(readers_[i].actor, make(i)));
    for (std::size_t i = 0; i < readers_.size(); ++i) {
        Result<Reply> reply = pending[i] ? pending[i]->get(answer_timeout) : Result<Reply>{pending[i].error()};
        while (!reply && reply.error().kind == ErrorKind::gone) {
            try {
                replace(readers_[i], stage);
                reply = scenario_->ask(readers_[i].actor, make(i), answer_timeout);
            } catch (const ErrorException& failure) {
                // The one that took its place is gone as well.
                if (failure.kind() != ErrorKind::gone || replaced_ == replaced_max) throw;
                reply = failure.error();
            }
        }
        take(i, std::move(reply).value());
    }
}
