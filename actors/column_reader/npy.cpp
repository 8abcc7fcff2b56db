#include "actors/column_reader/npy.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "actors/column_reader/text_file.hpp"
#include <baton/unique_fd.hpp>

namespace column_reader {
namespace {

using baton::Result;

constexpr std::size_t write_bytes_max = std::size_t{1} << 30;  // Linux writes no more than 2 GiB at once
constexpr std::size_t file_name_bytes_max = 200;

struct Description {
    std::string_view name;
    std::size_t bytes;
};
constexpr Description description_of(NpyElement element) {
    switch (element) {
        case NpyElement::int64: return {"<i8", 8};
        case NpyElement::float64: return {"<f8", 8};
        case NpyElement::uint64: return {"<u8", 8};
        case NpyElement::uint8: return {"|u1", 1};
    }
    return {};
}

// Magic, version, length of the dictionary, and the dictionary, filled up with spaces to a multiple of 64 bytes.
std::string npy_header(Description element, std::size_t count) {
    std::string dictionary = "{'descr': '" + std::string{element.name} + "', 'fortran_order': False, 'shape': (" +
                             std::to_string(count) + ",), }";
    constexpr std::size_t before_bytes = 10;
    dictionary.append(63 - (before_bytes + dictionary.size()) % 64, ' ');
    dictionary += '\n';
    std::string header{"\x93NUMPY\x01\x00", 8};
    header += static_cast<char>(dictionary.size() & 0xff);
    header += static_cast<char>(dictionary.size() >> 8);
    return header + dictionary;
}

int write_fully(int fd, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), std::min(bytes.size(), write_bytes_max));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return 0;
}

// Returns 0 or the error number.
int write_file(int fd, const std::string& header, std::span<const std::span<const std::byte>> arrays,
               std::size_t data_bytes) {
    // A full disk is better known before than after many gigabytes; not every file system can tell.
    const int allocated = ::posix_fallocate(fd, 0, static_cast<off_t>(header.size() + data_bytes));
    if (allocated != 0 && allocated != EOPNOTSUPP && allocated != EINVAL) return allocated;
    if (const int failed = write_fully(fd, std::as_bytes(std::span{header})); failed != 0) return failed;
    for (const std::span<const std::byte> array : arrays)
        if (const int failed = write_fully(fd, array); failed != 0) return failed;
    return 0;
}

}  // namespace

Result<void> write_npy(const std::string& path, NpyElement element,
                       std::span<const std::span<const std::byte>> arrays) {
    const Description description = description_of(element);
    std::size_t bytes = 0;
    for (const std::span<const std::byte> array : arrays) bytes += array.size();

    const std::string unfinished = path + ".unfinished." + std::to_string(::getpid());
    baton::UniqueFd fd{::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666)};
    if (!fd.is_open()) return file_error(errno, "create", unfinished);
    int failed = write_file(fd.get(), npy_header(description, bytes / description.bytes), arrays, bytes);
    if (::close(fd.release()) != 0 && failed == 0) failed = errno;
    if (failed == 0 && ::rename(unfinished.c_str(), path.c_str()) != 0) failed = errno;
    if (failed == 0) return {};
    ::unlink(unfinished.c_str());
    return file_error(failed, "write", path);
}

std::string file_name_of(std::string_view column_name) {
    std::string name;
    std::size_t size = std::min(column_name.size(), file_name_bytes_max);
    const auto is_inside_character = [&](std::size_t at) {
        return (static_cast<unsigned char>(column_name[at]) & 0xc0) == 0x80;
    };
    while (size < column_name.size() && is_inside_character(size)) --size;
    for (const char byte : column_name.substr(0, size)) {
        const bool is_kept = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                             (byte >= 'a' && byte <= 'z') || byte == '_' || byte == '-' ||
                             static_cast<unsigned char>(byte) >= 0x80;
        name += is_kept || (byte == '.' && !name.empty()) ? byte : '_';
    }
    return name.empty() ? "_" : name;
}

}  // namespace column_reader
