#include "actors/word_counter/word_table.hpp"

#include <baton/unique_fd.hpp>

#include <fcntl.h>
#include <locale.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <cwchar>
#include <cwctype>
#include <functional>
#include <numeric>
#include <span>
#include <system_error>
#include <utility>

namespace word_counter {
namespace {

using baton::Error;
using baton::ErrorKind;
using baton::Result;

constexpr std::size_t probe_bytes = 4096;       // what one look for white space reads
constexpr std::size_t probes_per_cut_max = 16;  // then the cut moves on by a piece

constexpr bool is_white_space(char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

// Why the operating system said no, and what to do about it.
Error error_of(int error_number, const std::string& tried, const std::string& path) {
    const char* remedy = "try another file";
    ErrorKind kind = ErrorKind::refused;
    switch (error_number) {
        case ENOENT:
        case ENOTDIR:
            remedy = "check the path; a relative one starts at the working directory of the actor that counts";
            break;
        case EACCES:
        case EPERM: remedy = "let the user who runs this actor read it"; break;
        case EMFILE:
        case ENFILE:
        case ENOMEM:
            kind = ErrorKind::overloaded;
            remedy = "close something and try again";
            break;
        case EIO: remedy = "check the disk that it lies on"; break;
        default: break;
    }
    return Error{kind, "cannot " + tried + " '" + path + "': " + std::generic_category().message(error_number) + "; " +
                           remedy};
}

Error shrank(const std::string& path, std::uint64_t offset, std::uint64_t end) {
    return Error{ErrorKind::refused, "cannot read '" + path + "' up to byte " + std::to_string(end) +
                                         ": it ends at byte " + std::to_string(offset) +
                                         "; it has shrunk or the range is another file's: cut it into ranges again"};
}

struct TextFile {
    baton::UniqueFd fd;
    std::uint64_t size = 0;
};

Result<TextFile> open_text(const std::string& path) {
    // Non-blocking, so that a FIFO is refused below instead of waiting here for its writer.
    baton::UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (!fd.is_open()) return error_of(errno, "open", path);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return error_of(errno, "look at", path);
    if (S_ISDIR(status.st_mode)) {
        return Error{ErrorKind::refused,
                     "cannot count the words of '" + path + "': it is a directory; name the files in it one by one"};
    }
    if (!S_ISREG(status.st_mode)) {
        return Error{ErrorKind::refused, "cannot count the words of '" + path +
                                             "': it is a device, pipe or socket, not a regular file; copy what it "
                                             "holds to a file and count that"};
    }
    return TextFile{std::move(fd), static_cast<std::uint64_t>(status.st_size)};
}

// Fills `into` from `offset`; refused if the file ends before that.
Result<void> read_fully(const TextFile& file, const std::string& path, std::uint64_t offset, std::span<char> into) {
    const std::uint64_t end = offset + into.size();
    while (!into.empty()) {
        const ssize_t got = ::pread(file.fd.get(), into.data(), into.size(), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_of(errno, "read", path);
        if (got == 0) return shrank(path, offset, end);
        into = into.subspan(static_cast<std::size_t>(got));
        offset += static_cast<std::uint64_t>(got);
    }
    return {};
}

// The first offset from `wanted` on that lies right after a white-space byte, or the file's end.
Result<std::uint64_t> find_cut(const TextFile& file, const std::string& path, std::uint64_t wanted,
                               std::uint64_t piece_bytes) {
    std::array<char, probe_bytes> buffer;
    constexpr std::uint64_t window_bytes = probes_per_cut_max * probe_bytes;
    const std::uint64_t skip_bytes = piece_bytes - std::min(piece_bytes, window_bytes);
    std::uint64_t offset = wanted - 1;
    for (std::size_t probes = 1; offset < file.size; ++probes) {
        const std::span<char> probe{buffer.data(), std::min<std::uint64_t>(buffer.size(), file.size - offset)};
        if (auto read = read_fully(file, path, offset, probe); !read) return std::move(read.error());
        const auto found = std::find_if(probe.begin(), probe.end(), is_white_space);
        offset += static_cast<std::uint64_t>(found - probe.begin());
        if (found != probe.end()) return offset + 1;
        if (probes % probes_per_cut_max == 0) offset += std::min(skip_bytes, file.size - offset);
    }
    return file.size;
}

// Makes C.UTF-8 this thread's locale for as long as it lives.
class Utf8Locale {
public:
    Utf8Locale() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
        if (is_there()) before_ = ::uselocale(locale_);
    }
    Utf8Locale(const Utf8Locale&) = delete;
    Utf8Locale& operator=(const Utf8Locale&) = delete;
    ~Utf8Locale() {
        if (!is_there()) return;
        ::uselocale(before_);
        ::freelocale(locale_);
    }
    [[nodiscard]] bool is_there() const noexcept { return locale_ != nullptr; }

private:
    locale_t locale_;
    locale_t before_ = nullptr;
};

enum class ByteClass : std::uint8_t { control, white_space, punctuation, plain, multibyte };

constexpr auto byte_classes = [] {
    std::array<ByteClass, 256> classes{};
    for (unsigned byte = 0; byte < 256; ++byte) {
        const char c = static_cast<char>(byte);
        const bool is_letter_or_digit = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        classes[byte] = byte >= 0x80            ? ByteClass::multibyte
                        : is_white_space(c)     ? ByteClass::white_space
                        : is_letter_or_digit    ? ByteClass::plain
                        : c > ' ' && c < '\x7f' ? ByteClass::punctuation
                                                : ByteClass::control;
    }
    return classes;
}();

constexpr ByteClass class_of(char byte) { return byte_classes[static_cast<unsigned char>(byte)]; }
constexpr char lowercase(char byte) { return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte; }

// wc's own list, beside what iswspace() says.
constexpr bool is_non_breaking_space(wchar_t c) {
    return c == L'\u00a0' || c == L'\u2007' || c == L'\u202f' || c == L'\u2060';
}

}  // namespace

// Turns blocks of bytes into totals and words. Holds of a word only what fits in the table.
class WordTable::Scanner {
public:
    // Returns how many bytes of the block have been used: all, or all but the character that its end cuts.
    std::size_t scan(std::string_view block) {
        std::size_t at = 0;
        while (at < block.size()) {
            const char byte = block[at];
            switch (class_of(byte)) {
                case ByteClass::white_space:
                    end_word();
                    totals.lines += byte == '\n';
                    break;
                case ByteClass::plain:
                    is_word_ = true;
                    do {
                        keep(lowercase(block[at]));
                    } while (++at < block.size() && class_of(block[at]) == ByteClass::plain);
                    continue;
                case ByteClass::punctuation:
                    is_word_ = true;
                    if (size_ > 0) keep(byte);
                    break;
                case ByteClass::control: keep(byte); break;
                case ByteClass::multibyte:
                    const std::size_t used = scan_character(block.substr(at));
                    if (used == 0) return at;
                    at += used;
                    continue;
            }
            ++at;
        }
        return at;
    }

    // `cut` is what scan() left of the last block.
    void finish(std::string_view cut) {
        for ([[maybe_unused]] const char byte : cut) keep(replacement);
        end_word();
    }

    Totals totals;
    Vocabulary words;

private:
    static constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

    // Returns the character's length in bytes, 0 if its end is missing.
    std::size_t scan_character(std::string_view text) {
        std::mbstate_t state{};
        wchar_t character = 0;
        const std::size_t length = std::mbrtowc(&character, text.data(), text.size(), &state);
        if (length == static_cast<std::size_t>(-2)) return 0;
        if (length == static_cast<std::size_t>(-1)) {
            keep(replacement);
            return 1;
        }
        const auto wide = static_cast<std::wint_t>(character);
        const bool is_printable = std::iswprint(wide) != 0;
        if (is_printable && (std::iswspace(wide) != 0 || is_non_breaking_space(character))) {
            end_word();
        } else {
            is_word_ = is_word_ || is_printable;
            keep(text.substr(0, length));
        }
        return length;
    }

    void keep(char byte) {
        if (size_ < limit_) word_[size_++] = byte;
    }

    // A character that does not fit whole ends what is kept of the word.
    void keep(std::string_view character) {
        if (character.size() > limit_ - size_) {
            limit_ = size_;
            return;
        }
        character.copy(word_.data() + size_, character.size());
        size_ += character.size();
    }

    void end_word() {
        if (is_word_) {
            ++totals.words;
            while (size_ > 0 && class_of(word_[size_ - 1]) == ByteClass::punctuation) --size_;
            if (size_ > 0) words.add({word_.data(), size_}, 1);
        }
        is_word_ = false;
        size_ = 0;
        limit_ = word_bytes_max;
    }

    bool is_word_ = false;  // a printable character has been seen since the last white space
    std::size_t size_ = 0;
    std::size_t limit_ = word_bytes_max;
    std::array<char, word_bytes_max> word_;
};

Totals& Totals::operator+=(const Totals& other) noexcept {
    lines += other.lines;
    words += other.words;
    bytes += other.bytes;
    return *this;
}

std::string_view Vocabulary::word(std::size_t row) const noexcept {
    const std::uint64_t begin = rows_[row].begin;
    const std::uint64_t end = row + 1 < rows_.size() ? rows_[row + 1].begin : letters_.size();
    return std::string_view{letters_}.substr(begin, end - begin);
}

void Vocabulary::add(std::string_view word, std::uint64_t count) {
    if (2 * rows_.size() >= slots_.size()) double_slots();
    const auto hash = static_cast<std::uint32_t>(std::hash<std::string_view>{}(word));
    Slot& slot = find(word, hash);
    if (slot.row_plus_one != 0) {
        rows_[slot.row_plus_one - 1].count += count;
        return;
    }
    rows_.push_back({letters_.size(), count});
    letters_ += word;
    slot = {hash, static_cast<std::uint32_t>(rows_.size())};
}

Vocabulary::Slot& Vocabulary::find(std::string_view word, std::uint32_t hash) noexcept {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
        Slot& slot = slots_[at];
        if (slot.row_plus_one == 0) return slot;
        if (slot.hash == hash && this->word(slot.row_plus_one - 1) == word) return slot;
    }
}

void Vocabulary::double_slots() {
    const std::vector<Slot> before = std::move(slots_);
    slots_ = std::vector<Slot>(std::max<std::size_t>(64, 2 * before.size()));
    const std::size_t mask = slots_.size() - 1;
    for (const Slot& slot : before) {
        if (slot.row_plus_one == 0) continue;
        std::size_t at = slot.hash & mask;
        while (slots_[at].row_plus_one != 0) at = (at + 1) & mask;
        slots_[at] = slot;
    }
}

Result<std::vector<Range>> cut_into_ranges(const std::string& path, std::uint64_t piece_bytes) {
    if (piece_bytes == 0) {
        return Error{ErrorKind::refused, "cannot cut '" + path + "' into pieces of 0 bytes; ask for 1 or more"};
    }
    auto file = open_text(path);
    if (!file) return std::move(file.error());
    if (file->size / piece_bytes >= range_count_max) {
        return Error{ErrorKind::refused, "cannot cut the " + std::to_string(file->size) + " bytes of '" + path +
                                             "' into pieces of " + std::to_string(piece_bytes) +
                                             ": that makes more than " + std::to_string(range_count_max) +
                                             " ranges; ask for bigger pieces"};
    }
    std::vector<Range> ranges;
    for (std::uint64_t begin = 0; begin < file->size;) {
        std::uint64_t end = file->size;
        if (piece_bytes < file->size - begin) {
            auto cut = find_cut(*file, path, begin + piece_bytes, piece_bytes);
            if (!cut) return std::move(cut.error());
            end = *cut;
        }
        ranges.push_back({begin, end});
        begin = end;
    }
    return ranges;
}

Result<Totals> WordTable::count(const std::string& path, std::uint64_t begin, std::uint64_t end) {
    if (begin > end) {
        return Error{ErrorKind::refused, "cannot count the words of '" + path + "' from byte " + std::to_string(begin) +
                                             " to byte " + std::to_string(end) + ": it would end before it begins"};
    }
    auto file = open_text(path);
    if (!file) return std::move(file.error());
    // This keeps every offset below within off_t, too.
    if (end > file->size) return shrank(path, file->size, end);
    const Utf8Locale locale;
    if (!locale.is_there()) return error_of(errno, "count, without the locale C.UTF-8, the words of", path);

    Scanner scanner;
    std::vector<char> buffer(MB_LEN_MAX + block_bytes);
    std::size_t cut_bytes = 0;  // of a character at the end of the block before, now at the start of the buffer
    for (std::uint64_t offset = begin; offset < end;) {
        const std::span<char> block{buffer.data() + cut_bytes, std::min<std::uint64_t>(block_bytes, end - offset)};
        if (auto read = read_fully(*file, path, offset, block); !read) return std::move(read.error());
        if (const void* nul = std::memchr(block.data(), 0, block.size()); nul != nullptr) {
            const auto at = offset + static_cast<std::uint64_t>(static_cast<const char*>(nul) - block.data());
            return Error{ErrorKind::refused, "'" + path + "' holds a NUL byte at offset " + std::to_string(at) +
                                                 ": it looks like a binary file, not text"};
        }
        const std::string_view text{buffer.data(), cut_bytes + block.size()};
        const std::size_t used = scanner.scan(text);
        cut_bytes = text.size() - used;
        std::copy_n(text.begin() + static_cast<std::ptrdiff_t>(used), cut_bytes, buffer.begin());
        offset += block.size();
        if (words_.bytes() + scanner.words.bytes() > bytes_max_) {
            return Error{ErrorKind::overloaded,
                         "cannot count the words of '" + path + "' from byte " + std::to_string(begin) + " to byte " +
                             std::to_string(end) + ": its different words need more than the " +
                             std::to_string(bytes_max_) +
                             " bytes of memory that the table may take; count smaller ranges in more tables"};
        }
    }
    scanner.finish({buffer.data(), cut_bytes});
    scanner.totals.bytes = end - begin;
    totals_ += scanner.totals;
    if (words_.size() == 0) {
        words_ = std::move(scanner.words);
    } else {
        for (std::size_t row = 0; row < scanner.words.size(); ++row) {
            words_.add(scanner.words.word(row), scanner.words.count(row));
        }
    }
    return scanner.totals;
}

Page WordTable::page(std::string_view after_word, std::size_t words_max, std::size_t bytes_max) {
    if (sorted_.size() != words_.size()) {
        sorted_.resize(words_.size());
        std::iota(sorted_.begin(), sorted_.end(), std::size_t{0});
        std::sort(sorted_.begin(), sorted_.end(),
                  [this](std::size_t a, std::size_t b) { return words_.word(a) < words_.word(b); });
    }
    auto next = std::upper_bound(sorted_.begin(), sorted_.end(), after_word,
                                 [this](std::string_view word, std::size_t row) { return word < words_.word(row); });
    Page page;
    std::size_t bytes = 0;
    for (; next != sorted_.end(); ++next) {
        const std::string_view word = words_.word(*next);
        bytes += word.size() + page_entry_bytes;
        if (!page.entries.empty() && (page.entries.size() >= words_max || bytes > bytes_max)) break;
        page.entries.push_back({std::string{word}, words_.count(*next)});
    }
    page.is_last = next == sorted_.end();
    return page;
}

}  // namespace word_counter
