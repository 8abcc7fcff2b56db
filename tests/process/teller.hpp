#pragma once
// Teller: an actor that sends numbered notes to others of its kind and handles theirs, and keeps a journal of both that
// outlives it (tests/soak/journal.hpp): so a test can count afterwards what became of each note.

#include <cstdint>
#include <string>

#include <baton/protocol.hpp>
#include <baton/ref.hpp>

namespace teller {

struct Note;
struct Send;
struct Count;
using Protocol = baton::Protocol<Note, Send, Count>;

struct Note {
    std::uint32_t from = 0;  // index of the sender
    std::uint64_t number = 0;
    std::string ballast;
};
// Sends `count` notes to `to`, whose index is `index`; says how many were accepted. `and_exits`: leaves its process at
// once then, answering nobody.
struct Send {
    baton::AnyRef to;
    std::uint32_t index = 0;
    std::uint64_t count = 0;
    std::uint32_t ballast_bytes = 0;
    bool and_exits = false;
    using Reply = std::uint64_t;
};
struct Count {  // of the notes it has handled
    using Reply = std::uint64_t;
};

}  // namespace teller
