#pragma once
// TextFile: a file of text, and windows through which its bytes are read. One thread at a time.
//
// The bytes are copied into a window that stays in the cache, not mapped: that is as fast (a page fault costs more than
// copying a page), needs no memory for the pages, and a file that shrinks while it is read is an Error and not SIGBUS.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <baton/unique_fd.hpp>
#include <baton/result.hpp>

namespace column_reader {

// What the kernel said to `tried` ("open") on `path`, and what to do about it.
[[nodiscard]] baton::Error file_error(int error_number, const std::string& tried, const std::string& path);

// Changes when the file is written or another one takes its place. Those who read one file together compare it.
struct FileVersion {
    std::uint64_t bytes = 0;
    std::uint64_t number = 0;  // of the file in its file system
    std::int64_t seconds = 0;  // of the last change
    std::int64_t nanoseconds = 0;

    bool operator==(const FileVersion&) const = default;
};

class TextFile {
public:
    // Refused if `path` is not a regular file that can be read, is empty, or can't be a CSV file in UTF-8 by the look
    // of its first bytes: UTF-16, compressed, binary.
    [[nodiscard]] static baton::Result<TextFile> open(const std::string& path);

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] const FileVersion& version() const noexcept { return version_; }
    // Where the text begins: behind a byte order mark, if there is one.
    [[nodiscard]] std::uint64_t begin() const noexcept { return begin_; }
    [[nodiscard]] std::uint64_t end() const noexcept { return version_.bytes; }

    // Fills `into` from `offset`. Refused if the file ends before that.
    [[nodiscard]] baton::Result<void> read(std::uint64_t offset, std::span<char> into) const;

    // Refused if the file is of another version now: then what was read may be half of the old and half of the new.
    [[nodiscard]] baton::Result<void> still_has(const FileVersion& version) const;

private:
    TextFile(std::string path, baton::UniqueFd fd, FileVersion version);
    [[nodiscard]] baton::Result<void> look_at_front();

    std::string path_;
    baton::UniqueFd fd_;
    FileVersion version_;
    std::uint64_t begin_ = 0;
};

// The bytes [begin, end) of a file, one piece after the other.
class Window {
public:
    static constexpr std::size_t bytes = std::size_t{256} << 10;  // what is read at once, about
    static constexpr std::size_t padding = 64;  // bytes before and behind view() that may be read; they say nothing

    // The file is to outlive this.
    Window(const TextFile& file, std::uint64_t begin, std::uint64_t end);

    // Reads on until view() has `wanted` bytes or reaches the end; ends the life of earlier views.
    [[nodiscard]] baton::Result<void> fill(std::size_t wanted);
    [[nodiscard]] std::string_view view() const noexcept { return {&buffer_[front_], back_ - front_}; }
    void skip(std::size_t count) noexcept { front_ += count; }

    [[nodiscard]] std::uint64_t position() const noexcept { return read_ - (back_ - front_); }  // of view() in the file
    [[nodiscard]] bool reaches_end() const noexcept { return read_ == end_; }
    [[nodiscard]] bool is_at_end() const noexcept { return reaches_end() && front_ == back_; }

private:
    const TextFile* file_;
    std::uint64_t read_;  // up to here the bytes are in the buffer, or have been
    std::uint64_t end_;
    std::vector<char> buffer_;
    std::size_t front_ = padding;
    std::size_t back_ = padding;
};

}  // namespace column_reader
