#pragma once
// Store: the memory of segments, by name, and this process's views of it.
//
// A block of memory is a shared object of its own, `baton-<session>-<slot>-<generation>`. Views are kept after their
// last use, because in a pipeline the same memory arrives again and again; beyond limits::idle_mappings_max the least
// recently used are given up. No owners: the ledger says which process may touch the bytes, and callers have checked it
// before they ask for a view. One thread.

#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>

#include "runtime/memory/mapping.hpp"

namespace baton::detail {

class Store {
public:
    // Which memory: `generation` counts the memories that a slot has had.
    struct Block {
        std::uint32_t slot = 0;
        std::uint64_t generation = 0;
        bool operator==(const Block&) const = default;
    };
    // What happens to views that nobody uses. A guarded view is inaccessible, so that a pointer kept too long faults at
    // once.
    enum class Idle { accessible, guarded };
    // Guarded in builds without NDEBUG; BATON_GUARD=0 or 1 says otherwise.
    [[nodiscard]] static Idle usual_idle() noexcept;

    Store(std::string session_id, Idle idle) : session_id_(std::move(session_id)), idle_(idle) {}
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    // Makes new memory, commits it and returns its first view; `overloaded` if memory or mappings are short, and then
    // nothing is left of it.
    [[nodiscard]] Result<std::byte*> make(Block block, std::uint64_t bytes);
    struct Part {
        std::uint64_t offset = 0;
        std::uint64_t bytes = 0;
    };
    // A view of all `bytes`, to be returned by unpin(); if it is new, the pages of `used` are mapped. `gone` if there
    // is no such memory.
    [[nodiscard]] Result<std::byte*> pin(Block block, std::uint64_t bytes, Mapping::Access access, Part used);
    void unpin(Block block, Mapping::Access access) noexcept;
    // For a view that is still looked at when it should end: it becomes private memory at the same address, with its
    // present content, until the Store ends. It is not unpinned.
    void keep(Block block, Mapping::Access access) noexcept;
    // Ends the memory for all processes. None may be using it any more.
    void discard(Block block) noexcept;
    // Ends it as well, but a process that still has it mapped keeps what it sees.
    void remove(Block block) noexcept;
    // The memory leaves the session under a name of its own; its views remain until they are unpinned. If this fails,
    // nothing has changed.
    [[nodiscard]] Result<void> hand_out(Block block, const std::string& name);
    // Memory from outside that may come into the session: of at least `bytes`, committed.
    [[nodiscard]] static Result<SharedObject> open_outside(const std::string& name, std::uint64_t bytes);
    // Takes the memory in and maps it. The name changes last, and only if everything else has succeeded. If this fails,
    // nothing has changed.
    [[nodiscard]] Result<std::byte*> take_in(const SharedObject& outside, Block block, std::uint64_t bytes);
    // True if there is memory of that name.
    [[nodiscard]] bool has(Block block) const noexcept;
    // Gives up a view that nobody uses.
    void forget(Block block) noexcept;

    [[nodiscard]] std::string name_of(Block block) const;
    [[nodiscard]] std::size_t mapped() const noexcept { return pinned_.size() + idle_views_.size(); }

private:
    struct Key {
        Block block;
        Mapping::Access access;
        bool operator==(const Key&) const = default;
    };
    struct Hash {
        std::size_t operator()(const Key& key) const noexcept {
            return key.block.slot * 0x9e3779b97f4a7c15ULL ^ key.block.generation << 1 ^
                   static_cast<std::size_t>(key.access);
        }
    };
    struct View {
        Key key;
        Mapping mapping;
        std::uint32_t pins = 0;
    };
    [[nodiscard]] Result<std::byte*> add(const SharedObject& object, Block block, std::uint64_t bytes,
                                         Mapping::Access access, Part used);
    void forget_oldest_idle() noexcept;

    std::string session_id_;
    Idle idle_;
    std::list<View> pinned_;
    std::list<View> idle_views_;  // the longest unused first
    std::list<View> kept_;
    std::unordered_map<Key, std::list<View>::iterator, Hash> views_;
};

}  // namespace baton::detail
