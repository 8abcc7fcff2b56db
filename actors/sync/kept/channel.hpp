#pragma once
// Channel, as it is kept: two ends; what is sent at one is received at the other, in order. Each end is a primitive
// with a number of its own and belongs to the first client that uses it, until that client closes it or dies.

#include <deque>
#include <memory>

#include "actors/sync/kept/primitive.hpp"

namespace baton::sync::kept {

class ChannelEnd : public Primitive {
public:
    static constexpr std::string_view kind_name = "channel end";
    // Two that belong together.
    static std::pair<std::unique_ptr<ChannelEnd>, std::unique_ptr<ChannelEnd>> make(const std::string& name,
                                                                                    std::uint64_t bound);

    void send(const Party& who, Bytes item, Wakes& wakes);
    void receive(const Party& who, Wakes& wakes);
    void poll(const Party& who, Wakes& wakes);
    [[nodiscard]] Result<void> close(const Party& who, Wakes& wakes);

    [[nodiscard]] bool is_other_end_of(const Primitive& one) const noexcept { return other_ == &one; }

    void withdraw(const Party& who, Given given, Wakes& wakes) override;
    void bury(const Party& dead, const std::string& how, Wakes& wakes) override;
    [[nodiscard]] std::uint64_t count() const override { return items_.size(); }

private:
    ChannelEnd(std::string name, std::uint64_t bound) : Primitive(kind_name, std::move(name)), bound_(bound) {}
    // False, with the wait ended, if this end is closed or another client's.
    bool is_open_to(const Party& who, Wakes& wakes);
    [[nodiscard]] Result<void> claim(const Party& who);
    // What the other end sends comes here, if there is room.
    void let_in(Wakes& wakes);
    // After anything has changed here.
    void move_on(Wakes& wakes);
    void end(const std::string& why, Wakes& wakes);

    std::uint64_t bound_;
    ChannelEnd* other_ = nullptr;
    Party owner_;
    std::string closed_;      // why; empty: open
    std::deque<Bytes> items_;  // to be received here
    std::uint64_t bytes_ = 0;
    std::optional<Bytes> received_;  // the last, in case its receiver has given up
    bool receives_ = false;          // the owner waits
    bool polls_ = false;
    std::optional<Bytes> sending_;  // by the owner, and there is no room at the other end
};

}  // namespace baton::sync::kept
