// Rings: records between one writer and one reader, and what a reader makes of a ring that is not as it should be.
#include "runtime/lanes/ring.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <random>
#include <set>
#include <thread>

#include "tests/catch.hpp"

namespace {

using namespace baton;
using namespace baton::detail;

// Memory of exactly its size, so that AddressSanitizer sees whatever lies outside.
class HeapArea final : public RingArea {
public:
    explicit HeapArea(std::size_t bytes, std::size_t committed_max = ~std::size_t{0})
        : memory_(bytes), committed_max_(committed_max) {}
    [[nodiscard]] std::size_t bytes_max() const noexcept override { return memory_.size(); }
    [[nodiscard]] std::byte* enter(std::size_t offset, std::size_t bytes) noexcept override {
        if (refuses_from && offset >= *refuses_from) return nullptr;
        return bytes <= memory_.size() && offset <= memory_.size() - bytes ? memory_.data() + offset : nullptr;
    }
    // No page is committed twice or given back twice.
    [[nodiscard]] bool commit(std::size_t offset, std::size_t bytes) noexcept override {
        if (committed + bytes > committed_max_) return false;
        committed += bytes;
        for (std::size_t at = offset; at < offset + bytes; at += 4096) are_balanced &= pages_.insert(at).second;
        return true;
    }
    void give_back(std::size_t offset, std::size_t bytes) noexcept override {
        committed -= bytes;
        for (std::size_t at = offset; at < offset + bytes; at += 4096) are_balanced &= pages_.erase(at) == 1;
        std::fill_n(memory_.begin() + static_cast<std::ptrdiff_t>(offset), bytes, std::byte{0});
    }
    std::vector<std::byte>& memory() { return memory_; }
    std::size_t committed = 0;
    bool are_balanced = true;
    std::optional<std::size_t> refuses_from;  // cannot be entered

private:
    std::vector<std::byte> memory_;
    std::set<std::size_t> pages_;
    std::size_t committed_max_;
};

struct Ring {
    ~Ring() { CHECK(area.are_balanced); }
    explicit Ring(std::size_t bytes = std::size_t{16} << 20, std::size_t committed_max = ~std::size_t{0})
        : area(bytes, committed_max) {}
    RingWords words{};
    HeapArea area;
    RingWriter writer{words, area};
    RingReader reader{words, area};

    bool write(std::string_view record) {
        std::byte* const room = writer.reserve(record.size());
        if (room == nullptr) return false;
        std::memcpy(room, record.data(), record.size());
        writer.commit(record.size());
        return true;
    }
    // Nothing if there is none.
    std::optional<std::string> read() {
        const std::optional<std::string_view> record = reader.peek().value();
        if (!record) return std::nullopt;
        std::string copy(*record);
        was_woken = reader.release() || was_woken;
        return copy;
    }
    bool was_woken = false;
};

std::string record_of(std::size_t number, std::size_t bytes) {
    std::string record = std::to_string(number);
    record.resize(std::max(record.size(), bytes), static_cast<char>('a' + number % 26));
    return record;
}

}  // namespace

TEST_CASE("records of any size come out whole, once and in order, however far the reader is behind", "[lanes]") {
    Ring ring;
    std::mt19937 random{7};
    std::size_t written = 0;
    std::deque<std::string> expected;
    const auto any_size = [&] {
        return random() % 50 == 0 ? random() % ring_record_bytes_max : random() % (random() % 5 == 0 ? 5'000 : 100);
    };
    for (int step = 0; step < 5'000; ++step) {
        for (std::size_t count = random() % 4; count > 0; --count) {
            const std::string record = record_of(written, any_size());
            if (!ring.write(record)) break;
            ++written;
            expected.push_back(record);
        }
        for (std::size_t count = random() % 4; count > 0; --count) {
            const std::optional<std::string> record = ring.read();
            REQUIRE(record.has_value() == !expected.empty());
            if (!record) break;
            REQUIRE((*record == expected.front()));
            expected.pop_front();
        }
    }
    while (!expected.empty()) {
        REQUIRE((ring.read() == expected.front()));
        expected.pop_front();
    }
    CHECK(ring.reader.is_empty());
    CHECK(ring.writer.is_empty());
    CHECK(written > 1'000);
}

TEST_CASE("a ring whose reader keeps up stays in one page, and an empty one takes no memory", "[lanes]") {
    Ring ring;
    CHECK(ring.area.committed == 0);
    CHECK(ring.read() == std::nullopt);
    for (std::size_t number = 0; number < 10'000; ++number) {
        REQUIRE(ring.write(record_of(number, number % 200)));
        REQUIRE((ring.read() == record_of(number, number % 200)));
    }
    CHECK(ring.area.committed == 4096);
}

TEST_CASE("the largest record fits into an empty ring, and an empty record is one", "[lanes]") {
    Ring ring;
    for (int round = 0; round < 20; ++round) {
        REQUIRE(ring.write(std::string(ring_record_bytes_max, 'x')));
        REQUIRE(ring.write(""));
        REQUIRE((ring.read() == std::string(ring_record_bytes_max, 'x')));
        REQUIRE(ring.read() == "");
    }
}

TEST_CASE("a ring that is full says so, keeps what it has, and takes more once the reader has left a chunk",
          "[lanes]") {
    Ring ring{std::size_t{64} << 10};
    std::size_t written = 0;
    while (ring.write(record_of(written, 100))) ++written;
    CHECK(written > 400);
    CHECK_FALSE(ring.writer.lacks_memory());
    CHECK(ring.writer.ask_for_room(100));
    std::size_t read = 0;
    for (; !ring.was_woken; ++read) REQUIRE((ring.read() == record_of(read, 100)));
    CHECK(ring.write(record_of(written, 100)));
    ++written;
    for (; read < written; ++read) REQUIRE((ring.read() == record_of(read, 100)));
    CHECK(ring.read() == std::nullopt);
}

TEST_CASE("a writer that finds room on its second look does not wait, and is not woken", "[lanes]") {
    Ring ring{std::size_t{64} << 10};
    std::size_t written = 0;
    while (ring.write(record_of(written, 100))) ++written;
    while (ring.read()) continue;
    CHECK_FALSE(ring.writer.ask_for_room(100));
    while (ring.write("more")) continue;
    while (ring.read()) continue;
    CHECK_FALSE(ring.was_woken);
}

TEST_CASE("where memory is short a ring goes on with the page that it has", "[lanes]") {
    Ring ring{std::size_t{16} << 20, 4096};
    for (std::size_t round = 0; round < 100; ++round) {
        std::size_t written = 0;
        while (ring.write(record_of(written, 300))) ++written;
        REQUIRE(written >= 4);
        CHECK(ring.writer.lacks_memory());
        for (std::size_t read = 0; read < written; ++read) REQUIRE((ring.read() == record_of(read, 300)));
    }
    CHECK_FALSE(ring.write(std::string(10'000, 'x')));
    Ring none{std::size_t{16} << 20, 0};
    CHECK_FALSE(none.write("x"));
    CHECK(none.writer.lacks_memory());
}

// Goal: small records that fill an area leave no layout in which a large one finds no place for ever.
TEST_CASE("a ring that many small chunks have filled takes the largest record once it has been read", "[lanes]") {
    Ring ring{std::size_t{16} << 20};
    for (int round = 0; round < 3; ++round) {
        std::size_t written = 0;
        while (ring.write(record_of(written, 1'000))) ++written;
        while (ring.read()) continue;
        REQUIRE(ring.write(std::string(ring_record_bytes_max, 'x')));
        REQUIRE((ring.read() == std::string(ring_record_bytes_max, 'x')));
    }
}

// Goal: a ring that has gone quiet takes one page again, whatever it once held. Method: its writer trims it at every
// stage of a burst; what was given back is zero, as the kernel makes it.
TEST_CASE("a ring that was large gives back all but its first page once it has been read, and can grow again",
          "[lanes]") {
    Ring ring;
    const auto record_bytes = GENERATE(std::size_t{500}, std::size_t{5'000}, std::size_t{900'000});
    const std::size_t count = 10'000'000 / record_bytes;
    std::size_t number = 0;
    for (int round = 0; round < 3; ++round) {
        for (std::size_t index = 0; index < count; ++index) REQUIRE(ring.write(record_of(index, record_bytes)));
        const std::size_t grown = ring.area.committed;
        CHECK(grown > 9'000'000);
        CHECK(ring.writer.has_grown());
        ring.writer.trim();
        CHECK(ring.area.committed == grown);  // all of it is on its way
        for (std::size_t index = 0; index < count; ++index) REQUIRE((ring.read() == record_of(index, record_bytes)));
        ring.writer.trim();
        CHECK(ring.area.committed <= 4 * 4096);  // and the pages of the chunk that its reader has not left yet
        CHECK(ring.reader.is_empty());
        ring.writer.trim();
        REQUIRE(ring.write(record_of(++number, 10)));
        REQUIRE((ring.read() == record_of(number, 10)));
        ring.writer.trim();
        CHECK(ring.area.committed == 4096);
        CHECK_FALSE(ring.writer.has_grown());
    }
}

TEST_CASE("another reader finds its way out of a chunk that was given back", "[lanes]") {
    Ring ring;
    for (std::size_t number = 0; number < 2'000; ++number) REQUIRE(ring.write(record_of(number, 500)));
    for (std::size_t number = 0; number < 2'000; ++number) REQUIRE((ring.read() == record_of(number, 500)));
    ring.writer.trim();
    REQUIRE(ring.write("behind the jump"));
    RingReader other{ring.words, ring.area, RingPlace::of(ring.words.read.load())};
    CHECK(other.peek().value().value() == "behind the jump");
}

// Goal: trimming at any moment changes nothing of what is read, and no byte is given back twice.
TEST_CASE("records come out whole and in order, however often their ring is trimmed", "[lanes]") {
    Ring ring;
    std::mt19937 random{17};
    std::deque<std::string> expected;
    for (std::size_t number = 0; number < 20'000; ++number) {
        const std::string record = record_of(number, random() % (random() % 10 == 0 ? 200'000 : 3'000));
        if (ring.write(record)) expected.push_back(record);
        for (std::size_t count = random() % 4; count > 0 && !expected.empty(); --count) {
            REQUIRE((ring.read() == expected.front()));
            expected.pop_front();
        }
        if (random() % 3 == 0) ring.writer.trim();
    }
    while (!expected.empty()) {
        REQUIRE((ring.read() == expected.front()));
        expected.pop_front();
    }
    REQUIRE(ring.write("last"));
    ring.writer.trim();
    CHECK(ring.read() == "last");
    ring.writer.trim();
    REQUIRE(ring.write(""));
    REQUIRE(ring.read() == "");
    ring.writer.trim();
    CHECK(ring.area.committed == 4096);
}

// Goal: what a dead reader has not taken can be told by somebody else, from what it has published.
TEST_CASE("another reader goes on where the first one stopped", "[lanes]") {
    Ring ring;
    for (std::size_t number = 0; number < 1'000; ++number) REQUIRE(ring.write(record_of(number, 77)));
    for (std::size_t number = 0; number < 321; ++number) REQUIRE((ring.read() == record_of(number, 77)));
    static_cast<void>(ring.reader.peek());  // seen and not taken
    RingReader heir{ring.words, ring.area, RingPlace::of(ring.words.read.load())};
    for (std::size_t number = 321; number < 1'000; ++number) {
        const std::optional<std::string_view> record = heir.peek().value();
        REQUIRE(record);
        REQUIRE((*record == record_of(number, 77)));
        static_cast<void>(heir.release());
    }
    CHECK(heir.is_empty());
}

TEST_CASE("a chunk that its reader cannot map now is read later, and nothing before it is read twice", "[lanes]") {
    Ring ring;
    std::size_t written = 0;
    for (; ring.area.committed < 20'000; ++written) REQUIRE(ring.write(record_of(written, 100)));
    ring.area.refuses_from = 8'192;
    std::size_t read = 0;
    for (;; ++read) {
        const auto record = ring.reader.peek();
        if (!record) {
            CHECK(record.error().kind == ErrorKind::overloaded);
            break;
        }
        REQUIRE(record->has_value());
        REQUIRE((**record == record_of(read, 100)));
        static_cast<void>(ring.reader.release());
    }
    CHECK(read < written);
    CHECK_FALSE(ring.reader.is_empty());
    ring.area.refuses_from = std::nullopt;
    for (; read < written; ++read) REQUIRE((ring.read() == record_of(read, 100)));
    CHECK(ring.reader.is_empty());
}

// Goal: whatever a process writes into its ring, its reader reads nothing outside, says what is wrong, and ends.
TEST_CASE("a reader survives any bytes in a ring and its words", "[lanes]") {
    std::mt19937_64 random{11};
    std::size_t corrupt = 0;
    for (int round = 0; round < 20'000; ++round) {
        Ring ring{std::size_t{64} << 10};
        const std::size_t records = random() % 60;
        for (std::size_t number = 0; number < records; ++number) ring.write(record_of(number, random() % 300));
        for (std::size_t flips = 1 + random() % 4; flips > 0; --flips) {
            switch (random() % 4) {
                case 0: ring.words.written.store(random()); break;
                case 1: ring.words.written.fetch_xor(std::uint64_t{1} << random() % 64); break;
                case 2: ring.area.memory()[random() % 8'192] = static_cast<std::byte>(random()); break;
                default: {
                    const auto head = static_cast<std::uint32_t>(random());
                    std::memcpy(&ring.area.memory()[random() % 1'000 * 8], &head, sizeof head);
                }
            }
        }
        for (std::size_t reads = 0; reads < 100'000; ++reads) {
            const Result<std::optional<std::string_view>> record = ring.reader.peek();
            if (!record) {
                ++corrupt;
                CHECK(record.error().kind == ErrorKind::corrupt);
                CHECK(ring.reader.peek().error().kind == ErrorKind::corrupt);
                CHECK(ring.reader.is_empty());
                break;
            }
            if (!*record) break;
            std::size_t sum = 0;
            for (const char one : **record) sum += static_cast<unsigned char>(one);
            REQUIRE(sum < ~std::size_t{0});
            static_cast<void>(ring.reader.release());
        }
    }
    CHECK(corrupt > 1'000);
}

TEST_CASE("a writer survives whatever a reader says that it has read", "[lanes]") {
    std::mt19937_64 random{13};
    Ring ring{std::size_t{256} << 10};
    std::size_t written = 0;
    for (int step = 0; step < 100'000; ++step) {
        if (random() % 3 == 0) ring.words.read.store(random());
        if (random() % 7 == 0) ring.words.read.store(ring.words.written.load());
        written += ring.write(record_of(written, random() % 3'000)) ? 1U : 0U;
        if (random() % 50 == 0) ring.writer.trim();
    }
    CHECK(written > 1'000);
}

TEST_CASE("one thread writes and another reads, and nothing is lost or torn", "[lanes]") {
    Ring ring{std::size_t{1} << 20};
    constexpr std::size_t count = 100'000;
    std::thread writer{[&] {
        for (std::size_t number = 0; number < count; ++number)
            while (!ring.write(record_of(number, number % 90))) std::this_thread::yield();
    }};
    std::size_t wrong = 0;
    for (std::size_t number = 0; number < count;) {
        const std::optional<std::string> record = ring.read();
        if (!record) {
            std::this_thread::yield();
            continue;
        }
        wrong += *record != record_of(number, number % 90);
        ++number;
    }
    writer.join();
    CHECK(wrong == 0);
    CHECK(ring.reader.is_empty());
}
