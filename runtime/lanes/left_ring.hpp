#pragma once
// LeftRing: reads what a dead receiver has left in the command ring of a lane, from the object's file and not from a
// mapping: a process that cuts the file short harms nobody who reads it so. One thread.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <baton/ref.hpp>
#include "runtime/lanes/ring.hpp"
#include "runtime/memory/mapping.hpp"

namespace baton::detail {

class LeftRing {
public:
    // Nothing if there is no such lane.
    [[nodiscard]] static std::unique_ptr<LeftRing> open(std::string_view session_id, ActorId opener, ActorId receiver);
    LeftRing(const LeftRing&) = delete;
    LeftRing& operator=(const LeftRing&) = delete;

    // The next frame, until the next call; nothing at the end, or where what follows cannot be read.
    [[nodiscard]] std::optional<std::string_view> next();

private:
    class FileArea final : public RingArea {
    public:
        explicit FileArea(SharedObject object) : object_(std::move(object)) {}
        [[nodiscard]] std::size_t bytes_max() const noexcept override;
        [[nodiscard]] std::byte* enter(std::size_t offset, std::size_t bytes) noexcept override;
        [[nodiscard]] bool commit(std::size_t, std::size_t) noexcept override { return false; }
        void give_back(std::size_t, std::size_t) noexcept override {}

    private:
        SharedObject object_;
        std::string bytes_;
    };
    LeftRing(SharedObject object, std::uint64_t written, std::uint64_t read);

    RingWords words_{};
    FileArea area_;
    RingReader reader_;
    bool is_first_ = true;
};

}  // namespace baton::detail
