// Goal: no bytes in a ring, in its words or in the head of its lane make a reader crash, read outside the memory, or go
// round for ever, even if they change while it reads; and no word of a reader makes a writer do so. Method: the first
// byte of the input chooses one of four stories. `reads` and `races` write the input into a ring under its reader,
// between any two of its looks or in another thread at any time; `writes` lets a writer work against what the input
// says that has been read; `LaneFile` writes it into the file of a lane, which a receiver opens, and from which the
// coordinator reads what a dead receiver left, even if it is cut short. The area is memory of exactly its size, so that
// AddressSanitizer sees what lies outside.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/lanes/lane.hpp"
#include "runtime/lanes/left_ring.hpp"
#include "runtime/vitals/vitals.hpp"

namespace {

using namespace baton;
using namespace baton::detail;

constexpr std::size_t area_bytes = std::size_t{64} << 10;
constexpr std::size_t page_bytes = 4096;
constexpr int reads_max = 2'000;
constexpr int races_per_input = 10;

// What is left of the input.
class Input {
public:
    Input(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}
    [[nodiscard]] bool is_empty() const { return left_ == 0; }
    template <class Value>
    Value take() {
        Value value{};
        const std::size_t bytes = std::min(sizeof value, left_);
        std::memcpy(&value, data_, bytes);
        data_ += bytes;
        left_ -= bytes;
        return value;
    }

private:
    const std::uint8_t* data_;
    std::size_t left_;
};

// Some bytes into the words or near the beginning of the memory, where all that is worth changing lies.
struct Write {
    std::uint8_t where = 0;  // 0..3: `written`; 4, 5: `read`; 6: `wants_room`; else the memory
    std::uint16_t at = 0;    // in steps of 4 bytes; every second time near the beginning
    std::uint8_t bytes = 0;
    std::uint64_t value = 0;

    static Write of(Input& input) {
        return {input.take<std::uint8_t>(), input.take<std::uint16_t>(), input.take<std::uint8_t>(),
                input.take<std::uint64_t>()};
    }
    void apply(RingWords& words, std::byte* memory) const {
        switch (where % 16) {
            case 0: case 1: case 2: case 3: words.written.store(value); return;
            case 4: case 5: words.read.store(value); return;
            case 6: words.wants_room.store(static_cast<std::uint32_t>(value)); return;
            default: break;
        }
        const std::size_t offset = std::size_t{at} * 4 % (where % 2 == 0 ? area_bytes : 256);
        std::memcpy(memory + offset, &value, std::min<std::size_t>({bytes % 9U, area_bytes - offset, sizeof value}));
    }
};

// Checks what a ring does with it: no page is committed or given back twice, and none is used before.
class HeapArea final : public RingArea {
public:
    HeapArea() : memory_(area_bytes) {}
    [[nodiscard]] std::size_t bytes_max() const noexcept override { return memory_.size(); }
    [[nodiscard]] std::byte* enter(std::size_t offset, std::size_t bytes) noexcept override {
        if (on_enter) on_enter();
        return bytes <= memory_.size() && offset <= memory_.size() - bytes ? memory_.data() + offset : nullptr;
    }
    [[nodiscard]] bool commit(std::size_t offset, std::size_t bytes) noexcept override {
        if (is_short) return false;
        mark(offset, bytes, true);
        return true;
    }
    void give_back(std::size_t offset, std::size_t bytes) noexcept override {
        mark(offset, bytes, false);
        std::fill_n(memory_.begin() + static_cast<std::ptrdiff_t>(offset), bytes, std::byte{0});
    }
    [[nodiscard]] bool holds(const void* start, std::size_t bytes) const {
        const auto offset = static_cast<std::size_t>(static_cast<const std::byte*>(start) - memory_.data());
        return offset <= memory_.size() && bytes <= memory_.size() - offset;
    }
    [[nodiscard]] bool is_committed(const void* start, std::size_t bytes) const {
        const auto offset = static_cast<std::size_t>(static_cast<const std::byte*>(start) - memory_.data());
        for (std::size_t page = offset / page_bytes; page * page_bytes < offset + bytes; ++page)
            if (!pages_[page]) return false;
        return true;
    }
    std::byte* data() { return memory_.data(); }
    bool is_short = false;
    std::function<void()> on_enter;

private:
    void mark(std::size_t offset, std::size_t bytes, bool as) {
        if (offset % page_bytes != 0 || bytes % page_bytes != 0) __builtin_trap();
        for (std::size_t page = offset / page_bytes; page < (offset + bytes) / page_bytes; ++page)
            if (std::exchange(pages_[page], as) == as) __builtin_trap();
    }
    std::vector<std::byte> memory_;
    std::array<bool, area_bytes / page_bytes> pages_{};
};

// Some whole records, for the input to change.
void write_some(RingWords& words, RingArea& area, Input& input) {
    RingWriter writer{words, area};
    for (int count = input.take<std::uint8_t>() % 32; count > 0; --count) {
        const std::size_t bytes = input.take<std::uint16_t>() % 3'000;
        std::byte* const room = writer.reserve(bytes);
        if (room == nullptr) return;
        std::memset(room, count, bytes);
        writer.commit(bytes);
    }
}

// Until there is nothing more, or it is corrupt, and is so for ever.
template <class Holds>
void read_on(RingReader& reader, const Holds& holds, const std::function<void()>& between) {
    for (int count = 0; count < reads_max; ++count) {
        const Result<std::optional<std::string_view>> record = reader.peek();
        if (!record && record.error().kind == ErrorKind::corrupt) {
            if (reader.peek().ok() || !reader.is_empty()) __builtin_trap();
            return;
        }
        if (!record || !*record) return;
        if (!holds((*record)->data(), (*record)->size())) __builtin_trap();
        between();
        const std::string copy(**record);  // touches every byte
        static_cast<void>(copy);
        static_cast<void>(reader.release());
        static_cast<void>(reader.is_empty());
    }
}

void reads(Input input) {
    RingWords words{};
    HeapArea area;
    write_some(words, area, input);
    const auto change = [&] {
        if (!input.is_empty()) Write::of(input).apply(words, area.data());
    };
    for (int count = input.take<std::uint8_t>() % 8; count > 0; --count) change();
    area.on_enter = change;
    RingReader reader{words, area, RingPlace::of(words.read.load())};
    read_on(reader, [&](const void* at, std::size_t bytes) { return area.holds(at, bytes); }, change);
}

void races(Input input) {
    RingWords words{};
    HeapArea area;
    write_some(words, area, input);
    std::vector<Write> writes;
    while (!input.is_empty() && writes.size() < 64) writes.push_back(Write::of(input));
    if (writes.empty()) return;
    const std::uint64_t written = words.written;
    std::atomic<bool> has_begun = false;
    std::atomic<bool> is_over = false;
    std::thread other{[&] {
        while (!is_over) {
            for (const Write& one : writes) one.apply(words, area.data());
            has_begun = true;
        }
    }};
    while (!has_begun) std::this_thread::yield();
    for (int round = 0; round < races_per_input; ++round) {
        words.written = written;
        RingReader reader{words, area};
        read_on(reader, [&](const void* at, std::size_t bytes) { return area.holds(at, bytes); }, [] {});
    }
    is_over = true;
    other.join();
}

void writes(Input input) {
    RingWords words{};
    HeapArea area;
    RingWriter writer{words, area};
    while (!input.is_empty()) {
        const auto what = input.take<std::uint8_t>();
        const std::size_t bytes = input.take<std::uint16_t>() % (what % 2 == 0 ? 200 : 20'000);
        area.is_short = what % 7 == 0;
        switch (what % 11) {
            case 0: words.read.store(input.take<std::uint64_t>()); break;
            case 1: case 2: words.read.store(words.written.load()); break;
            case 3: writer.trim(); break;
            case 4: static_cast<void>(writer.ask_for_room(bytes)); break;
            default: {
                std::byte* const room = writer.reserve(bytes);
                if (room == nullptr) break;
                if (!area.holds(room, bytes) || !area.is_committed(room, bytes)) __builtin_trap();
                std::memset(room, 0xAB, bytes);
                writer.commit(bytes);
            }
        }
    }
}

// The file of one lane for all runs: its first pages, and its size.
class LaneFile {
public:
    LaneFile() {
        static_cast<void>(Lane::create(session_, opener, receiver, {}).value());
        fd_ = ::shm_open(("/" + lane_name(session_, opener, receiver)).c_str(), O_RDWR, 0);
        object_bytes_ = ::lseek(fd_, 0, SEEK_END);
    }
    ~LaneFile() { Lane::remove(session_, opener, receiver); }

    void play(Input input) {
        restore();
        const auto cut = input.take<std::uint16_t>();
        auto* const words = reinterpret_cast<LaneWords*>(memory_);
        std::byte* const data = memory_ + LaneWords::bytes;
        {
            struct Borrowed final : RingArea {
                explicit Borrowed(std::byte* data) : data_(data) {}
                [[nodiscard]] std::size_t bytes_max() const noexcept override { return area_bytes; }
                [[nodiscard]] std::byte* enter(std::size_t offset, std::size_t) noexcept override {
                    return data_ + offset;
                }
                [[nodiscard]] bool commit(std::size_t, std::size_t) noexcept override { return true; }
                void give_back(std::size_t, std::size_t) noexcept override {}
                std::byte* data_;
            } area{data};
            write_some(words->commands, area, input);
        }
        if (cut % 4 == 1) {  // the head
            const std::size_t at = input.take<std::uint8_t>() % 8 * 8;
            const auto value = input.take<std::uint64_t>();
            std::memcpy(memory_ + at, &value, sizeof value);
        }
        while (!input.is_empty()) Write::of(input).apply(words->commands, data);
        // What a living receiver makes of it.
        if (Result<std::unique_ptr<Lane>> lane = Lane::open(session_, opener, receiver, budget_); lane) {
            static_cast<void>((*lane)->is_closed());
            RingReader reader{(*lane)->commands(), (*lane)->command_area(),
                              RingPlace::of((*lane)->commands().read.load())};
            const std::byte* const first = (*lane)->command_area().enter(0, 1);
            read_on(reader, [&](const void* at, std::size_t) { return at != nullptr && first != nullptr; }, [] {});
        }
        // What the coordinator does, which must not care how long the file is.
        if (cut % 4 >= 2) static_cast<void>(::ftruncate(fd_, cut % 4 == 2 ? cut : object_bytes_));
        if (const auto left = LeftRing::open(session_, opener, receiver); left != nullptr)
            for (int count = 0; count < reads_max && left->next(); ++count) continue;
    }

private:
    // As it was made, and with nothing written into it.
    void restore() {
        static_cast<void>(::ftruncate(fd_, 0));
        static_cast<void>(::ftruncate(fd_, object_bytes_));
        static_cast<void>(::posix_fallocate(fd_, 0, LaneWords::bytes + area_bytes));
        if (memory_ == nullptr)
            memory_ = static_cast<std::byte*>(::mmap(nullptr, LaneWords::bytes + area_bytes, PROT_READ | PROT_WRITE,
                                                     MAP_SHARED, fd_, 0));
        if (memory_ == MAP_FAILED) __builtin_trap();
        auto* const words = reinterpret_cast<LaneWords*>(memory_);
        words->opener.store(packed(opener));
        words->receiver.store(packed(receiver));
        words->made.store(LaneWords::version);
    }

    static constexpr ActorId opener{1, 1};
    static constexpr ActorId receiver{2, 1};
    std::string session_ = "fuzzed" + std::to_string(::getpid());
    LaneBudget budget_;
    int fd_ = -1;
    off_t object_bytes_ = 0;
    std::byte* memory_ = nullptr;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static LaneFile file;
    Input input{data, size};
    switch (input.take<std::uint8_t>() % 16) {  // races are slow
        case 3: races(input); break;
        case 4: case 5: case 7: case 8: writes(input); break;
        case 6: case 9: case 10: file.play(input); break;
        default: reads(input); break;
    }
    return 0;
}
