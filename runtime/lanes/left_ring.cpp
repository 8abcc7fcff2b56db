#include "runtime/lanes/left_ring.hpp"

#include <cstring>
#include <new>

#include "runtime/lanes/lane.hpp"

namespace baton::detail {

std::unique_ptr<LeftRing> LeftRing::open(std::string_view session_id, ActorId opener, ActorId receiver) {
    Result<SharedObject> object = SharedObject::open(lane_name(session_id, opener, receiver));
    if (!object) return nullptr;
    const auto word_at = [&](std::size_t offset) {
        std::uint64_t word = 0;
        static_cast<void>(object->read(offset, {reinterpret_cast<char*>(&word), sizeof word}));
        return word;
    };
    constexpr std::size_t commands = offsetof(LaneWords, commands);
    if (word_at(offsetof(LaneWords, made)) != LaneWords::version) return nullptr;
    const std::uint64_t read = word_at(commands + offsetof(RingWords, read));
    const std::uint64_t written = word_at(commands + offsetof(RingWords, written));
    return std::unique_ptr<LeftRing>{new LeftRing{std::move(*object), written, read}};
}

LeftRing::LeftRing(SharedObject object, std::uint64_t written, std::uint64_t read)
    : area_(std::move(object)), reader_(words_, area_, RingPlace::of(read)) {
    words_.written.store(written, std::memory_order_relaxed);
}

std::optional<std::string_view> LeftRing::next() {
    if (!std::exchange(is_first_, false)) static_cast<void>(reader_.release());
    const Result<std::optional<std::string_view>> record = reader_.peek();
    return record ? *record : std::nullopt;
}

std::size_t LeftRing::FileArea::bytes_max() const noexcept { return Lane::command_bytes_max; }

std::byte* LeftRing::FileArea::enter(std::size_t offset, std::size_t bytes) noexcept {
    try {
        bytes_.resize(bytes);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
    const bool is_read = object_.read(LaneWords::bytes + offset, {bytes_.data(), bytes_.size()});
    return is_read ? reinterpret_cast<std::byte*>(bytes_.data()) : nullptr;
}

}  // namespace baton::detail
