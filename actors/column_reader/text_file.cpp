#include "actors/column_reader/text_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace column_reader {
namespace {

using baton::Error;
using baton::ErrorKind;
using baton::Result;
using namespace std::string_view_literals;

constexpr std::size_t first_look_bytes = 4096;
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

// What the file is instead of UTF-8 text, and what makes one of it; nothing if it may be.
struct Disguise {
    std::string_view starts_with;
    const char* is;
    const char* remedy;
};
constexpr Disguise disguises[] = {
    {"\xff\xfe"sv, "text in UTF-16", "iconv -f UTF-16 -t UTF-8"},
    {"\xfe\xff"sv, "text in UTF-16", "iconv -f UTF-16 -t UTF-8"},
    {"\x1f\x8b"sv, "compressed with gzip", "gunzip"},
    {"BZh"sv, "compressed with bzip2", "bunzip2"},
    {"\xfd"
     "7zXZ\0"sv,
     "compressed with xz", "unxz"},
    {"\x28\xb5\x2f\xfd"sv, "compressed with zstd", "unzstd"},
    {"PK\x03\x04"sv, "a zip archive (or a spreadsheet: .xlsx, .ods)", "unzip, or save it as CSV"},
};

FileVersion version_of(const struct stat& status) noexcept {
    return {static_cast<std::uint64_t>(status.st_size), status.st_ino, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

}  // namespace

Error file_error(int error_number, const std::string& tried, const std::string& path) {
    const char* remedy = "try another file";
    ErrorKind kind = ErrorKind::refused;
    switch (error_number) {
        case ENOENT:
        case ENOTDIR: remedy = "check the path; a relative one starts at the working directory of the actor"; break;
        case EACCES:
        case EPERM:
        case EROFS: remedy = "check its permissions and those of its folder"; break;
        case ENOSPC:
        case EDQUOT:
            kind = ErrorKind::overloaded;
            remedy = "make room on that disk or name another";
            break;
        case EMFILE:
        case ENFILE:
        case ENOMEM:
            kind = ErrorKind::overloaded;
            remedy = "close something and try again";
            break;
        case EIO: remedy = "check the disk that it lies on"; break;
        default: break;
    }
    return Error{
        kind, "cannot " + tried + " '" + path + "': " + std::generic_category().message(error_number) + "; " + remedy};
}

Result<TextFile> TextFile::open(const std::string& path) {
    // Non-blocking, so that a FIFO is refused below instead of waiting here for its writer.
    baton::UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (!fd.is_open()) return file_error(errno, "open", path);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return file_error(errno, "look at", path);
    if (S_ISDIR(status.st_mode))
        return Error{ErrorKind::refused, "cannot read '" + path + "': it is a directory; name a file in it"};
    if (!S_ISREG(status.st_mode))
        return Error{ErrorKind::refused,
                     "cannot read '" + path +
                         "': it is a device, pipe or socket, not a regular file; copy what it holds "
                         "to a file"};
    if (status.st_size == 0)
        return Error{ErrorKind::refused, "cannot read '" + path + "': it is empty, without even a row of column names"};

    TextFile file{path, std::move(fd), version_of(status)};
    if (auto looked = file.look_at_front(); !looked) return std::move(looked.error());
    return file;
}

TextFile::TextFile(std::string path, baton::UniqueFd fd, FileVersion version)
    : path_(std::move(path)), fd_(std::move(fd)), version_(version) {}

Result<void> TextFile::look_at_front() {
    std::string front(std::min<std::uint64_t>(first_look_bytes, version_.bytes), '\0');
    if (auto got = read(0, front); !got) return got;
    for (const Disguise& disguise : disguises)
        if (front.starts_with(disguise.starts_with))
            return Error{ErrorKind::refused,
                         "cannot read '" + path_ + "' as CSV: it is " + disguise.is + "; first: " + disguise.remedy};
    if (const std::size_t place = front.find('\0'); place != std::string::npos)
        return Error{ErrorKind::refused, "cannot read '" + path_ + "' as CSV: it holds a NUL byte at offset " +
                                             std::to_string(place) + ": it is binary, or text in UTF-16 or UTF-32"};
    if (front.starts_with(byte_order_mark)) begin_ = byte_order_mark.size();
    return {};
}

Result<void> TextFile::read(std::uint64_t offset, std::span<char> into) const {
    while (!into.empty()) {
        const ssize_t got = ::pread(fd_.get(), into.data(), into.size(), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return file_error(errno, "read", path_);
        if (got == 0)
            return Error{ErrorKind::refused, "cannot read '" + path_ + "' beyond byte " + std::to_string(offset) +
                                                 ": it has shrunk; read it again"};
        into = into.subspan(static_cast<std::size_t>(got));
        offset += static_cast<std::uint64_t>(got);
    }
    return {};
}

Result<void> TextFile::still_has(const FileVersion& version) const {
    struct stat status {};
    if (::fstat(fd_.get(), &status) != 0) return file_error(errno, "look at", path_);
    if (version_of(status) == version) return {};
    return Error{ErrorKind::refused,
                 "cannot rely on what was read from '" + path_ + "': the file changed in the meantime; read it again"};
}

Window::Window(const TextFile& file, std::uint64_t begin, std::uint64_t end)
    : file_(&file), read_(begin), end_(end), buffer_(padding + std::min<std::uint64_t>(bytes, end - begin) + padding) {}

Result<void> Window::fill(std::size_t wanted) {
    const std::size_t left = back_ - front_;
    if (left >= wanted || reaches_end()) return {};
    if (buffer_.size() < padding + wanted + padding) buffer_.resize(padding + wanted + padding);
    std::memmove(&buffer_[padding], &buffer_[front_], left);
    front_ = padding;
    back_ = padding + left;
    const std::size_t room = buffer_.size() - padding - back_;
    const std::span<char> into{&buffer_[back_], std::min<std::uint64_t>(room, end_ - read_)};
    if (auto got = file_->read(read_, into); !got) return got;
    back_ += into.size();
    read_ += into.size();
    return {};
}

}  // namespace column_reader
