#pragma once
// Semaphore, as it is kept: free permits, the clients that have the others, and the line of clients that wait for one.
//
// A permit belongs to the client that acquired it and is released when that client dies. A client that releases without
// having a permit releases, on behalf of another, the one that has been out for longest; if none is out, a bounded
// semaphore refuses and any other gains a permit. So it is not known who may end a wait for one.

#include <deque>

#include "actors/sync/kept/primitive.hpp"

namespace baton::sync::kept {

class Semaphore : public Primitive {
public:
    static constexpr std::string_view kind_name = "semaphore";
    Semaphore(std::string name, std::uint64_t permits, bool is_bounded)
        : Primitive(kind_name, std::move(name)), permits_(permits), free_(permits), is_bounded_(is_bounded) {}

    void acquire(ActorId who, Wakes& wakes);
    [[nodiscard]] Result<void> release(ActorId who, Wakes& wakes);

    void withdraw(const Party& who, Given given, Wakes& wakes) override;
    void bury(const Party& dead, const std::string& how, Wakes& wakes) override;
    [[nodiscard]] std::uint64_t count() const override { return free_; }

private:
    void pass_on(Wakes& wakes);
    std::uint64_t permits_;
    std::uint64_t free_;
    bool is_bounded_;
    std::vector<ActorId> holders_;  // one entry a permit, in the order in which they were taken
    std::deque<ActorId> line_;
};

}  // namespace baton::sync::kept
