// Goal: no bytes from the world make the decoder crash, leak, read beyond them or take memory without bound.
// Method: libFuzzer feeds frames to what an inbox does with them: envelope with manifest, body, then the fields of a
// rich struct, of one that carries segments, and of what the coordinator and its peers say; and to what it does with a
// brief record, of a command or a reply, and its body by position. What decodes must survive being encoded again, and a
// handle of an accepted manifest makes sense.

#include <memory>

#include <baton/detail/positional.hpp>
#include <baton/limits.hpp>
#include "runtime/wire/brief.hpp"
#include "runtime/wire/envelope.hpp"
#include "runtime/wire/notices.hpp"
#include "tests/fuzz/everything.hpp"

namespace {

template <class T>
void decode_one(baton::detail::Value body) {
    T first{};
    baton::detail::Decoding at{"Fuzzed"};
    if (!baton::detail::decode(body, first, at)) {
        if (at.take_error().text.empty()) __builtin_trap();  // a refusal says why
        return;
    }
    baton::detail::Buffer bytes;
    baton::detail::Encoder encoder{bytes};
    baton::detail::encode(encoder, first);
    baton::detail::Unpacker unpacker;
    std::size_t offset = 0;
    const baton::Result<baton::detail::Value> again = unpacker.next(bytes, offset);
    T second{};
    baton::detail::Decoding second_at{"Again"};
    if (!again || offset != bytes.size() || !baton::detail::decode(*again, second, second_at)) __builtin_trap();
}

// By position, from the same bytes. What is read has a form of its own, which is read again.
template <class T>
void read_one(std::string_view bytes) {
    constexpr std::size_t bytes_max = std::size_t{1} << 24;
    T first{};
    baton::detail::Decoding at{"Fuzzed"};
    if (!baton::detail::positional::read_into<T>(bytes, &first, at)) {
        if (at.take_error().text.empty()) __builtin_trap();
        return;
    }
    const std::size_t size = baton::detail::positional::measure_of<T>(first, bytes_max);
    if (size > bytes.size()) __builtin_trap();
    const auto written = std::make_unique<std::byte[]>(size);
    baton::detail::positional::write_to<T>(&first, written.get());
    T second{};
    baton::detail::Decoding second_at{"Again"};
    if (!baton::detail::positional::read_into<T>({reinterpret_cast<const char*>(written.get()), size}, &second,
                                                 second_at))
        __builtin_trap();
}
void read_by_position(std::string_view frame) {
    read_one<everything::Everything>(frame);
    read_one<baton::detail::coordinator::Join>(frame);
    read_one<std::vector<baton::RosterRow>>(frame);
    if (const auto reply = baton::detail::read_brief_reply(frame); reply) {
        if (reply->body.size() >= frame.size()) __builtin_trap();
        read_one<everything::Everything>(reply->body);
    }
    std::string tag;
    const baton::Result<baton::detail::Brief> brief = baton::detail::read_brief(frame, tag);
    if (!brief) return;
    if (brief->tag.data() != tag.data() || brief->body.size() > frame.size()) __builtin_trap();
    read_one<everything::Everything>(brief->body);
}

// Every handle that is let in has a size within bounds, and the envelope is the same after another journey.
void check_envelope(const baton::detail::Envelope& envelope) {
    for (const baton::detail::Handle& handle : envelope.manifest) {
        const std::optional<std::uint64_t> bytes = handle.layout.bytes();
        if (!bytes || *bytes > baton::limits::segment_bytes_max || handle.slot >= baton::limits::segments_max ||
            handle.lease >= baton::limits::leases_max)
            __builtin_trap();
        if (baton::to_text(handle.layout).empty()) __builtin_trap();
    }
    baton::detail::Buffer bytes;
    baton::detail::Encoder encoder{bytes};
    baton::detail::begin_record(encoder, envelope);
    baton::detail::Unpacker unpacker;
    std::size_t offset = 0;
    const baton::Result<baton::detail::Envelope> again = baton::detail::read_envelope(unpacker, bytes, offset);
    if (!again || offset != bytes.size() || again->manifest != envelope.manifest || again->tag != envelope.tag)
        __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string frame{reinterpret_cast<const char*>(data), size};
    read_by_position({reinterpret_cast<const char*>(data), size});
    baton::detail::Unpacker unpacker;
    std::size_t offset = 0;
    while (offset < frame.size()) {
        unpacker.clear();
        const std::size_t start = offset;
        const baton::Result<baton::detail::Envelope> envelope = baton::detail::read_envelope(unpacker, frame, offset);
        if (!envelope) break;
        const baton::Result<baton::detail::Value> body = unpacker.next(frame, offset);
        if (!body) break;
        if (offset <= start || offset > frame.size()) __builtin_trap();  // or the inbox would never end
        check_envelope(*envelope);
        decode_one<everything::Everything>(*body);
        decode_one<everything::Carrying>(*body);
        decode_one<baton::detail::ErrorBody>(*body);
        decode_one<baton::detail::coordinator::Join>(*body);
        decode_one<baton::detail::coordinator::Spawn>(*body);
        decode_one<std::vector<baton::RosterRow>>(*body);
        decode_one<baton::detail::coordinator::SegmentList>(*body);
        decode_one<baton::detail::notice::Exited>(*body);
        decode_one<baton::detail::notice::Drain>(*body);
    }
    return 0;
}
