#pragma once
// What one may say to a column reader: it reads one part of a CSV file into slices of the columns.
//
// In this order, for one part; a reader that has failed answers everything after that with the same error:
//   SurveyStretch  what a stretch of the file may hold; from all of them parts_of() makes the parts
//   TakePart       this is yours; the reader opens the file
//   TakeSlots      the slots of the next columns, part.rows_max of them each, until every column has been lent
//   ParseOn        some bytes more; the replies tell how far it has come
//   TellFindings   kinds and rows of the part
//   Settle         the kinds that all parts agreed on; the reply says how many bytes the texts of the part take
//   GiveColumns    the slots are final: statistics, and the bytes of texts as gifts. The slices end here
// The part that it has stays the reader's until the next TakePart; what it holds ends with it.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "actors/column_reader/part_parser.hpp"
#include "actors/column_reader/statistics.hpp"
#include <baton/protocol.hpp>
#include <baton/segment.hpp>

namespace column_reader {

struct Source {
    std::string path;  // absolute, as actors may stand elsewhere
    FileVersion version;
    char delimiter = ',';
};

struct SurveyStretch {
    Source source;
    Stretch stretch;
    using Reply = Survey;
};
struct TakePart {
    Source source;
    Part part;
    std::uint64_t columns = 0;
};
struct TakeSlots {
    std::vector<baton::Slice> slots;
};
struct ParseOn {
    std::uint64_t bytes = 0;
    using Reply = std::uint64_t;  // of the part that have been parsed
};
struct Findings {
    Kinds kinds;
    std::uint64_t rows = 0;  // good ones
    std::uint64_t bad_rows = 0;
    std::vector<BadRow> first_bad_rows;
    std::uint64_t unclosed_line = 0;  // on which a row begins whose quote nothing closes: the rest of the file is in it
};
struct TellFindings {
    using Reply = Findings;
};
struct Settle {
    Kinds kinds;
    using Reply = std::vector<std::uint64_t>;  // bytes of each column's texts; 0 for one of numbers
};
struct GivenColumn {
    std::uint64_t count = 0;  // as in Statistics, with the registers of DistinctCount
    std::uint64_t missing = 0;
    Numbers numbers;
    std::uint64_t text_bytes = 0;
    std::uint64_t longest_bytes = 0;
    std::vector<std::uint8_t> distinct;
    std::optional<baton::Segment> text;  // nothing if there is none
};
struct GiveColumns {
    std::uint64_t first = 0;
    std::vector<std::uint64_t> text_begins;  // for each of these columns: bytes of its texts in the parts before
    using Reply = std::vector<GivenColumn>;
};

// Its reply stays well below the limit of a message: a column of text has 4 KiB of registers.
inline constexpr std::size_t columns_given_max = 64;

using Protocol =
    baton::Protocol<SurveyStretch, TakePart, TakeSlots, ParseOn, TellFindings, Settle, GiveColumns>;

}  // namespace column_reader
