#pragma once
// Envelope: what stands around every message on the wire (docs/wire/messages.md).
//
// A record is two msgpack values back to back: the envelope, an array of ten [version, kind, from number,
// from incarnation, to number, to incarnation, sequence, ask id, tag, manifest], and the body. A frame (one
// message of the transport) holds one or more records back to back; senders put several into one only when
// they would wait anyway. The manifest lists the handles of the segments that change hands with the
// message. Pure functions over bytes; no sockets.

#include <string_view>

#include <baton/ref.hpp>
#include "runtime/wire/handle.hpp"

namespace baton::detail {

// On the wire as its number. Append only.
enum class MessageKind : std::uint8_t {
    send = 1,    // a command without a reply
    ask = 2,     // a command whose reply carries the same ask id
    reply = 3,   // the answer to an ask: the body is the Reply
    error = 4,   // the other answer to an ask: the body is an Error, see notices.hpp
    notice = 5,  // the coordinator to an actor, see notices.hpp
};

struct Envelope {
    MessageKind kind = MessageKind::send;
    ActorId from;
    ActorId to;
    std::uint64_t sequence = 0;  // 1, 2, 3, ... of the commands from this sender to this receiver; of the
                                 // command that an error refuses; else 0
    std::uint64_t ask_id = 0;    // chosen by the asker; 0 if there is no ask
    std::string_view tag;        // the name of the command or notice
    std::vector<Handle> manifest = {};  // what changes hands with the message
};

// Appends the envelope; the caller then appends exactly one value, the body.
void begin_record(Encoder& encoder, const Envelope& envelope);

// The envelope at `offset`, which then stands at the body. The tag views the frame. `unsupported` for an
// envelope of another version, `corrupt` for everything else that is wrong; then nothing behind it in this
// frame can be trusted.
[[nodiscard]] Result<Envelope> read_envelope(Unpacker& unpacker, std::string_view frame, std::size_t& offset);

}  // namespace baton::detail
