#pragma once
// Event, as it is kept: set or not, and the clients that wait until it is.

#include <algorithm>

#include "actors/sync/kept/primitive.hpp"

namespace baton::sync::kept {

class Event : public Primitive {
public:
    static constexpr std::string_view kind_name = "event";
    explicit Event(std::string name) : Primitive(kind_name, std::move(name)) {}

    void set(bool is_set, Wakes& wakes) {
        is_set_ = is_set;
        if (is_set)
            for (const ActorId who : std::exchange(waiting_, {})) wakes.grant(who);
    }
    void wait(ActorId who, Wakes& wakes) {
        if (is_set_) wakes.grant(who);
        else waiting_.push_back(who);
    }

    void withdraw(const Party& who, Given, Wakes&) override { std::erase(waiting_, who.id); }
    void bury(const Party& dead, const std::string&, Wakes&) override { std::erase(waiting_, dead.id); }
    [[nodiscard]] std::uint64_t count() const override { return is_set_ ? 1 : 0; }

private:
    bool is_set_ = false;
    std::vector<ActorId> waiting_;
};

}  // namespace baton::sync::kept
