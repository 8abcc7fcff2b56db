#pragma once
// Stage: a session in one thread, without sockets, processes or a clock that runs. `baton::testing` and the runtime's
// own simulation tests are built on it.
//
// Each member has a loop of its own, as in life. Whenever one of them waits, the others run; when none of them has
// anything to do, the time jumps to the next moment at which one of them has, or to the end of that wait. So a timeout
// of hours passes at once, and a wait that nothing can end throws std::logic_error instead of hanging. A member that is
// itself in the middle of a command (below on the stack) does not run until the stack is back there, so its own wait
// may end later than its deadline.
//
// Its memory belongs to this process alone: nothing of it is in /dev/shm, and nothing is left however the process ends.
// What a dead member held is released at its end; what it had on its way may still be accepted.
//
// One thread, that of the test.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/memory/private_memory.hpp"
#include "runtime/testing/registrar.hpp"
#include "runtime/testing/stage_member.hpp"

namespace baton::detail {

class Stage {
public:
    explicit Stage(std::size_t link_frames_max = 1'024);
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;
    ~Stage();

    // From here on members that enter have a ledger, and may give and lend.
    void add_memory(std::uint64_t budget_bytes = ~std::uint64_t{0});

    // ---- members
    [[nodiscard]] ActorId next_id() noexcept { return ActorId{next_number_++, 1}; }
    // Takes part from here on, until end(), and must live as long as this.
    void enter(StageMember& member, Registrar::Row row);
    // Its life ends: it does not run any more, and the members that located it or watch it are told. Its children end
    // first.
    void end(ActorId id, Exit exit);
    [[nodiscard]] StageMember* find(ActorId id) noexcept;  // of the living

    // ---- turns and time
    void run_until_idle();
    // Lets that time pass. What becomes due happens at its time.
    void advance(Duration by);
    // An exception that is the test's own, thrown where a member would have swallowed it: thrown again by
    // rethrow_kept().
    void keep_exception() noexcept { kept_ = std::current_exception(); }
    void rethrow_kept();

    [[nodiscard]] static std::string address_of(ActorId id) { return "stage/" + to_string(id); }
    [[nodiscard]] Vitals& vitals() noexcept { return *vitals_; }
    [[nodiscard]] Registrar& registrar() noexcept { return registrar_; }

    LoopbackNetwork network;
    ManualClock clock;
    StageTraffic traffic;
    std::optional<LedgerRegion> region;

private:
    void run_others();
    void run(StageMember& member);
    void let_others_run(Duration at_most);
    [[nodiscard]] Deadline next_timer();
    [[nodiscard]] std::uint64_t progress() const noexcept { return traffic.frames_sent + traffic.frames_received; }
    [[nodiscard]] std::vector<DeadLetter> unread_of(ActorId id) const;

    std::string session_id_;
    PrivateMemory memory_;  // before all that lies in it
    std::optional<Vitals> vitals_;
    Registrar registrar_{*this};
    std::vector<StageMember*> members_;  // that live, in the order in which they entered
    std::exception_ptr kept_;
    std::uint32_t next_number_ = 2;
};

}  // namespace baton::detail
