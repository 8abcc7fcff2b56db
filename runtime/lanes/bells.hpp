#pragma once
// Bells: how the lanes of a session wake their readers. State is in shared memory; a descriptor only nudges.
//
// Each member has a page, which all members may write, and a FIFO in the session's folder, which its owner holds open
// for reading and writing, so that it never breaks. A member that puts something into a ring of that one says so in
// the page, and writes a byte into the FIFO only if the owner sleeps and waits for that kind of thing:
//
//   writer                                     owner
//   publish the record                         asleep = what it waits for
//   set its bit in `ready` (commands only)     look at the ready set and the rings again
//   if asleep has the kind: write a byte       poll; then asleep = 0, and read the bytes
//
// Both sides write first and then look, all in one order, so one of them sees the other, and no wake-up is lost
// (model/bell.pml). Only the owner stores `asleep`, so a writer that is frozen or dies before it has written its byte
// keeps nobody else's from the owner; its exit makes the owner look.
// The coordinator makes the region, commits a page for each new life and clears it. Everything in it may be written by
// any process of the session: what a bit says is looked at, never believed. One thread.

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <baton/unique_fd.hpp>
#include <baton/limits.hpp>
#include <baton/ref.hpp>
#include <baton/result.hpp>
#include "runtime/memory/mapping.hpp"

namespace baton::detail {

// What a sleeper can wait for.
namespace wake {
inline constexpr std::uint32_t commands = 1;  // in its inbox
inline constexpr std::uint32_t answers = 2;   // to what it has asked
inline constexpr std::uint32_t room = 4;      // in a ring of another
}  // namespace wake

// Numbers of members, as bits. A look at an empty set is one load.
struct MemberSet {
    static constexpr std::size_t words_max = 64;
    alignas(64) std::atomic<std::uint64_t> any;  // which of `words` may have bits
    std::atomic<std::uint64_t> words[words_max];

    // False if it was there already.
    bool add(std::uint32_t number) noexcept;
    void remove(std::uint32_t number) noexcept;
    void clear() noexcept;
    [[nodiscard]] bool is_empty() const noexcept { return any.load(std::memory_order_seq_cst) == 0; }
    [[nodiscard]] bool has(std::uint32_t number) const noexcept;
    // Adds them to `numbers`.
    void list(std::vector<std::uint32_t>& numbers) const;
    // Takes all out and adds them to `numbers`.
    void take_all(std::vector<std::uint32_t>& numbers) noexcept;
};
static_assert(limits::actors_max < MemberSet::words_max * 64);

struct BellPage {
    static constexpr std::size_t bytes = 4096;
    std::atomic<std::uint64_t> id;  // of the life that looks at its lanes, packed; 0: nobody does
    alignas(64) std::atomic<std::uint32_t> asleep;  // what its owner sleeps for
    std::atomic<std::uint64_t> lane_bytes;          // that the owner has committed for lanes
    std::atomic<std::uint64_t> protocol;            // whose commands it reads without names; 0: none. Before `id`.
    MemberSet ready;     // members whose commands may wait here
    MemberSet lanes_to;  // members to which the owner has opened a lane, or is about to
    std::byte reserved[bytes - 128 - 2 * sizeof(MemberSet)];
};
static_assert(sizeof(BellPage) == BellPage::bytes);

class Bells {
public:
    // For the coordinator. All lanes of the session together may take that much memory.
    [[nodiscard]] static Result<Bells> create(std::string_view session_id, std::uint64_t lane_bytes_max);
    [[nodiscard]] static Result<Bells> open(std::string_view session_id);
    static void remove(std::string_view session_id) noexcept;
    // For the coordinator: commits and clears the page of a new life. `overloaded` if memory is short.
    [[nodiscard]] Result<void> prepare(ActorId actor);

    // No number above this one has ever been a member's.
    [[nodiscard]] std::uint32_t highest_number() const noexcept;
    // nullptr if nobody has had that number.
    [[nodiscard]] BellPage* page(std::uint32_t number) const noexcept;
    // nullptr if that life does not look at lanes, or not yet.
    [[nodiscard]] BellPage* page_of(ActorId actor) const noexcept;
    // Before a member commits memory for a lane; false if that would be more than all may take. Of two that would
    // exceed it together at least one is told so.
    [[nodiscard]] bool claim(std::uint32_t member, std::size_t bytes) const noexcept;
    void give_back(std::uint32_t member, std::size_t bytes) const noexcept;
    [[nodiscard]] std::uint64_t lane_bytes() const noexcept;
    [[nodiscard]] std::uint64_t lane_bytes_max() const noexcept;
    // Where the FIFO of that life lies in the folder of its session.
    [[nodiscard]] static std::string fifo_name(ActorId actor) { return to_string(actor) + ".bell"; }

private:
    Bells(SharedObject object, Mapping mapping) : object_(std::move(object)), mapping_(std::move(mapping)) {}
    SharedObject object_;
    Mapping mapping_;
    mutable std::vector<bool> committed_ = std::vector<bool>(limits::actors_max + 1);  // pages, as far as looked at
};

// The bell of this process, which others ring.
class OwnBell {
public:
    // Makes the FIFO. From then on others may open lanes to `me`.
    [[nodiscard]] static Result<OwnBell> create(const Bells& bells, const std::string& folder, ActorId me,
                                                std::uint64_t protocol = 0);
    OwnBell(OwnBell&&) noexcept = default;
    OwnBell& operator=(OwnBell&&) noexcept = default;

    [[nodiscard]] BellPage& page() const noexcept { return *page_; }
    [[nodiscard]] int descriptor() const noexcept { return all_.is_open() ? all_.get() : fifo_.get(); }
    // After another program has removed the FIFO: there is another one, and those that have the old one open still
    // ring.
    [[nodiscard]] Result<void> make_again();
    // Says what it sleeps for. A member that writes something of that kind after this rings, so that a look now, before
    // the descriptor is waited for, misses nothing.
    void fall_asleep(std::uint32_t kinds) noexcept;
    // `is_readable`: the descriptor, as far as known.
    void wake_up(bool is_readable) noexcept;

private:
    OwnBell(BellPage& page, UniqueFd fifo, std::string path)
        : page_(&page), fifo_(std::move(fifo)), path_(std::move(path)) {}
    [[nodiscard]] Result<void> listen_to(const UniqueFd& fifo);
    BellPage* page_;
    UniqueFd fifo_;
    std::string path_;
    std::vector<UniqueFd> removed_;  // FIFOs before this one
    UniqueFd all_;                   // an epoll of them all, once there is more than one
    bool is_asleep_ = false;
};

// The bells of others.
class Ringer {
public:
    Ringer(std::string folder, ActorId me) : folder_(std::move(folder)), me_(me) {}
    // Opens the bell of that life, so that ringing it cannot fail later. False if it has none, or has ended, or no
    // descriptor is left.
    [[nodiscard]] bool reach(ActorId whom) noexcept;
    // After a command has been written into the ring to it.
    void ring_for_command(ActorId to, const Bells& bells) noexcept;
    // After an answer has been written, or a chunk has become free for which it waits.
    void ring_for(ActorId whom, std::uint32_t kind, const Bells& bells) noexcept;
    // It has ended.
    void forget(ActorId whom) noexcept;

private:
    void nudge(ActorId whom, BellPage& page, std::uint32_t kind) noexcept;
    std::string folder_;
    ActorId me_;
    std::unordered_map<ActorId, UniqueFd> fifos_;
};

}  // namespace baton::detail
