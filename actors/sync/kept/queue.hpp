#pragma once
// Queue, as it is kept: items that nobody has taken, items that are taken and unfinished, and three lines of clients:
// those that want an item, those whose item does not fit yet, and those that wait until all items are finished.
//
// What a client had taken and not finished when it died is taken next, in its old order. An item is given up after the
// third death of a taker: it would kill the next ones too.
//
// So an item that was taken stays here until it is finished, and counts. If nothing more fits because of that, and
// nothing is left to be taken, a put is told whose items they are: takers that never finish would never make room.

#include <deque>
#include <map>

#include "actors/sync/kept/primitive.hpp"

namespace baton::sync::kept {

class Queue : public Primitive {
public:
    static constexpr std::string_view kind_name = "queue";
    Queue(std::string name, std::uint64_t bound) : Primitive(kind_name, std::move(name)), bound_(bound) {}

    void put(ActorId who, Bytes item, Wakes& wakes);
    void get(const Party& who, Wakes& wakes);
    [[nodiscard]] Result<void> task_done(const Party& who, Wakes& wakes);
    void join(ActorId who, Wakes& wakes);
    // Items whose takers all died.
    [[nodiscard]] std::uint64_t given_up() const noexcept { return given_up_; }

    void withdraw(const Party& who, Given given, Wakes& wakes) override;
    void bury(const Party& dead, const std::string& how, Wakes& wakes) override;
    [[nodiscard]] WaitsFor waits_for(ActorId waiter) const override;
    [[nodiscard]] std::uint64_t count() const override { return items_.size(); }

private:
    struct Item {
        Bytes bytes;
        std::uint32_t dead_takers = 0;
    };
    struct Putting {
        ActorId who;
        Bytes bytes;
    };
    struct Taker {
        std::string name;
        std::deque<Item> items;  // the oldest first
    };
    void move_on(Wakes& wakes);
    [[nodiscard]] bool is_stuck() const noexcept;
    [[nodiscard]] std::string stuck_text() const;
    [[nodiscard]] bool has_room(std::size_t bytes) const noexcept;
    [[nodiscard]] std::uint64_t unfinished() const noexcept { return items_.size() + taken_count_; }

    std::uint64_t bound_;
    std::deque<Item> items_;
    std::map<ActorId, Taker> taken_;
    std::uint64_t taken_count_ = 0;
    std::uint64_t bytes_ = 0;  // of all of them
    std::uint64_t given_up_ = 0;
    std::deque<Party> getting_;
    std::deque<Putting> putting_;
    std::vector<ActorId> joining_;
};

}  // namespace baton::sync::kept
