#pragma once
// What there is to say of a table that was read, for people and for programs. Pure.

#include <cstdint>
#include <optional>
#include <string>

#include "examples/07_columns/collector.hpp"

struct Run {
    std::string path;
    std::size_t readers = 0;
    std::size_t replaced = 0;
    double seconds = 0;
    std::optional<std::uint64_t> checksum;
};

// An aligned table, a line a column.
[[nodiscard]] std::string text_of(const Table& table, const Run& run);
// One line.
[[nodiscard]] std::string json_of(const Table& table, const Run& run);
// Over the cells of all columns, where they lie now.
[[nodiscard]] std::uint64_t checksum_of(const Table& table);
