#pragma once
// Lane: the link from one member of a session to another in shared memory. Two rings, commands from its opener and
// answers to it, in one named object; see docs/lanes.md.
//
// The opener makes it, complete before it is visible, and the coordinator removes it when one of the two has died and
// the other has read what is left, so a lane outlives both. Each side maps only its own ring writable, and the page of
// words. Memory is committed and claimed from the budget before it is used; a ring that nobody writes takes none. One
// thread on each side.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <baton/ref.hpp>
#include <baton/result.hpp>
#include "runtime/lanes/ring.hpp"
#include "runtime/memory/mapping.hpp"

namespace baton::detail {

// "baton-<session>-lane-<opener>-<receiver>"
[[nodiscard]] std::string lane_name(std::string_view session_id, ActorId opener, ActorId receiver);

struct LaneWords {
    static constexpr std::size_t bytes = 4096;
    static constexpr std::uint64_t version = 0x314E'414C'4E54'4142;  // "BATNLAN1" as bytes
    std::atomic<std::uint64_t> made;      // `version`, once all else is as it should be
    std::atomic<std::uint64_t> opener;    // packed
    std::atomic<std::uint64_t> receiver;
    std::atomic<std::uint64_t> closed;    // 1: its opener, which goes on, uses it no more
    RingWords commands;
    RingWords answers;
};
static_assert(sizeof(LaneWords) <= LaneWords::bytes);

// What a member may claim of the session's memory. Both are called by its thread.
struct LaneBudget {
    std::function<bool(std::size_t bytes)> claim = [](std::size_t) { return true; };
    std::function<void(std::size_t bytes)> give_back = [](std::size_t) {};
};

// One ring's part of the object.
class LaneArea final : public RingArea {
public:
    LaneArea(SharedObject& object, std::size_t offset, std::size_t bytes, Mapping::Access access,
             const LaneBudget& budget)
        : object_(&object), offset_(offset), bytes_(bytes), access_(access), budget_(&budget) {}
    ~LaneArea() override;
    LaneArea(const LaneArea&) = delete;
    LaneArea& operator=(const LaneArea&) = delete;

    [[nodiscard]] std::size_t bytes_max() const noexcept override { return bytes_; }
    [[nodiscard]] std::byte* enter(std::size_t offset, std::size_t bytes) noexcept override;
    [[nodiscard]] bool commit(std::size_t offset, std::size_t bytes) noexcept override;
    void give_back(std::size_t offset, std::size_t bytes) noexcept override;

private:
    SharedObject* object_;
    std::size_t offset_;
    std::size_t bytes_;
    Mapping::Access access_;
    const LaneBudget* budget_;
    std::optional<Mapping> window_;  // from the area's beginning on
    std::size_t committed_bytes_ = 0;
};

class Lane {
public:
    static constexpr std::size_t command_bytes_max = std::size_t{128} << 20;
    static constexpr std::size_t answer_bytes_max = std::size_t{64} << 20;

    // By the opener. `overloaded` if memory, the budget or descriptors are short. `budget` outlives the lane.
    [[nodiscard]] static Result<std::unique_ptr<Lane>> create(std::string_view session_id, ActorId opener,
                                                              ActorId receiver, const LaneBudget& budget);
    // By the receiver. `gone` if there is none.
    [[nodiscard]] static Result<std::unique_ptr<Lane>> open(std::string_view session_id, ActorId opener,
                                                            ActorId receiver, const LaneBudget& budget);
    static void remove(std::string_view session_id, ActorId opener, ActorId receiver) noexcept;
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;
    ~Lane();

    // By the opener: nothing comes any more, and no answer is read.
    void close() noexcept { words().closed.store(1, std::memory_order_release); }
    [[nodiscard]] bool is_closed() const noexcept { return words().closed.load(std::memory_order_acquire) != 0; }
    [[nodiscard]] RingWords& commands() const noexcept { return words().commands; }
    [[nodiscard]] RingWords& answers() const noexcept { return words().answers; }
    [[nodiscard]] RingArea& command_area() noexcept { return command_area_; }
    [[nodiscard]] RingArea& answer_area() noexcept { return answer_area_; }

private:
    Lane(SharedObject object, Mapping page, bool is_openers, const LaneBudget& budget);
    [[nodiscard]] LaneWords& words() const noexcept { return *reinterpret_cast<LaneWords*>(page_.data()); }

    SharedObject object_;
    Mapping page_;
    bool is_openers_;
    const LaneBudget* budget_;
    LaneArea command_area_;
    LaneArea answer_area_;
};

}  // namespace baton::detail
