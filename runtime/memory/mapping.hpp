#pragma once
// Mapping: named shared memory of one machine, and views of it. The only door to Boost.Interprocess.
//
// A SharedObject is a name in /dev/shm (mode 0600); it is removed by remove_shared_object(), not by the end of the last
// C++ object. Pages are committed before use, so that a full /dev/shm is an `overloaded` result and never SIGBUS. No
// owners, no locks: the ledger says which process may touch the bytes. One thread at a time.

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <baton/result.hpp>

namespace baton::detail {

class SharedObject {
public:
    // Makes a new object of `bytes` zero bytes that are not committed yet. Refused if the name is taken.
    [[nodiscard]] static Result<SharedObject> create(const std::string& name, std::size_t bytes);
    [[nodiscard]] static Result<SharedObject> open(const std::string& name);

    SharedObject(SharedObject&&) noexcept;
    SharedObject& operator=(SharedObject&&) noexcept;
    ~SharedObject();

    // Commits the pages of [offset, offset + bytes): from then on touching them cannot fail.
    [[nodiscard]] Result<void> commit(std::size_t offset, std::size_t bytes);
    // A copy of these bytes, without touching the memory. False if they cannot be read.
    [[nodiscard]] bool read(std::size_t offset, std::span<char> into) const noexcept;
    // The pages are nobody's any more, and zero if they are committed again.
    void decommit(std::size_t offset, std::size_t bytes) noexcept;
    // False if the page at `offset`, a multiple of the page size, has never been committed and written to. Touching it
    // may fail then, even by reading, in a full /dev/shm.
    [[nodiscard]] bool has_content(std::size_t offset) const noexcept;
    [[nodiscard]] std::size_t size() const noexcept;
    // That it takes of the machine's memory.
    [[nodiscard]] std::size_t committed_bytes() const noexcept;
    [[nodiscard]] const std::string& name() const noexcept;

private:
    friend class Mapping;
    struct Handle;
    explicit SharedObject(std::unique_ptr<Handle> handle);
    [[nodiscard]] static Result<SharedObject> open_put_back(const std::string& name);
    std::unique_ptr<Handle> handle_;
};

class Mapping {
public:
    enum class Access { read, write };
    // `offset` is a multiple of the page size.
    [[nodiscard]] static Result<Mapping> map(const SharedObject& object, Access access, std::size_t offset,
                                             std::size_t bytes);
    Mapping(Mapping&&) noexcept;
    Mapping& operator=(Mapping&&) noexcept;
    ~Mapping();

    [[nodiscard]] std::byte* data() const noexcept;  // writing through a read mapping faults
    [[nodiscard]] std::size_t size() const noexcept;
    // Enters the pages of these bytes into this process's tables at once, which is many times cheaper than a fault
    // each.
    void populate(Access access, std::size_t offset, std::size_t bytes) noexcept;
    // With `none` every access faults until access is restored.
    enum class Permitted { none, read, write };
    void permit(Permitted permitted) noexcept { static_cast<void>(permit(permitted, 0, size())); }
    // The same for whole pages of it. False, without any change, if the kernel takes no more boundaries.
    [[nodiscard]] bool permit(Permitted permitted, std::size_t offset, std::size_t bytes) noexcept;
    // Replaces the view by a private copy of its present content, at the same address. False, without any change, if
    // there is no memory for that.
    bool privatize() noexcept { return privatize(0, size()); }
    bool privatize(std::size_t offset, std::size_t bytes) noexcept;  // whole pages of it

private:
    struct Region;
    explicit Mapping(std::unique_ptr<Region> region);
    std::unique_ptr<Region> region_;
};

// Another program has removed the name of an object that process `keeper` has open: from here on the name leads to it
// again. False if the name is there, or if that process has no such object.
bool put_back_shared_object(const std::string& name, pid_t keeper);

[[nodiscard]] bool has_shared_object(const std::string& name) noexcept;
// The names that begin with that.
[[nodiscard]] std::vector<std::string> shared_objects_named(std::string_view prefix);
// Checks a user's name for an object: a single file name that is not one of ours.
[[nodiscard]] Result<void> check_outside_name(const std::string& name);
// True if there was one.
bool remove_shared_object(const std::string& name) noexcept;
// Removes it and returns its pages at once, even if a process still has it mapped: touching them after that raises
// SIGBUS. Only for memory that nobody may touch any more.
bool discard_shared_object(const std::string& name) noexcept;
// Keeps the memory under another name. Refused if that is taken.
[[nodiscard]] Result<void> rename_shared_object(const std::string& from, const std::string& to);
// Makes an object of that name that has `content`, and zeros up to a whole page. It is there whole or not at all, even
// if this process dies. Refused if the name is taken.
[[nodiscard]] Result<void> copy_to_shared_object(std::span<const std::byte> content, const std::string& name);
// How many bytes shared memory can still take on this machine; 0 if that cannot be determined.
[[nodiscard]] std::uint64_t shared_memory_bytes_free() noexcept;

}  // namespace baton::detail
