// Goal: no file makes the reader of CSV crash, hang, read beyond the file or lose a row.
// Method: the first two bytes pick the number of parts and the delimiter, the rest is the file. It is read whole and in
// parts: both find the same rows, kinds and bad rows, and whether a quote is never closed.

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>

#include "actors/column_reader/header.hpp"
#include "actors/column_reader/part_parser.hpp"
#include "actors/column_reader/parts.hpp"

namespace {

using namespace column_reader;

constexpr std::size_t columns_max_here = 64;

class Room final : public TextRoom {
public:
    explicit Room(std::size_t columns) : texts_(columns) {}
    baton::Result<std::span<char>> grow(std::size_t column, std::size_t, std::size_t bytes_min, std::size_t) override {
        texts_[column].resize(bytes_min);
        return std::span<char>{texts_[column]};
    }

private:
    std::vector<std::string> texts_;
};

struct Found {
    std::uint64_t rows = 0;
    std::uint64_t bad_rows = 0;
    std::uint64_t unclosed_line = 0;
    Kinds kinds;
    bool is_refused = false;
    bool operator==(const Found&) const = default;
};

Found read_in(const TextFile& file, const Header& header, char delimiter, std::size_t count) {
    Found found;
    std::vector<Survey> surveys;
    for (const Stretch& stretch : stretches_of(file, header.begin, count).value())
        surveys.push_back(survey(file, stretch, delimiter).value());
    const std::size_t columns = header.names.size();
    found.kinds.assign(columns, Kind::empty);
    std::uint64_t end = header.begin;
    for (const Part& part : parts_of(surveys, header.first_line)) {
        if (part.begin != end && part.begin != part.end) __builtin_trap();  // nothing between two parts
        end = std::max(end, part.end);
        std::vector<std::vector<Slot>> slots(columns, std::vector<Slot>(part.rows_max));
        std::vector<std::span<Slot>> spans{slots.begin(), slots.end()};
        Room room{columns};
        PartParser parser{file, part, delimiter, spans, room};
        while (!parser.is_at_end()) {
            if (!parser.parse(64)) {
                found.is_refused = true;
                return found;
            }
        }
        if (parser.rows() > part.rows_max) __builtin_trap();
        found.rows += parser.rows();
        found.bad_rows += parser.bad_rows_count();
        found.unclosed_line = std::max(found.unclosed_line, parser.unclosed_line());
        merge(found.kinds, parser.kinds());
    }
    if (end != file.end()) __builtin_trap();
    return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const int memory = ::memfd_create("csv", MFD_CLOEXEC);
    if (memory < 0 || ::write(memory, data + 2, size - 2) != static_cast<ssize_t>(size - 2)) __builtin_trap();
    const std::string path = "/proc/self/fd/" + std::to_string(memory);
    {
        const baton::Result<TextFile> file = TextFile::open(path);
        const char delimiter = ",;\t|"[data[1] % 4];
        if (file) {
            const baton::Result<Header> header =
                read_header(*file, delimiter, data[1] % 8 < 4 ? FirstRow::names : FirstRow::values);
            if (!header && header.error().text.empty()) __builtin_trap();
            if (header && header->names.size() <= columns_max_here) {
                const Found whole = read_in(*file, *header, delimiter, 1);
                const Found parts = read_in(*file, *header, delimiter, 2 + data[0] % 6);
                if (whole.is_refused != parts.is_refused) __builtin_trap();
                if (!whole.is_refused && (whole.rows != parts.rows || whole.bad_rows != parts.bad_rows ||
                                          (whole.unclosed_line != 0) != (parts.unclosed_line != 0)))
                    __builtin_trap();
            }
        } else if (file.error().text.empty()) {
            __builtin_trap();
        }
    }
    ::close(memory);
    return 0;
}
