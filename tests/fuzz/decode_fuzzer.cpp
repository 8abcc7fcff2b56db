// Goal: no bytes from the world make the decoder crash, leak, read beyond them or take memory without bound.
// Method: libFuzzer feeds frames to what an inbox does with them: envelope with manifest, body, then the fields of a
// rich struct, of one that carries segments, and of what the coordinator and its peers say. What decodes must survive
// being encoded again, and a handle of an accepted manifest makes sense.

#include "runtime/limits.hpp"
#include "runtime/wire/envelope.hpp"
#include "runtime/wire/notices.hpp"
#include "tests/fuzz/everything.hpp"

namespace {

template <class T>
void decode_one(baton::Value body) {
    T first{};
    baton::Decoding at{"Fuzzed"};
    if (!baton::decode(body, first, at)) {
        if (at.take_error().text.empty()) __builtin_trap();  // a refusal says why
        return;
    }
    baton::Buffer bytes;
    baton::Encoder encoder{bytes};
    baton::encode(encoder, first);
    baton::Unpacker unpacker;
    std::size_t offset = 0;
    const baton::Result<baton::Value> again = unpacker.next(bytes, offset);
    T second{};
    baton::Decoding second_at{"Again"};
    if (!again || offset != bytes.size() || !baton::decode(*again, second, second_at)) __builtin_trap();
}

// Every handle that is let in has a size within bounds, and the envelope is the same after another journey.
void check_envelope(const baton::Envelope& envelope) {
    for (const baton::Handle& handle : envelope.manifest) {
        const std::optional<std::uint64_t> bytes = handle.layout.bytes();
        if (!bytes || *bytes > baton::limits::segment_bytes_max || handle.slot >= baton::limits::segments_max ||
            handle.lease >= baton::limits::leases_max)
            __builtin_trap();
        if (baton::to_text(handle.layout).empty()) __builtin_trap();
    }
    baton::Buffer bytes;
    baton::Encoder encoder{bytes};
    baton::begin_record(encoder, envelope);
    baton::Unpacker unpacker;
    std::size_t offset = 0;
    const baton::Result<baton::Envelope> again = baton::read_envelope(unpacker, bytes, offset);
    if (!again || offset != bytes.size() || again->manifest != envelope.manifest || again->tag != envelope.tag) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string frame{reinterpret_cast<const char*>(data), size};
    baton::Unpacker unpacker;
    std::size_t offset = 0;
    while (offset < frame.size()) {
        unpacker.clear();
        const std::size_t start = offset;
        const baton::Result<baton::Envelope> envelope = baton::read_envelope(unpacker, frame, offset);
        if (!envelope) break;
        const baton::Result<baton::Value> body = unpacker.next(frame, offset);
        if (!body) break;
        if (offset <= start || offset > frame.size()) __builtin_trap();  // or the inbox would never end
        check_envelope(*envelope);
        decode_one<everything::Everything>(*body);
        decode_one<everything::Carrying>(*body);
        decode_one<baton::ErrorBody>(*body);
        decode_one<baton::coordinator::Join>(*body);
        decode_one<baton::coordinator::Spawn>(*body);
        decode_one<std::vector<baton::coordinator::RosterRow>>(*body);
        decode_one<baton::coordinator::SegmentList>(*body);
        decode_one<baton::notice::Exited>(*body);
        decode_one<baton::notice::Drain>(*body);
    }
    return 0;
}
