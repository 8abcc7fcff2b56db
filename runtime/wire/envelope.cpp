#include "runtime/wire/envelope.hpp"

#include "runtime/base/text.hpp"

#include <fmt/format.h>

#include <baton/version.hpp>
#include <baton/detail/convert.hpp>

namespace baton::detail {
namespace {

constexpr std::size_t envelope_size = 10;

Error corrupt(std::string text) { return Error{ErrorKind::corrupt, std::move(text)}; }

}  // namespace

void begin_record(Encoder& encoder, const Envelope& envelope) {
    encoder.array(envelope_size);
    encoder.unsigned_integer(wire_version);
    encoder.unsigned_integer(static_cast<std::uint64_t>(envelope.kind));
    encoder.unsigned_integer(envelope.from.number);
    encoder.unsigned_integer(envelope.from.incarnation);
    encoder.unsigned_integer(envelope.to.number);
    encoder.unsigned_integer(envelope.to.incarnation);
    encoder.unsigned_integer(envelope.sequence);
    encoder.unsigned_integer(envelope.ask_id);
    encoder.text(envelope.tag);
    encode_manifest(encoder, envelope.manifest);
}

Result<Envelope> read_envelope(Unpacker& unpacker, std::string_view frame, std::size_t& offset) {
    Result<Value> value = unpacker.next(frame, offset);
    if (!value) return value.error();
    const Value& record = *value;
    if (record.kind() != ValueKind::array || record.size() == 0)
        return corrupt(fmt::format("an envelope is a list of {}, this is {}", envelope_size, name_of(record.kind())));
    std::uint64_t version = 0;
    if (record.at(0).kind() != ValueKind::integer || !record.at(0).to_unsigned(version))
        return corrupt("a record begins with the version of its envelope");
    if (version != wire_version)
        return Error{ErrorKind::unsupported, fmt::format("the envelope is of version {}, this actor speaks version {}",
                                                         version, wire_version)};
    if (record.size() != envelope_size)
        return corrupt(fmt::format("an envelope is a list of {}, this one has {}", envelope_size, record.size()));

    std::uint64_t kind = 0;
    std::uint64_t numbers[6] = {};
    if (record.at(1).kind() != ValueKind::integer || !record.at(1).to_unsigned(kind) || kind < 1 || kind > 5)
        return corrupt("the second element of a record is its kind, 1 to 5");
    for (std::size_t i = 0; i < 6; ++i) {
        const Value number = record.at(2 + i);
        if (number.kind() != ValueKind::integer || !number.to_unsigned(numbers[i]) ||
            (i < 4 && numbers[i] > std::numeric_limits<std::uint32_t>::max()))
            return corrupt("addresses, sequence and ask id of a record are integers from 0");
    }
    const Value tag = record.at(8);
    if (tag.kind() != ValueKind::text) return corrupt("the tag of a record is a string");
    if (tag.text().size() > limits::tag_bytes_max)
        return corrupt(fmt::format("the tag of a record has at most {} bytes (limits::tag_bytes_max), this one {}",
                                   limits::tag_bytes_max, tag.text().size()));
    if (!is_utf8(tag.text())) return corrupt("the tag of a record is UTF-8");
    Result<std::vector<Handle>> manifest = decode_manifest(record.at(9));
    if (!manifest) return manifest.error();
    return Envelope{static_cast<MessageKind>(kind),
                            {static_cast<std::uint32_t>(numbers[0]), static_cast<std::uint32_t>(numbers[1])},
                            {static_cast<std::uint32_t>(numbers[2]), static_cast<std::uint32_t>(numbers[3])},
                            numbers[4],
                            numbers[5],
                            tag.text(),
                            std::move(*manifest)};
}

}  // namespace baton::detail
