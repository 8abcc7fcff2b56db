#include "runtime/lanes/lane.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/vitals/vitals.hpp"

namespace baton::detail {
namespace {

constexpr std::size_t object_bytes = LaneWords::bytes + Lane::command_bytes_max + Lane::answer_bytes_max;

// How much of an area is mapped: all that is used by most lanes, then in large steps.
constexpr std::size_t windows[] = {std::size_t{64} << 10, std::size_t{1} << 20, std::size_t{16} << 20};

}  // namespace

std::string lane_name(std::string_view session_id, ActorId opener, ActorId receiver) {
    return fmt::format("baton-{}-lane-{}-{}", session_id, to_string(opener), to_string(receiver));
}

// ---- LaneArea ----------------------------------------------------------------------------------------

LaneArea::~LaneArea() {
    if (committed_bytes_ > 0) budget_->give_back(committed_bytes_);
}

std::byte* LaneArea::enter(std::size_t offset, std::size_t bytes) noexcept {
    if (bytes > bytes_ || offset > bytes_ - bytes) return nullptr;
    if (!window_ || window_->size() < offset + bytes) {
        std::size_t size = bytes_;
        for (const std::size_t window : windows)
            if (window >= offset + bytes) size = std::min(size, window);
        Result<Mapping> window = Mapping::map(*object_, access_, offset_, size);
        if (!window) return nullptr;
        window_.emplace(std::move(*window));
    }
    return window_->data() + offset;
}

bool LaneArea::commit(std::size_t offset, std::size_t bytes) noexcept {
    if (!budget_->claim(bytes)) return false;
    if (!object_->commit(offset_ + offset, bytes)) {
        budget_->give_back(bytes);
        return false;
    }
    committed_bytes_ += bytes;
    return true;
}

void LaneArea::give_back(std::size_t offset, std::size_t bytes) noexcept {
    object_->decommit(offset_ + offset, bytes);
    budget_->give_back(bytes);
    committed_bytes_ -= bytes;
}

// ---- Lane --------------------------------------------------------------------------------------------

Lane::Lane(SharedObject object, Mapping page, bool is_openers, const LaneBudget& budget)
    : object_(std::move(object)),
      page_(std::move(page)),
      is_openers_(is_openers),
      budget_(&budget),
      command_area_(object_, LaneWords::bytes, command_bytes_max,
                    is_openers ? Mapping::Access::write : Mapping::Access::read, budget),
      answer_area_(object_, LaneWords::bytes + command_bytes_max, answer_bytes_max,
                   is_openers ? Mapping::Access::read : Mapping::Access::write, budget) {}

Lane::~Lane() {
    if (is_openers_) budget_->give_back(LaneWords::bytes);
}

Result<std::unique_ptr<Lane>> Lane::create(std::string_view session_id, ActorId opener, ActorId receiver,
                                           const LaneBudget& budget) {
    const std::string name = lane_name(session_id, opener, receiver);
    if (!budget.claim(LaneWords::bytes))
        return Error{ErrorKind::overloaded, fmt::format("the budget holds no lane more: {}", name)};
    Result<SharedObject> object = SharedObject::create(name, object_bytes);
    const auto failed = [&](Error why) {
        budget.give_back(LaneWords::bytes);
        if (object) remove_shared_object(name);
        return why;
    };
    if (!object) return failed(object.error());
    if (Result<void> committed = object->commit(0, LaneWords::bytes); !committed) return failed(committed.error());
    Result<Mapping> page = Mapping::map(*object, Mapping::Access::write, 0, LaneWords::bytes);
    if (!page) return failed(page.error());
    std::unique_ptr<Lane> lane{new Lane{std::move(*object), std::move(*page), true, budget}};
    lane->words().opener.store(packed(opener), std::memory_order_relaxed);
    lane->words().receiver.store(packed(receiver), std::memory_order_relaxed);
    lane->words().made.store(LaneWords::version, std::memory_order_release);
    return lane;
}

Result<std::unique_ptr<Lane>> Lane::open(std::string_view session_id, ActorId opener, ActorId receiver,
                                         const LaneBudget& budget) {
    const std::string name = lane_name(session_id, opener, receiver);
    Result<SharedObject> object = SharedObject::open(name);
    if (!object) return Error{ErrorKind::gone, object.error().text};
    if (object->size() != object_bytes || !object->has_content(0))
        return Error{ErrorKind::gone, fmt::format("the lane {} is not complete", name)};
    Result<Mapping> page = Mapping::map(*object, Mapping::Access::write, 0, LaneWords::bytes);
    if (!page) return page.error();
    std::unique_ptr<Lane> lane{new Lane{std::move(*object), std::move(*page), false, budget}};
    const LaneWords& words = lane->words();
    if (words.made.load(std::memory_order_acquire) != LaneWords::version ||
        words.opener.load(std::memory_order_relaxed) != packed(opener) ||
        words.receiver.load(std::memory_order_relaxed) != packed(receiver))
        return Error{ErrorKind::gone, fmt::format("the lane {} is not complete", name)};
    return lane;
}

void Lane::remove(std::string_view session_id, ActorId opener, ActorId receiver) noexcept {
    remove_shared_object(lane_name(session_id, opener, receiver));
}

}  // namespace baton::detail
