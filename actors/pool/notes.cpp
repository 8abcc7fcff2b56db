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

// Stands before an ErrorBody: no value begins with it.
constexpr std::string_view failure_mark = "\xc1";

std::optional<ErrorBody> failure_of(const Value& value) {
    Decoding decoding{"ErrorBody"};
    ErrorBody body;
    if (!decode(value, body, decoding)) return std::nullopt;
    return body;
}

// The notes themselves, one after the other. Nothing if they end too early, or are not what was noted.
class Pieces {
public:
    explicit Pieces(std::span<const std::byte> bytes)
        : bytes_(reinterpret_cast<const char*>(bytes.data()), bytes.size()) {}

    struct Piece {
        std::uint32_t moment = 0;
        bool has_failed = false;
        std::string_view bytes;
        Value value;  // until the next one
    };
    std::optional<Piece> next() {
        Piece piece;
        if (bytes_.size() - at_ < sizeof piece.moment) return std::nullopt;
        std::memcpy(&piece.moment, bytes_.data() + at_, sizeof piece.moment);
        at_ += sizeof piece.moment;
        piece.has_failed = bytes_.substr(at_).starts_with(failure_mark);
        if (piece.has_failed) at_ += failure_mark.size();
        const std::size_t begin = at_;
        unpacker_.clear();
        const Result<Value> value = unpacker_.next(bytes_, at_);
        if (!value) return std::nullopt;
        piece.value = *value;
        piece.bytes = bytes_.substr(begin, at_ - begin);
        return piece;
    }

private:
    std::string_view bytes_;
    std::size_t at_ = 0;
    Unpacker unpacker_;
};

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

bool Notes::note(std::uint32_t moment, const ErrorBody& failure) {
    Buffer bytes{failure_mark};
    Encoder encoder{bytes};
    encode(encoder, failure);
    return note(moment, bytes);
}

bool Notes::note(std::uint32_t moment, std::string_view bytes) noexcept {
    if (words_.empty()) return true;  // nobody reads
    const std::span<std::byte> room = std::as_writable_bytes(words_.subspan(head_words)).subspan(bytes_);
    if (bytes.size() > room.size() || room.size() - bytes.size() < sizeof moment) return false;
    std::memcpy(room.data(), &moment, sizeof moment);
    std::memcpy(room.data() + sizeof moment, bytes.data(), bytes.size());
    bytes_ += sizeof moment + bytes.size();
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
        const std::optional<Pieces::Piece> piece = pieces.next();
        if (!piece) return std::nullopt;
        if (task < known) continue;
        done.took = std::chrono::nanoseconds{piece->moment};
        append(done.moments, std::as_bytes(std::span(&piece->moment, 1)));
        if (!piece->has_failed) {
            results += piece->bytes;
            continue;
        }
        std::optional<ErrorBody> failure = failure_of(piece->value);
        if (!failure) return std::nullopt;
        values.nil();
        done.failures.push_back({static_cast<std::uint32_t>(task - known), std::move(*failure)});
    }
    append(done.results, std::as_bytes(std::span(results)));
    return done;
}

}  // namespace baton::detail::pool
