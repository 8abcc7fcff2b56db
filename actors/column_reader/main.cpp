#include <algorithm>
#include <memory>

#include "actors/column_reader/column_reader.hpp"
#include <baton/actor.hpp>

namespace {

using namespace column_reader;
using baton::Error;
using baton::ErrorKind;
using baton::Result;

// Room for texts as segments, one a column: so the bytes can be given away without another copy.
class SegmentRoom final : public TextRoom {
public:
    SegmentRoom(baton::Context& context, std::size_t columns) : context_(&context), segments_(columns) {}

    Result<std::span<char>> grow(std::size_t column, std::size_t bytes_used, std::size_t bytes_min,
                                 std::size_t bytes_likely) override {
        Result<baton::Segment> larger = context_->create_segment(bytes_likely);
        if (!larger && larger.error().kind == ErrorKind::overloaded) larger = context_->create_segment(bytes_min);
        if (!larger) return std::move(larger.error());
        baton::Segment& old = segments_[column];
        if (bytes_used > 0) std::ranges::copy(old.bytes().first(bytes_used), larger->bytes().begin());
        old = std::move(*larger);
        return std::span{reinterpret_cast<char*>(old.bytes().data()), old.bytes().size()};
    }

    // The first `bytes` of the column's room.
    Result<baton::Segment> take(std::size_t column, std::size_t bytes) {
        if (Result<void> cut = segments_[column].reshape({"|u1", {bytes}}); !cut) return cut.error();
        return std::move(segments_[column]);
    }

private:
    baton::Context* context_;
    std::vector<baton::Segment> segments_;
};

class ColumnReader {
public:
    explicit ColumnReader(baton::Context& context) : context_(&context) {}

    Result<Survey> on(const SurveyStretch& command) {
        Result<TextFile> file = opened(command.source);
        if (!file) return file.error();
        return survey(*file, command.stretch, command.source.delimiter);
    }

    void on(const TakePart& command) {
        parser_.reset();
        part_ = command;
        slots_.clear();
        room_ = std::make_unique<SegmentRoom>(*context_, command.columns);
        kinds_.clear();
        trouble_.reset();
        Result<TextFile> file = opened(command.source);
        if (file) file_ = std::make_unique<TextFile>(std::move(*file));
        else trouble_ = file.error();
    }

    void on(TakeSlots command) {
        for (baton::Slice& slice : command.slots) slots_.push_back(std::move(slice));
        if (trouble_ || slots_.size() < part_.columns) return;
        std::vector<std::span<Slot>> spans;
        for (baton::Slice& slice : slots_) spans.push_back(slice.as<Slot>());
        parser_ = std::make_unique<PartParser>(*file_, part_.part, part_.source.delimiter, std::move(spans), *room_);
    }

    Result<std::uint64_t> on(const ParseOn& command) {
        if (Result<void> able = require_parser(); !able) return able.error();
        if (Result<void> parsed = parser_->parse(command.bytes); !parsed) return failed(parsed.error());
        return parser_->position() - part_.part.begin;
    }

    Result<Findings> on(const TellFindings&) {
        if (Result<void> able = require_parser(); !able) return able.error();
        return Findings{parser_->kinds(), parser_->rows(), parser_->bad_rows_count(), parser_->bad_rows(),
                        parser_->unclosed_line()};
    }

    Result<std::vector<std::uint64_t>> on(const Settle& command) {
        if (Result<void> able = require_parser(); !able) return able.error();
        if (command.kinds.size() != part_.columns || !parser_->is_at_end())
            return Error{ErrorKind::refused, "a part is settled when all of it has been parsed, with a kind a column"};
        if (Result<void> settled = parser_->settle(command.kinds); !settled) return failed(settled.error());
        if (Result<void> same = file_->still_has(part_.source.version); !same) return failed(same.error());
        kinds_ = command.kinds;
        std::vector<std::uint64_t> text_bytes;
        for (std::size_t column = 0; column < part_.columns; ++column)
            text_bytes.push_back(parser_->text_of(column).size());
        return text_bytes;
    }

    Result<std::vector<GivenColumn>> on(const GiveColumns& command) {
        if (Result<void> able = require_parser(); !able) return able.error();
        if (kinds_.size() != part_.columns || command.first + command.text_begins.size() > part_.columns)
            return Error{ErrorKind::refused, "columns are given when they have been settled"};
        std::vector<GivenColumn> given;
        for (std::size_t i = 0; i < command.text_begins.size(); ++i) {
            Result<GivenColumn> one = give(command.first + i, command.text_begins[i]);
            if (!one) return failed(one.error());
            given.push_back(std::move(*one));
        }
        return given;
    }

private:
    static Result<TextFile> opened(const Source& source) {
        Result<TextFile> file = TextFile::open(source.path);
        if (!file) return file;
        if (Result<void> same = file->still_has(source.version); !same) return same.error();
        return file;
    }

    Result<void> require_parser() const {
        if (trouble_) return *trouble_;
        if (!parser_) return Error{ErrorKind::refused, "this reader has no part and slots for all of its columns yet"};
        return {};
    }

    Error failed(const Error& error) {
        trouble_ = error;
        return error;
    }

    Result<GivenColumn> give(std::size_t column, std::uint64_t text_begin) {
        const Kind kind = kinds_[column];
        const std::string_view text = parser_->text_of(column);
        const std::span<Slot> slots = slots_[column].as<Slot>().first(parser_->rows());
        if (kind == Kind::text)
            for (Slot& slot : slots) slot += text_begin;
        Statistics statistics = statistics_of(kind, slots, text, text_begin);
        GivenColumn given{statistics.count,       statistics.missing,
                          statistics.numbers,     statistics.texts.bytes,
                          statistics.texts.longest_bytes, statistics.texts.distinct.registers(),
                          {}};
        if (!text.empty()) {
            Result<baton::Segment> segment = room_->take(column, text.size());
            if (!segment) return segment.error();
            given.text = std::move(*segment);
        }
        slots_[column] = {};
        return given;
    }

    baton::Context* context_;
    TakePart part_;
    std::unique_ptr<TextFile> file_;
    std::unique_ptr<SegmentRoom> room_;
    std::vector<baton::Slice> slots_;
    std::unique_ptr<PartParser> parser_;
    Kinds kinds_;
    std::optional<Error> trouble_;
};

}  // namespace

int main(int argc, char** argv) { return baton::run_actor<ColumnReader, column_reader::Protocol>(argc, argv); }
