#include "examples/07_columns/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include <baton/json.hpp>

using namespace column_reader;
using baton::dynamic::Value;

namespace {

using Cells = std::array<std::string, 10>;
constexpr std::size_t left_aligned = 2;  // name and kind; the others are numbers
constexpr std::size_t name_characters_max = 32;

std::size_t characters_in(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }));
}

// On one line, and no wider than a column of the table.
std::string name_for_people(std::string name) {
    for (char& byte : name)
        if (static_cast<unsigned char>(byte) < ' ' || byte == '\x7f') byte = ' ';
    if (characters_in(name) <= name_characters_max) return name;
    while (characters_in(name) >= name_characters_max) name.pop_back();
    return name + "…";
}

Cells cells_of(const Column& column) {
    const Statistics& s = column.statistics;
    Cells cells{name_for_people(column.name), std::string{name_of(column.kind)}, fmt::format("{}", s.count),
                fmt::format("{}", s.missing)};
    if (s.count == 0) return cells;
    if (column.kind == Kind::text) {
        cells[8] = fmt::format("{}", s.texts.distinct.estimate());
        cells[9] = fmt::format("{}", s.texts.longest_bytes);
        return cells;
    }
    const bool is_integer = column.kind == Kind::integer;
    cells[4] = is_integer ? fmt::format("{}", s.numbers.least_integer) : fmt::format("{:.6g}", s.numbers.least);
    cells[5] = is_integer ? fmt::format("{}", s.numbers.greatest_integer) : fmt::format("{:.6g}", s.numbers.greatest);
    cells[6] = fmt::format("{:.6g}", s.numbers.mean);
    if (s.count > 1) cells[7] = fmt::format("{:.6g}", s.standard_deviation());
    return cells;
}

Value text(std::string_view value) { return {std::string{value}}; }
Value number(std::uint64_t value) { return {value}; }
// JSON has no infinity and no NaN.
Value number(double value) { return std::isfinite(value) ? Value{value} : Value{}; }

Value entries_of(const Column& column) {
    const Statistics& s = column.statistics;
    Value::Map map;
    const auto add = [&](std::string_view name, Value value) { map.emplace_back(text(name), std::move(value)); };
    add("name", text(column.name));
    add("kind", text(name_of(column.kind)));
    add("count", number(s.count));
    add("missing", number(s.missing));
    if (column.kind == Kind::text) {
        add("bytes", number(s.texts.bytes));
        add("longest", number(s.texts.longest_bytes));
        add("distinct", number(s.texts.distinct.estimate()));
    } else if (s.count > 0) {
        const bool is_integer = column.kind == Kind::integer;
        add("min", is_integer ? Value{s.numbers.least_integer} : number(s.numbers.least));
        add("max", is_integer ? Value{s.numbers.greatest_integer} : number(s.numbers.greatest));
        add("mean", number(s.numbers.mean));
        add("sd", number(s.standard_deviation()));
    }
    return {std::move(map)};
}

}  // namespace

std::string text_of(const Table& table, const Run& run) {
    std::vector<Cells> lines{{"column", "kind", "count", "missing", "min", "max", "mean", "sd", "distinct", "longest"}};
    for (const Column& column : table.columns) lines.push_back(cells_of(column));
    std::array<std::size_t, std::tuple_size_v<Cells>> widths{};
    for (const Cells& cells : lines)
        for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], characters_in(cells[i]));

    std::string out =
        fmt::format("{} rows and {} columns in {}, read by {} reader{} in {:.2f} s\n\n", table.rows,
                    table.columns.size(), run.path, run.readers, run.readers == 1 ? "" : "s", run.seconds);
    for (const Cells& cells : lines) {
        std::string line;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const std::string space(widths[i] - characters_in(cells[i]), ' ');
            line += (i == 0 ? "" : "  ") + (i < left_aligned ? cells[i] + space : space + cells[i]);
        }
        out += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
    }
    if (run.checksum) out += fmt::format("\nchecksum {:016x}\n", *run.checksum);
    return out;
}

std::string json_of(const Table& table, const Run& run) {
    Value::List columns;
    for (const Column& column : table.columns) columns.push_back(entries_of(column));
    Value::Map map;
    const auto add = [&](std::string_view name, Value value) { map.emplace_back(text(name), std::move(value)); };
    add("program", text("columns"));
    add("path", text(run.path));
    add("seconds", number(run.seconds));
    add("readers", number(run.readers));
    add("replaced", number(run.replaced));
    add("rows", number(table.rows));
    add("bad_rows", number(table.bad_rows));
    if (run.checksum) add("checksum", text(fmt::format("{:016x}", *run.checksum)));
    add("columns", {std::move(columns)});
    return baton::to_json(Value{std::move(map)}, baton::JsonLayout::compact);
}

std::uint64_t checksum_of(const Table& table) {
    std::uint64_t sum = 0;
    for (const Column& column : table.columns) {
        for (const baton::Segment& text : column.texts) {
            const std::span<const std::byte> bytes = text.bytes();
            sum +=
                column_reader::checksum_of(Kind::text, {}, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
        }
        if (column.kind == Kind::text || !column.slots) continue;
        const std::span<const std::byte> bytes = column.slots.bytes();
        sum += column_reader::checksum_of(
            column.kind, {reinterpret_cast<const Slot*>(bytes.data()), bytes.size() / sizeof(Slot)});
    }
    return sum;
}
