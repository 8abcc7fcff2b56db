#pragma once
// The rule for CSV texts, byte by byte, as the csv module of Python has it: slow, and easy to compare with.

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace columns_test {

struct ReferenceRow {
    std::vector<std::string> cells;
    std::uint64_t line = 1;  // on which it begins
    std::size_t begin = 0;
    bool is_unclosed = false;
    bool is_blank = false;
};

// `inside`, if asked for, gets for each byte whether a quoted field is open behind it.
inline std::vector<ReferenceRow> rows_of(std::string_view text, char delimiter = ',',
                                         std::vector<bool>* inside = nullptr) {
    enum class State { start, plain, quoted, quote_in_quoted };
    std::vector<ReferenceRow> rows;
    State state = State::start;
    std::string cell;
    std::uint64_t line = 1;
    ReferenceRow row;
    std::size_t begin = 0;
    const auto end_row = [&](std::size_t end) {
        // The carriage return before a newline belongs to it, unless it stands in quotes.
        if (state != State::quoted && end > begin && text[end - 1] == '\r') cell.pop_back();
        const std::string_view raw = text.substr(begin, end - begin);
        row.is_blank = raw.empty() || raw == "\r";
        row.is_unclosed = state == State::quoted;
        row.cells.push_back(cell);
        rows.push_back(row);
        cell.clear();
        state = State::start;
    };
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char byte = text[at];
        if (state == State::start && row.cells.empty() && at == begin) {
            row.line = line;
            row.begin = at;
        }
        if (byte == '\n') ++line;
        if (state == State::quoted) {
            if (byte == '"') {
                state = State::quote_in_quoted;
            } else {
                cell += byte;
            }
        } else if (state == State::quote_in_quoted && byte == '"') {
            cell += '"';
            state = State::quoted;
        } else if (state == State::start && byte == '"') {
            state = State::quoted;
        } else if (byte == delimiter) {
            row.cells.push_back(cell);
            cell.clear();
            state = State::start;
        } else if (byte == '\n') {
            end_row(at);
            row = {};
            begin = at + 1;
        } else {
            cell += byte;
            state = State::plain;
        }
        if (inside != nullptr) inside->push_back(state == State::quoted);
    }
    if (begin < text.size()) end_row(text.size());
    return rows;
}

// Of the bytes that matter, so that every few of them do: quotes in all places, newlines in quotes, blank lines.
inline std::string random_csv(std::mt19937& random, std::size_t bytes) {
    static const std::vector<std::string> pieces{"\"",
                                                 "\"",
                                                 ",",
                                                 ",",
                                                 "\n",
                                                 "\n",
                                                 "\r\n",
                                                 "a",
                                                 "b c",
                                                 "7",
                                                 "-12",
                                                 "1.5",
                                                 "\"\"",
                                                 ",\"",
                                                 "\",",
                                                 "\"\n",
                                                 "\n\"",
                                                 "NA",
                                                 "",
                                                 "1e3",
                                                 "caf\u00e9",
                                                 "\n\n",
                                                 " ",
                                                 ",,",
                                                 "\"x\"",
                                                 "\"1\"",
                                                 "\"a\nb\"",
                                                 "\"a,b\"",
                                                 "\"say \"\"hi\"\"\""};
    // Some texts are made of few of them, so that there are long ones without any quote too.
    const std::size_t kinds = 2 + random() % (pieces.size() - 1);
    const std::size_t first = random() % pieces.size();
    std::string text;
    while (text.size() < bytes) text += pieces[(first + random() % kinds) % pieces.size()];
    return text;
}

}  // namespace columns_test
