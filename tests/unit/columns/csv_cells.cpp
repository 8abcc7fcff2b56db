// Prints what the parsers make of CSV files, one JSON object a file, for csv_module_test.py to compare.
//     csv_cells DELIMITER PARTS FILE...
#include <fmt/format.h>

#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

#include "tests/unit/columns/table.hpp"

namespace {

nlohmann::json cells(const columns_test::Table& table, std::size_t column) {
    switch (table.kinds[column]) {
        case column_reader::Kind::integer: return table.integers(column);
        case column_reader::Kind::text: return table.texts(column);
        default: break;
    }
    nlohmann::json reals = nlohmann::json::array();
    for (const double real : table.reals(column)) reals.push_back(fmt::format("{:a}", real));
    return reals;
}

}  // namespace

int main(int argc, char** argv) {
    for (int i = 3; i < argc; ++i) {
        nlohmann::json out;
        try {
            const columns_test::Table table{argv[i], static_cast<std::size_t>(std::atoi(argv[2])), argv[1][0]};
            out["names"] = table.header.names;
            for (std::size_t column = 0; column < table.kinds.size(); ++column) {
                out["kinds"].push_back(column_reader::name_of(table.kinds[column]));
                out["columns"].push_back(cells(table, column));
                out["checksums"].push_back(table.checksum(column));
            }
            out["bad_lines"] = nlohmann::json::array();
            for (const column_reader::BadRow& row : table.bad_rows) out["bad_lines"].push_back(row.line);
        } catch (const baton::ErrorException& failure) {
            out["error"] = failure.what();
        }
        std::cout << out.dump() << '\n';
    }
}
