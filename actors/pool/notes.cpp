#include <baton/detail/pool/notes.hpp>

#include <atomic>
#include <cstring>

namespace baton::detail::pool {
namespace {

constexpr std::size_t head_words = 2;
constexpr int bits = 24;
constexpr std::uint64_t mask = (std::uint64_t{1} << bits) - 1;

constexpr std::uint64_t packed(std::uint16_t batch, std::uint64_t tasks, std::uint64_t bytes) {
    return std::uint64_t{batch} << (2 * bits) | tasks << bits | bytes;
}

struct Head {
    std::uint32_t moment = 0;
    std::uint32_t size = 0;
};
constexpr std::uint32_t is_failure = std::uint32_t{1} << 31;

// The notes themselves, cut off one after the other. Nothing if they end too early.
class Pieces {
public:
    explicit Pieces(std::span<const std::byte> bytes) : bytes_(bytes) {}
    std::optional<std::string_view> next(std::size_t size) {
        if (bytes_.size() < size) return std::nullopt;
        const std::string_view piece{reinterpret_cast<const char*>(bytes_.data()), size};
        bytes_ = bytes_.subspan(size);
        return piece;
    }

private:
    std::span<const std::byte> bytes_;
};

std::optional<ErrorBody> failure_of(std::string_view bytes) {
    Unpacker unpacker;
    std::size_t offset = 0;
    Decoding decoding{"ErrorBody"};
    ErrorBody body;
    const Result<Value> read = unpacker.next(bytes, offset);
    if (!read || !decode(*read, body, decoding)) return std::nullopt;
    return body;
}

void append(std::vector<std::byte>& to, std::span<const std::byte> bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
}

}  // namespace

void Notes::open(std::uint16_t batch, Timestamp started) noexcept {
    batch_ = batch;
    tasks_ = 0;
    bytes_ = 0;
    if (words_.empty()) return;
    const auto since_1970 = static_cast<std::uint64_t>(started.time_since_epoch().count());
    std::atomic_ref{words_[1]}.store(since_1970, std::memory_order_relaxed);
    std::atomic_ref{words_[0]}.store(packed(batch, 0, 0), std::memory_order_release);
}

bool Notes::note(std::uint32_t moment, std::string_view result) noexcept { return note(moment, result, 0); }

bool Notes::note(std::uint32_t moment, const ErrorBody& failure) {
    Buffer bytes;
    Encoder encoder{bytes};
    encode(encoder, failure);
    return note(moment, bytes, is_failure);
}

bool Notes::note(std::uint32_t moment, std::string_view bytes, std::uint32_t flag) noexcept {
    if (words_.empty()) return true;  // nobody reads
    const std::span<std::byte> room = std::as_writable_bytes(words_.subspan(head_words)).subspan(bytes_);
    if (bytes.size() > room.size() || room.size() - bytes.size() < sizeof(Head)) return false;
    const Head head{moment, static_cast<std::uint32_t>(bytes.size()) | flag};
    std::memcpy(room.data(), &head, sizeof head);
    std::memcpy(room.data() + sizeof head, bytes.data(), bytes.size());
    bytes_ += sizeof head + bytes.size();
    std::atomic_ref{words_[0]}.store(packed(batch_, ++tasks_, bytes_), std::memory_order_release);
    return true;
}

std::optional<Done> read_notes(std::span<std::uint64_t, notes_words> words, std::uint16_t batch, std::size_t known,
                               std::size_t tasks) {
    const std::uint64_t noted = std::atomic_ref{words[0]}.load(std::memory_order_acquire);
    const std::uint64_t count = noted >> bits & mask;
    const std::span<const std::byte> room = std::as_bytes(words.subspan(head_words));
    const std::size_t size = noted & mask;
    if (noted >> (2 * bits) != batch || count <= known || count > tasks || size > room.size()) return std::nullopt;
    const std::vector<std::byte> copy(room.begin(), room.begin() + static_cast<std::ptrdiff_t>(size));

    Done done;
    const std::uint64_t since_1970 = std::atomic_ref{words[1]}.load(std::memory_order_relaxed);
    done.started = Timestamp{std::chrono::nanoseconds{static_cast<std::int64_t>(since_1970)}};
    Buffer results;
    Encoder values{results};
    values.array(count - known);
    Pieces pieces{copy};
    for (std::size_t task = 0; task < count; ++task) {
        Head head;
        const std::optional<std::string_view> head_bytes = pieces.next(sizeof head);
        if (!head_bytes) return std::nullopt;
        std::memcpy(&head, head_bytes->data(), sizeof head);
        const std::optional<std::string_view> bytes = pieces.next(head.size & ~is_failure);
        if (!bytes) return std::nullopt;
        if (task < known) continue;
        done.took = std::chrono::nanoseconds{head.moment};
        append(done.moments, std::as_bytes(std::span(&head.moment, 1)));
        if ((head.size & is_failure) == 0) {
            results += *bytes;
            continue;
        }
        std::optional<ErrorBody> failure = failure_of(*bytes);
        if (!failure) return std::nullopt;
        values.nil();
        done.failures.push_back({static_cast<std::uint32_t>(task - known), std::move(*failure)});
    }
    append(done.results, std::as_bytes(std::span(results)));
    return done;
}

}  // namespace baton::detail::pool
