#pragma once
// Collector: reads a CSV file into columns with several column readers at once.
//
// It makes one segment a column, lends each reader the slice for its part of the file, and takes the columns back
// when all slices are in. The bytes of texts, of which nobody knows before how many there are, come as gifts. The
// cells are written once, by the readers, where they stay.
//
// A reader that dies while it works is replaced: its slices come back, and another one reads the part again. Errors
// are thrown as ErrorException; then nothing is left but what the session takes back. One thread, the scenario's.

#include <string>
#include <vector>

#include "actors/column_reader/column_reader.hpp"
#include "actors/column_reader/header.hpp"
#include <baton/scenario.hpp>

struct Column {
    std::string name;
    column_reader::Kind kind = column_reader::Kind::real;
    // int64 or float64 [rows]; of texts uint64 [rows + 1]: where each begins, and where the last one ends. Empty if
    // the file has no rows.
    baton::Segment slots;
    std::vector<baton::Segment> texts;  // their bytes, one segment after the other
    column_reader::Statistics statistics;
};

struct Table {
    std::uint64_t rows = 0;
    std::uint64_t bad_rows = 0;  // that are in no column
    std::vector<column_reader::BadRow> first_bad_rows;
    std::vector<Column> columns;
};

class Collector {
public:
    Collector(baton::Scenario& scenario, column_reader::Source source, std::size_t readers)
        : scenario_(&scenario), source_(std::move(source)), readers_wanted_(readers) {}

    // Refused if more than half of the rows are bad: then it is the delimiter or the file that is wrong.
    [[nodiscard]] Table read(const column_reader::TextFile& file, const column_reader::Header& header);

    [[nodiscard]] std::size_t readers() const noexcept { return readers_.size(); }
    [[nodiscard]] std::size_t replaced() const noexcept { return replaced_; }

private:
    struct Reader {
        std::string name;
        baton::Ref<column_reader::Protocol> actor;
        column_reader::Part part;
        std::uint64_t first_slot = 0;  // of its slices
        column_reader::Findings findings;
        std::vector<std::uint64_t> text_bytes;  // of each column
        std::vector<std::vector<column_reader::GivenColumn>> given;  // in batches
    };
    // What a reader has done; its replacement does it again.
    enum class Stage { nothing, parsed, settled };

    void survey(const column_reader::TextFile& file, const column_reader::Header& header);
    void lend_columns(std::size_t columns);
    void parse();
    void settle();
    void give();
    [[nodiscard]] Table table(const column_reader::Header& header);
    void finish(Column& column, std::size_t number);

    void hand_over(Reader& reader);
    [[nodiscard]] column_reader::GiveColumns give_command(const Reader& reader, std::size_t first) const;
    void replace(Reader& reader, Stage stage);
    // Sends one command to each reader; a reader that is gone is replaced, and its replacement is asked.
    template <class Make, class Take>
    void ask_everyone(Stage stage, Make make, Take take);

    baton::Scenario* scenario_;
    column_reader::Source source_;
    std::size_t readers_wanted_;
    std::size_t replaced_ = 0;
    std::vector<Reader> readers_;
    std::vector<baton::Loan> lent_;
    column_reader::Kinds kinds_;
};
