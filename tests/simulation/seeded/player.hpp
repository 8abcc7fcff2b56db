#pragma once
// Player: an actor of a simulated world that does at random what actors do: sends, asks, gives, lends, takes back,
// starts and stops others, and ends. It tells the judge before and after. Public API only.

#include <string>
#include <vector>

#include <baton/actor.hpp>
#include <baton/segment.hpp>

namespace seeded {

class World;

struct Note {
    std::uint64_t letter = 0;
};
struct Question {
    using Reply = std::uint64_t;
    std::uint64_t letter = 0;
};
struct Gift {
    std::uint64_t letter = 0;
    baton::Segment segment;
};
struct Loaned {
    std::uint64_t letter = 0;
    std::uint64_t stamp = 0;
    baton::Lease lease;
};
using PlayerProtocol = baton::Protocol<Note, Question, Gift, Loaned>;

class Player {
public:
    Player(World& world, baton::Context& context);
    ~Player();
    Player(const Player&) = delete;
    Player& operator=(const Player&) = delete;

    void on(Note note);
    std::uint64_t on(Question question);
    void on(Gift gift);
    void on(Loaned loaned);
    [[nodiscard]] baton::Deadline next_deadline() const { return next_; }
    void on_deadline();

private:
    using Peer = baton::Ref<PlayerProtocol>;
    // Any other that has ever been ready; nobody if there is none.
    [[nodiscard]] Peer somebody();
    void act();
    void write_notes();
    void ask_later();
    void ask_now();
    void give();
    void lend();
    void take_back_loan();
    void start_another();
    void stop_somebody();
    void end_something();
    void do_nothing();
    [[nodiscard]] bool make_segment();
    void note_answer(std::uint64_t letter, const baton::Result<std::uint64_t>& reply);

    struct Mine {
        std::uint64_t stamp = 0;
        baton::Segment segment;
    };
    struct Lent {
        std::uint64_t stamp = 0;
        baton::Loan loan;
    };
    World& world_;
    baton::Context& context_;
    std::vector<Mine> mine_;
    std::vector<Lent> lent_;
    std::vector<baton::Lease> borrowed_;
    std::size_t asked_ = 0;  // questions without an outcome
    std::uint64_t actions_left_;
    baton::Deadline next_;
};

}  // namespace seeded
