#pragma once
// Latch, as it is kept: a count that goes down, and the clients that wait until it is zero.

#include "actors/sync/kept/primitive.hpp"

namespace baton::sync::kept {

class Latch : public Primitive {
public:
    static constexpr std::string_view kind_name = "latch";
    Latch(std::string name, std::uint64_t count) : Primitive(kind_name, std::move(name)), left_(count) {}

    [[nodiscard]] Result<std::uint64_t> count_down(std::uint64_t by, Wakes& wakes) {
        if (by > left_)
            return Error{ErrorKind::refused,
                         fmt::format("{} can't be counted down by {}: {} is left", to_text(), by, left_)};
        left_ -= by;
        if (left_ == 0)
            for (const ActorId who : std::exchange(waiting_, {})) wakes.grant(who);
        return left_;
    }
    void wait(ActorId who, Wakes& wakes) {
        if (left_ == 0) wakes.grant(who);
        else waiting_.push_back(who);
    }

    void withdraw(const Party& who, Given, Wakes&) override { std::erase(waiting_, who.id); }
    void bury(const Party& dead, const std::string&, Wakes&) override { std::erase(waiting_, dead.id); }
    [[nodiscard]] std::uint64_t count() const override { return left_; }

private:
    std::uint64_t left_;
    std::vector<ActorId> waiting_;
};

}  // namespace baton::sync::kept
