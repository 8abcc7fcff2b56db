#include "runtime/memory/mapping.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/statvfs.h>

#include <boost/interprocess/file_mapping.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <boost/interprocess/shared_memory_object.hpp>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <variant>

#include <sys/stat.h>
#include <unistd.h>

#include <baton/limits.hpp>
#include <baton/unique_fd.hpp>

#include "runtime/base/held_signals.hpp"
#include "runtime/base/limit_behind.hpp"
#include "runtime/memory/private_memory.hpp"
#include "runtime/memory/size_class.hpp"

namespace baton::detail {

namespace ipc = boost::interprocess;

// Where shm_open() puts its objects on Linux.
constexpr const char* shared_memory_folder = "/dev/shm";

struct SharedObject::Handle {
    std::variant<ipc::shared_memory_object, ipc::file_mapping> object;  // a file: private memory, or one put back
    std::string name;

    [[nodiscard]] int descriptor() const noexcept {
        return std::visit([](const auto& one) { return one.get_mapping_handle().handle; }, object);
    }
};

struct Mapping::Region {
    ipc::mapped_region region;
};

namespace {

Error to_error(int code, std::string_view tried) {
    const bool is_full =
        code == ENOSPC || code == ENOMEM || code == EMFILE || code == ENFILE || code == EAGAIN || code == EFBIG;
    return Error{is_full ? ErrorKind::overloaded : ErrorKind::refused,
                 fmt::format("{}: {}{}", tried, std::strerror(code), limit_behind(code))};
}

Error to_error(const ipc::interprocess_exception& exception, std::string_view tried) {
    Error error = to_error(exception.get_native_error(), tried);
    if (exception.get_error_code() == ipc::out_of_space_error) error.kind = ErrorKind::overloaded;
    return error;
}

// 0 or errno. Boost's own truncate() also commits all of the memory in newer versions (1.83), and fails for no bytes.
int resize(int fd, std::size_t bytes) noexcept {
    while (::ftruncate(fd, static_cast<off_t>(bytes)) != 0)
        if (errno != EINTR) return errno;
    return 0;
}

// 0 or errno. In whole pages, which are committed first.
int write_all(int fd, std::span<const std::byte> content) noexcept {
    const auto size = static_cast<off_t>(in_pages(std::max<std::size_t>(content.size(), 1)));
    if (const int code = ::posix_fallocate(fd, 0, size); code != 0) return code;
    for (std::size_t done = 0; done < content.size();) {
        const ssize_t written = ::pwrite(fd, content.data() + done, content.size() - done, static_cast<off_t>(done));
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return written == 0 ? EIO : errno;
        done += static_cast<std::size_t>(written);
    }
    return 0;
}

std::string path_of(const std::string& name) { return fmt::format("{}/{}", shared_memory_folder, name); }

// Opens it anew: the descriptor stays whose it is.
template <class Handle>
std::unique_ptr<Handle> private_handle(int descriptor, const std::string& name) {
    const std::string path = fmt::format("/proc/self/fd/{}", descriptor);
    return std::make_unique<Handle>(Handle{ipc::file_mapping{path.c_str(), ipc::read_write}, name});
}

}  // namespace

SharedObject::SharedObject(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
SharedObject::SharedObject(SharedObject&&) noexcept = default;
SharedObject& SharedObject::operator=(SharedObject&&) noexcept = default;
SharedObject::~SharedObject() = default;

Result<SharedObject> SharedObject::create(const std::string& name, std::size_t bytes) {
    try {
        const HeldSignals held;  // RLIMIT_FSIZE is for shared memory too
        std::unique_ptr<Handle> handle;
        if (PrivateMemory::holds(name)) {
            const Result<int> made = PrivateMemory::make(name);
            if (!made) return made.error();
            handle = private_handle<Handle>(*made, name);
        } else {
            ipc::permissions only_mine{0600};
            handle = std::make_unique<Handle>(
                Handle{ipc::shared_memory_object{ipc::create_only, name.c_str(), ipc::read_write, only_mine}, name});
        }
        if (const int code = resize(handle->descriptor(), bytes); code != 0) {
            remove_shared_object(name);  // nobody else knows of it
            return to_error(code, fmt::format("cannot create the shared memory {} of {} bytes", name, bytes));
        }
        return SharedObject{std::move(handle)};
    } catch (const ipc::interprocess_exception& exception) {
        return to_error(exception, fmt::format("cannot create the shared memory {} of {} bytes", name, bytes));
    }
}

Result<SharedObject> SharedObject::open(const std::string& name) {
    try {
        if (PrivateMemory::holds(name)) {
            const int descriptor = PrivateMemory::find(name);
            if (descriptor < 0) return to_error(ENOENT, fmt::format("cannot open the shared memory {}", name));
            return SharedObject{private_handle<Handle>(descriptor, name)};
        }
        return SharedObject{std::make_unique<Handle>(
            Handle{ipc::shared_memory_object{ipc::open_only, name.c_str(), ipc::read_write}, name})};
    } catch (const ipc::interprocess_exception& exception) {
        if (exception.get_native_error() == ELOOP) return open_put_back(name);
        return to_error(exception, fmt::format("cannot open the shared memory {}", name));
    }
}

// Its name is a link that put_back_shared_object() has made. Links of other users lead nowhere.
Result<SharedObject> SharedObject::open_put_back(const std::string& name) {
    const std::string tried = fmt::format("cannot open the shared memory {}", name);
    const std::string path = path_of(name);
    struct stat facts {};
    std::error_code unseen;
    const std::string target = std::filesystem::read_symlink(path, unseen).string();
    if (unseen || ::lstat(path.c_str(), &facts) != 0 || facts.st_uid != ::geteuid() || !target.starts_with("/proc/"))
        return Error{ErrorKind::refused, fmt::format("{}: '{}' is a link that Baton has not made", tried, path)};
    try {
        return SharedObject{
            std::make_unique<Handle>(Handle{ipc::file_mapping{target.c_str(), ipc::read_write}, name})};
    } catch (const ipc::interprocess_exception& exception) {
        return to_error(exception, tried);
    }
}

Result<void> SharedObject::commit(std::size_t offset, std::size_t bytes) {
    const int fd = handle_->descriptor();
    const HeldSignals held;
    int error = EINTR;
    while (error == EINTR)
        error = ::posix_fallocate(fd, static_cast<off_t>(offset), static_cast<off_t>(bytes));
    if (error == 0) return {};
    return Error{
        ErrorKind::overloaded,
        fmt::format("cannot commit {} bytes of the shared memory {}: {}{}", bytes, handle_->name, std::strerror(error),
                    error == ENOSPC ? " (is /dev/shm full? see df /dev/shm)" : limit_behind(error))};
}

bool SharedObject::read(std::size_t offset, std::span<char> into) const noexcept {
    while (!into.empty()) {
        const ssize_t got = ::pread(handle_->descriptor(), into.data(), into.size(), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        offset += static_cast<std::size_t>(got);
        into = into.subspan(static_cast<std::size_t>(got));
    }
    return true;
}

void SharedObject::decommit(std::size_t offset, std::size_t bytes) noexcept {
    static_cast<void>(::fallocate(handle_->descriptor(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                  static_cast<off_t>(offset), static_cast<off_t>(bytes)));
}

bool SharedObject::has_content(std::size_t offset) const noexcept {
    const auto place = static_cast<off_t>(offset);
    return ::lseek(handle_->descriptor(), place, SEEK_DATA) == place;
}

std::size_t SharedObject::size() const noexcept {
    struct stat facts {};
    return ::fstat(handle_->descriptor(), &facts) == 0 ? static_cast<std::size_t>(facts.st_size) : 0;
}

std::size_t SharedObject::committed_bytes() const noexcept {
    struct stat facts {};
    constexpr std::size_t block_bytes = 512;  // whatever the file system's own are
    return ::fstat(handle_->descriptor(), &facts) == 0 ? static_cast<std::size_t>(facts.st_blocks) * block_bytes : 0;
}

const std::string& SharedObject::name() const noexcept { return handle_->name; }

Mapping::Mapping(std::unique_ptr<Region> region) : region_(std::move(region)) {}
Mapping::Mapping(Mapping&&) noexcept = default;
Mapping& Mapping::operator=(Mapping&&) noexcept = default;
Mapping::~Mapping() = default;

Result<Mapping> Mapping::map(const SharedObject& object, Access access, std::size_t offset, std::size_t bytes) {
    try {
        const auto mode = access == Access::write ? ipc::read_write : ipc::read_only;
        const auto map = [&](const auto& one) {
            return ipc::mapped_region{one, mode, static_cast<ipc::offset_t>(offset), bytes};
        };
        return Mapping{std::make_unique<Region>(Region{std::visit(map, object.handle_->object)})};
    } catch (const ipc::interprocess_exception& exception) {
        return to_error(exception, fmt::format("cannot map {} bytes of the shared memory {}", bytes, object.name()));
    }
}

std::byte* Mapping::data() const noexcept { return static_cast<std::byte*>(region_->region.get_address()); }
std::size_t Mapping::size() const noexcept { return region_->region.get_size(); }

void Mapping::populate(Access access, std::size_t offset, std::size_t bytes) noexcept {
    const std::size_t start = offset & ~(ipc::mapped_region::get_page_size() - 1);
    // An older kernel does not know the advice; then each page faults at its first use.
    ::madvise(data() + start, std::min(offset + bytes, size()) - start,
              access == Access::write ? MADV_POPULATE_WRITE : MADV_POPULATE_READ);
}

bool Mapping::permit(Permitted permitted, std::size_t offset, std::size_t bytes) noexcept {
    int protection = PROT_NONE;
    if (permitted == Permitted::read) protection = PROT_READ;
    if (permitted == Permitted::write) protection = PROT_READ | PROT_WRITE;
    return ::mprotect(data() + offset, bytes, protection) == 0;
}

bool Mapping::privatize(std::size_t offset, std::size_t bytes) noexcept {
    const bool may_write = region_->region.get_mode() == ipc::read_write;
    std::byte* const part = data() + offset;
    void* const copy = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED) return false;
    std::memcpy(copy, part, bytes);
    if (!may_write) ::mprotect(copy, bytes, PROT_READ);
    // One step, so that no reader ever finds nothing there.
    if (::mremap(copy, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, part) == part) return true;
    ::munmap(copy, bytes);
    return false;
}

bool put_back_shared_object(const std::string& name, pid_t keeper) {
    namespace fs = std::filesystem;
    std::error_code unseen;
    const fs::path path = path_of(name);
    if (fs::exists(fs::symlink_status(path, unseen))) return false;
    const std::string removed = path.string() + " (deleted)";
    for (fs::directory_iterator fd{fmt::format("/proc/{}/fd", keeper), unseen};
         !unseen && fd != fs::directory_iterator{}; fd.increment(unseen)) {
        std::error_code vanished;
        if (fs::read_symlink(fd->path(), vanished).string() != removed || vanished) continue;
        return ::symlink(fd->path().c_str(), path.c_str()) == 0;
    }
    return false;
}

bool has_shared_object(const std::string& name) noexcept {
    if (PrivateMemory::holds(name)) return PrivateMemory::find(name) >= 0;
    return ::access(fmt::format("{}/{}", shared_memory_folder, name).c_str(), F_OK) == 0;
}

std::vector<std::string> shared_objects_named(std::string_view prefix) {
    if (PrivateMemory::holds(prefix)) return PrivateMemory::names_with(prefix);
    namespace fs = std::filesystem;
    std::vector<std::string> names;
    std::error_code unseen;
    for (fs::directory_iterator entry{shared_memory_folder, unseen}; !unseen && entry != fs::directory_iterator{};
         entry.increment(unseen))
        if (std::string name = entry->path().filename().string(); name.starts_with(prefix))
            names.push_back(std::move(name));
    return names;
}

Result<void> check_outside_name(const std::string& name) {
    const bool is_file_name = !name.empty() && name.size() <= limits::name_bytes_max && name != "." && name != ".." &&
                              name.find_first_of(std::string_view("/\0", 2)) == std::string::npos;
    if (is_file_name && !name.starts_with("baton-")) return {};
    return Error{ErrorKind::refused,
                 fmt::format("'{}' can't be the name of shared memory: it takes 1 to {} bytes without "
                             "'/' and NUL, and does not begin with baton-",
                             name, limits::name_bytes_max)};
}

bool remove_shared_object(const std::string& name) noexcept {
    if (PrivateMemory::holds(name)) return PrivateMemory::remove(name);
    return ipc::shared_memory_object::remove(name.c_str());
}

bool discard_shared_object(const std::string& name) noexcept {
    if (PrivateMemory::holds(name)) {
        static_cast<void>(resize(PrivateMemory::find(name), 0));
        return PrivateMemory::remove(name);
    }
    try {
        const ipc::shared_memory_object object{ipc::open_only, name.c_str(), ipc::read_write};
        static_cast<void>(resize(object.get_mapping_handle().handle, 0));
    } catch (const ipc::interprocess_exception&) {
        return false;  // it is not there
    }
    return remove_shared_object(name);
}

// Boost.Interprocess has no renaming.
Result<void> rename_shared_object(const std::string& from, const std::string& to) {
    if (PrivateMemory::holds(from) || PrivateMemory::holds(to))
        return Error{ErrorKind::refused,
                     fmt::format("the shared memory {} can't become '{}': the memory of a test world belongs to one "
                                 "process, and is neither exported nor imported",
                                 from, to)};
    const std::string old_path = fmt::format("{}/{}", shared_memory_folder, from);
    const std::string new_path = fmt::format("{}/{}", shared_memory_folder, to);
    if (::renameat2(AT_FDCWD, old_path.c_str(), AT_FDCWD, new_path.c_str(), RENAME_NOREPLACE) == 0) return {};
    if (errno == EEXIST)
        return Error{ErrorKind::refused, fmt::format("the name '{}' is taken: {} is there already", to, new_path)};
    return Error{ErrorKind::refused, fmt::format("cannot keep the shared memory {} under the name '{}': {}", from, to,
                                                 std::strerror(errno))};
}

// A file without a name gets one when it is whole; private memory is whole before anybody else runs.
Result<void> copy_to_shared_object(std::span<const std::byte> content, const std::string& name) {
    const std::string path = fmt::format("{}/{}", shared_memory_folder, name);
    const auto tried = [&] {
        return fmt::format("cannot copy {} bytes into the shared memory {}", content.size(), name);
    };
    const HeldSignals held;
    if (PrivateMemory::holds(name)) {
        const Result<int> made = PrivateMemory::make(name);
        if (!made) return made.error();
        const int code = write_all(*made, content);
        if (code == 0) return {};
        PrivateMemory::remove(name);
        return to_error(code, tried());
    }
    const UniqueFd file{::open(shared_memory_folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
    if (file.get() < 0) return to_error(errno, tried());
    if (const int code = write_all(file.get(), content); code != 0) return to_error(code, tried());
    const std::string unnamed = fmt::format("/proc/self/fd/{}", file.get());
    if (::linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0) return {};
    if (errno == EEXIST)
        return Error{ErrorKind::refused, fmt::format("the name '{}' is taken: {} is there already", name, path)};
    return to_error(errno, tried());
}

std::uint64_t shared_memory_bytes_free() noexcept {
    struct statvfs facts {};
    if (::statvfs(shared_memory_folder, &facts) != 0) return 0;
    return std::uint64_t{facts.f_bavail} * facts.f_frsize;
}

}  // namespace baton::detail
