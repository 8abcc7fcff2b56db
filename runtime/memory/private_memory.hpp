#pragma once
// PrivateMemory: while it lives, shared memory whose name begins with a prefix of its own belongs to this process
// alone.
//
// For sessions that take place within one process, in tests: such memory has a name here, but none in /dev/shm, so that
// nothing is left however the process ends, and no file system need have room for it. All else is as with any
// SharedObject. A forked child has what there was, by no name. Thread-safe.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <baton/unique_fd.hpp>
#include <baton/result.hpp>

namespace baton::detail {

class PrivateMemory {
public:
    explicit PrivateMemory(std::string prefix);
    PrivateMemory(const PrivateMemory&) = delete;
    PrivateMemory& operator=(const PrivateMemory&) = delete;
    // Its memory ends when nobody has it mapped any more.
    ~PrivateMemory();

    // True if memory of that name is private, or would be.
    [[nodiscard]] static bool holds(std::string_view name) noexcept;
    // A descriptor of new memory, without bytes; `refused` if the name is taken.
    [[nodiscard]] static Result<int> make(const std::string& name);
    // Its descriptor, which stays this object's; -1 if there is none.
    [[nodiscard]] static int find(std::string_view name) noexcept;
    // True if there was one.
    static bool remove(std::string_view name) noexcept;
    // Of all that there is, sorted.
    [[nodiscard]] static std::vector<std::string> names_with(std::string_view prefix);

private:
    [[nodiscard]] static PrivateMemory* home_of(std::string_view name) noexcept;

    std::string prefix_;
    std::map<std::string, UniqueFd, std::less<>> objects_;
    PrivateMemory* next_ = nullptr;  // of all that live
};

}  // namespace baton::detail
