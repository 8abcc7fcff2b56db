#pragma once
// Npy: arrays as files that NumPy reads (format 1.0; numpy.lib.format has the description).
//
// A column of numbers is one file, NAME.npy, of '<i8' or '<f8'. NumPy has no array of texts of different lengths, so
// a column of text is two: NAME.offsets.npy, '<u8', one more than there are rows, and NAME.bytes.npy, '|u1'; cell i is
// bytes[offsets[i]:offsets[i+1]] in UTF-8. One thread at a time.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <baton/result.hpp>

namespace column_reader {

enum class NpyElement { int64, float64, uint64, uint8 };

// Writes the arrays one after the other as one into `path`. The file is whole or as it was before: it is written
// beside it under another name and renamed at the end, and what was begun is removed. That holds when this program
// ends or the disk is full (`overloaded`); after a power cut the file may be empty.
[[nodiscard]] baton::Result<void> write_npy(const std::string& path, NpyElement element,
                                            std::span<const std::span<const std::byte>> arrays);

// The name of a column as that of a file: what a file's name can't hold or a shell would read is '_', and it is not
// empty. Different names may become one.
[[nodiscard]] std::string file_name_of(std::string_view column_name);

}  // namespace column_reader
