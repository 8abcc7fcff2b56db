#pragma once
// Journal: what one process of a soak did and saw, written so that it outlives the process.
//
// One file a process, mapped shared: a record is there as soon as the count has been raised, and a SIGKILL at any
// instant loses at most the record that was being written. The kernel keeps the pages, so nothing is flushed and no
// call is made. tests/soak/judge.py reads the files of all processes and decides. One thread.
//
// Times are those of the steady clock, which all processes of a machine share.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

namespace soaker {

// The numbers are those of judge.py.
enum class Event : std::uint32_t {
    born = 1,        // other: index of this life
    made,            // a segment, token; extra: hop
    took,            // a segment, out of a command of `other`; extra: hop
    giving,          // to `other`; extra: hop
    gave,            // the send was accepted
    kept,            // the send was refused, and the segment is still here
    back,            // it bounced
    ended,           // released here
    torn,            // its bytes are not what its last holder has written; extra: what stood there
    holds,           // at the end, when everything is quiet
    settled,         // all that was sent to `other` has left this process
    noted,           // a Note of `other` was handled; extra: its number
    sending_notes,   // to `other`; extra: up to this number
    sent_notes,      // accepted up to this number
    waiting,         // token: of the wait; other: where; extra: its deadline
    waited,          // token: of the wait; extra: how it ended, 0: well, else 1 + ErrorKind
    locked,          // token: of the lock
    unlocking,
    quiet,           // no moves from here on
    dying,           // by its own hand
    exited,          // told of the end of `other`
};

class Journal {
public:
    Journal(const std::string& folder, std::uint32_t index) {
        const std::string path = fmt::format("{}/{}-{}.journal", folder, index, ::getpid());
        const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (descriptor < 0 || ::ftruncate(descriptor, static_cast<off_t>(bytes)) != 0) std::abort();
        void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
        ::close(descriptor);
        if (memory == MAP_FAILED) std::abort();
        file_ = static_cast<File*>(memory);
        write(Event::born, 0, index, static_cast<std::uint64_t>(::getpid()));
    }
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    void write(Event event, std::uint64_t token, std::uint32_t other = 0, std::uint64_t extra = 0) noexcept {
        const std::uint64_t at = file_->count.load(std::memory_order_relaxed);
        if (at == records_max) return;  // the judge says so
        file_->records[at] = {now(), static_cast<std::uint32_t>(event), other, token, extra};
        file_->count.store(at + 1, std::memory_order_release);
    }
    [[nodiscard]] static std::int64_t now() noexcept {
        return std::chrono::steady_clock::now().time_since_epoch().count();
    }

private:
    struct Record {
        std::int64_t at;
        std::uint32_t event;
        std::uint32_t other;
        std::uint64_t token;
        std::uint64_t extra;
    };
    static_assert(sizeof(Record) == 32);
    static constexpr std::uint64_t records_max = 1'000'000;
    struct File {
        std::atomic<std::uint64_t> count;
        std::uint64_t reserved[3];
        Record records[records_max];
    };
    static constexpr std::size_t bytes = sizeof(File);
    File* file_ = nullptr;
};

}  // namespace soaker
