#pragma once
// Table: a CSV file read by N part parsers one after the other, with the cells as values. For tests.

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/column_reader/header.hpp"
#include "actors/column_reader/part_parser.hpp"
#include "actors/column_reader/statistics.hpp"

namespace columns_test {

// On the heap, as tight as allowed or as asked for.
class HeapRoom : public column_reader::TextRoom {
public:
    enum class Grows { tightly, likely };
    HeapRoom(std::size_t columns, Grows grows) : bytes_(columns), grows_(grows) {}
    baton::Result<std::span<char>> grow(std::size_t column, std::size_t bytes_used, std::size_t bytes_min,
                                        std::size_t bytes_likely) override {
        // Elsewhere each time, as a new segment is.
        std::vector<char> grown(grows_ == Grows::tightly ? bytes_min : bytes_likely);
        std::copy_n(bytes_[column].begin(), bytes_used, grown.begin());
        bytes_[column] = std::move(grown);
        ++times_grown;
        return std::span{bytes_[column]};
    }
    int times_grown = 0;

private:
    std::vector<std::vector<char>> bytes_;
    Grows grows_;
};

struct PartColumns {
    column_reader::Part part;
    std::vector<std::vector<column_reader::Slot>> slots;
    std::unique_ptr<HeapRoom> room;
    std::unique_ptr<column_reader::PartParser> parser;
};

class Table {
public:
    // Throws baton::ErrorException where the file is refused.
    Table(const std::string& path, std::size_t parts, char delimiter = ',',
          column_reader::FirstRow first_row = column_reader::FirstRow::names,
          HeapRoom::Grows grows = HeapRoom::Grows::tightly)
        : file_(column_reader::TextFile::open(path).value()),
          header(column_reader::read_header(file_, delimiter, first_row).value()),
          kinds(header.names.size()) {
        using namespace column_reader;
        std::vector<Survey> surveys;
        for (const Stretch& stretch : stretches_of(file_, header.begin, parts).value())
            surveys.push_back(survey(file_, stretch, delimiter).value());
        for (const Part& part : parts_of(surveys, header.first_line)) {
            PartColumns& one = parts_.emplace_back();
            one.part = part;
            one.slots.assign(kinds.size(), std::vector<Slot>(part.rows_max));
            one.room = std::make_unique<HeapRoom>(kinds.size(), grows);
            one.parser = std::make_unique<PartParser>(
                file_, part, delimiter, std::vector<std::span<Slot>>(one.slots.begin(), one.slots.end()), *one.room);
            while (!one.parser->is_at_end()) one.parser->parse(1).value();
            merge(kinds, one.parser->kinds());
        }
        for (Kind& kind : kinds) kind = final_kind(kind);
        for (PartColumns& one : parts_) {
            one.parser->settle(kinds).value();
            rows += one.parser->rows();
            bad_rows_count += one.parser->bad_rows_count();
            bad_rows.insert(bad_rows.end(), one.parser->bad_rows().begin(), one.parser->bad_rows().end());
        }
    }

    [[nodiscard]] std::vector<std::int64_t> integers(std::size_t column) const {
        std::vector<std::int64_t> values;
        each_slot(column, [&](const PartColumns&, column_reader::Slot slot, std::uint64_t) {
            values.push_back(column_reader::integer_in(slot));
        });
        return values;
    }
    [[nodiscard]] std::vector<double> reals(std::size_t column) const {
        std::vector<double> values;
        each_slot(column, [&](const PartColumns&, column_reader::Slot slot, std::uint64_t) {
            values.push_back(column_reader::real_in(slot));
        });
        return values;
    }
    [[nodiscard]] std::vector<std::string> texts(std::size_t column) const {
        std::vector<std::string> values;
        each_slot(column, [&](const PartColumns& part, column_reader::Slot begin, std::uint64_t row) {
            const std::string_view text = part.parser->text_of(column);
            const std::size_t end = row + 1 < part.parser->rows() ? part.slots[column][row + 1] : text.size();
            values.emplace_back(text.substr(begin, end - begin));
        });
        return values;
    }
    [[nodiscard]] column_reader::Statistics statistics(std::size_t column) const {
        using namespace column_reader;
        Statistics sum;
        sum.kind = kinds[column];
        for (const PartColumns& part : parts_)
            sum.add(statistics_of(kinds[column], slots(part, column), part.parser->text_of(column)));
        return sum;
    }
    [[nodiscard]] std::uint64_t checksum(std::size_t column) const {
        std::uint64_t sum = 0;
        for (const PartColumns& part : parts_)
            sum += column_reader::checksum_of(kinds[column], slots(part, column), part.parser->text_of(column));
        return sum;
    }
    [[nodiscard]] const std::vector<PartColumns>& parts() const { return parts_; }

private:
    static std::span<const column_reader::Slot> slots(const PartColumns& part, std::size_t column) {
        return std::span{part.slots[column]}.first(part.parser->rows());
    }
    template <class Each>
    void each_slot(std::size_t column, Each each) const {
        for (const PartColumns& part : parts_)
            for (std::uint64_t row = 0; row < part.parser->rows(); ++row) each(part, part.slots[column][row], row);
    }
    column_reader::TextFile file_;
    std::vector<PartColumns> parts_;

public:
    column_reader::Header header;
    column_reader::Kinds kinds;
    std::uint64_t rows = 0;
    std::uint64_t bad_rows_count = 0;
    std::vector<column_reader::BadRow> bad_rows;
};

}  // namespace columns_test
