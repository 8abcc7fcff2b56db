#include "runtime/memory/private_memory.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "runtime/base/limit_behind.hpp"

namespace baton::detail {
namespace {

std::mutex mutex_;
std::atomic<PrivateMemory*> first_ = nullptr;  // read without the mutex only to see that there is none

}  // namespace

PrivateMemory::PrivateMemory(std::string prefix) : prefix_(std::move(prefix)) {
    const std::lock_guard lock{mutex_};
    next_ = first_;
    first_ = this;
}

PrivateMemory::~PrivateMemory() {
    const std::lock_guard lock{mutex_};
    if (first_ == this) {
        first_ = next_;
        return;
    }
    for (PrivateMemory* one = first_; one != nullptr; one = one->next_)
        if (one->next_ == this) one->next_ = next_;
}

PrivateMemory* PrivateMemory::home_of(std::string_view name) noexcept {
    for (PrivateMemory* one = first_; one != nullptr; one = one->next_)
        if (name.starts_with(one->prefix_)) return one;
    return nullptr;
}

bool PrivateMemory::holds(std::string_view name) noexcept {
    if (first_.load(std::memory_order_acquire) == nullptr) return false;  // as in every program but tests
    const std::lock_guard lock{mutex_};
    return home_of(name) != nullptr;
}

Result<int> PrivateMemory::make(const std::string& name) {
    const std::lock_guard lock{mutex_};
    PrivateMemory* home = home_of(name);
    if (home == nullptr || home->objects_.contains(name))
        return Error{ErrorKind::refused, fmt::format("cannot create the memory {}: its name is taken", name)};
    UniqueFd made{::memfd_create(name.c_str(), MFD_CLOEXEC)};
    if (!made.is_open())
        return Error{ErrorKind::overloaded,
                     fmt::format("cannot create the memory {}: {}{}", name, std::strerror(errno), limit_behind(errno))};
    const int descriptor = made.get();
    home->objects_.emplace(name, std::move(made));
    return descriptor;
}

int PrivateMemory::find(std::string_view name) noexcept {
    const std::lock_guard lock{mutex_};
    PrivateMemory* home = home_of(name);
    if (home == nullptr) return -1;
    const auto found = home->objects_.find(name);
    return found == home->objects_.end() ? -1 : found->second.get();
}

bool PrivateMemory::remove(std::string_view name) noexcept {
    const std::lock_guard lock{mutex_};
    PrivateMemory* home = home_of(name);
    if (home == nullptr) return false;
    const auto found = home->objects_.find(name);
    if (found == home->objects_.end()) return false;
    home->objects_.erase(found);
    return true;
}

std::vector<std::string> PrivateMemory::names_with(std::string_view prefix) {
    const std::lock_guard lock{mutex_};
    std::vector<std::string> names;
    if (const PrivateMemory* const home = home_of(prefix); home != nullptr)
        for (auto object = home->objects_.lower_bound(prefix);
             object != home->objects_.end() && object->first.starts_with(prefix); ++object)
            names.push_back(object->first);
    return names;
}

}  // namespace baton::detail
