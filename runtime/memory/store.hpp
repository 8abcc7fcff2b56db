#pragma once
// Store: the memory of segments, by name, and this process's views of it.
//
// A block of memory is a shared object of its own, `baton-<session>-<slot>-<generation>`, or a place of a shelf,
// `baton-<session>-shelf-<slot of its first place>-<generation>`, of which a process has one view for each kind of
// access, whatever it holds there. Views are kept after their last use, because in a pipeline the same memory arrives
// again and again; beyond limits::idle_mappings_max the least recently used are given up. No owners: the ledger says
// which process may touch the bytes, and callers have checked it before they ask for a view. One thread.

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "runtime/memory/mapping.hpp"
#include "runtime/memory/size_class.hpp"

namespace baton::detail {

class Store {
public:
    // Which memory: `generation` counts the memories that a slot has had.
    struct Block {
        std::uint32_t slot = 0;
        std::uint64_t generation = 0;
        std::uint64_t place_bytes = 0;  // of each place of its shelf; 0: an object of its own
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

    // How much memory new segments of that size should have: a size class, of whole pages if views are guarded.
    [[nodiscard]] std::uint64_t capacity_for(std::uint64_t bytes) const noexcept;
    // Makes new memory, commits it and returns its first view; `overloaded` if memory or mappings are short, and then
    // nothing is left of it.
    [[nodiscard]] Result<std::byte*> make(Block block, std::uint64_t bytes);
    struct Part {
        std::uint64_t offset = 0;
        std::uint64_t bytes = 0;
    };
    // A view of all `bytes`, to be returned by unpin(); if it is new, the pages of `used` are mapped. `gone` if there
    // is no such memory, `corrupt` if it can't have that many bytes.
    [[nodiscard]] Result<std::byte*> pin(Block block, std::uint64_t bytes, Mapping::Access access, Part used);
    void unpin(Block block, Mapping::Access access) noexcept;
    // For a view that is still looked at when it should end: it becomes private memory at the same address, with its
    // present content, until the Store ends. It is not unpinned.
    void keep(Block block, Mapping::Access access) noexcept;
    // Ends the memory for all processes; of a shelf, all of it. None may be using it any more.
    void discard(Block block) noexcept;
    // Ends it as well, but a process that still has it mapped keeps what it sees.
    void remove(Block block) noexcept;
    // The memory leaves the session under a name of its own; its views remain until they are unpinned. If this fails,
    // nothing has changed. Not for places.
    [[nodiscard]] Result<void> hand_out(Block block, const std::string& name);
    // A copy of a place leaves the session under a name of its own.
    [[nodiscard]] Result<void> copy_out(Block block, std::span<const std::byte> content, const std::string& name) const;
    // Memory from outside that may come into the session: of at least `bytes`, committed.
    [[nodiscard]] static Result<SharedObject> open_outside(const std::string& name, std::uint64_t bytes);
    // Takes the memory in and maps it. The name changes last, and only if everything else has succeeded. If this fails,
    // nothing has changed.
    [[nodiscard]] Result<std::byte*> take_in(const SharedObject& outside, Block block, std::uint64_t bytes);
    // True if there is memory of that name.
    [[nodiscard]] bool has(Block block) const noexcept;
    // Gives up a view that nobody uses.
    void forget(Block block) noexcept;

    // ---- shelves, each named by any of its blocks
    // Makes one, with no memory at its places yet.
    [[nodiscard]] Result<void> make_shelf(Block block);
    // Commits the places of a run; `overloaded` if memory is short.
    [[nodiscard]] Result<void> fill(Block block, shelf::Run run);
    // Returns the memory of the places in `set` of which whole pages are in it; says which.
    std::uint64_t empty(Block block, std::uint64_t set) noexcept;

    [[nodiscard]] std::string name_of(Block block) const;
    [[nodiscard]] std::size_t mapped() const noexcept { return pinned_.size() + idle_views_.size(); }

private:
    struct Key {
        Block block;  // of a shelf: its first
        Mapping::Access access;
        bool operator==(const Key&) const = default;
    };
    struct Hash {
        std::size_t operator()(const Key& key) const noexcept {
            return key.block.slot * 0x9e3779b97f4a7c15ULL ^ key.block.generation << 1 ^
                   static_cast<std::size_t>(key.access);
        }
    };
    // How often each step of a shelf is pinned, for the guard.
    using StepPins = std::array<std::uint32_t, shelf::places>;
    struct View {
        Key key;
        Mapping mapping;
        std::uint32_t pins = 0;
        std::uint64_t mapped_places = 0;         // whose pages have been entered
        std::unique_ptr<StepPins> guarded = {};  // of a shelf whose places are guarded one by one
    };
    [[nodiscard]] static Key key_of(Block block, Mapping::Access access) noexcept;
    [[nodiscard]] Result<std::list<View>::iterator> add(const SharedObject& object, Key key, std::uint64_t bytes);
    [[nodiscard]] Result<std::list<View>::iterator> view_for(Key key, std::uint64_t bytes);
    void guard(View& view, Block block, bool is_pinned) noexcept;
    void forget_oldest_idle() noexcept;

    std::string session_id_;
    Idle idle_;
    std::list<View> pinned_;
    std::list<View> idle_views_;  // the longest unused first
    std::list<View> kept_;
    std::unordered_map<Key, std::list<View>::iterator, Hash> views_;
};

}  // namespace baton::detail
