#pragma once
// SyncActor: the keeper. <baton/sync/protocol.hpp> says what may be asked of it; kept/ has what each primitive does.
//
// Here are only the ways between them: from a command to the primitive with that number, from the Wakes that result to
// the answers that were kept, from the exit of a client to everything that it held (sync_actor.cpp), how primitives are
// made and removed (making.cpp), and a look for circles every 100 ms while somebody waits (circles.cpp).

#include <memory>

#include <baton/deadlock.hpp>
#include "actors/sync/cells.hpp"
#include "actors/sync/clients.hpp"
#include "actors/sync/kept/lock.hpp"

namespace baton::sync {

class SyncActor {
public:
    explicit SyncActor(Context& context);
    ~SyncActor();

    Result<Address> on(MakeLock command);
    Result<Address> on(MakeCondition command);
    Result<Address> on(MakeEvent command);
    Result<Address> on(MakeSemaphore command);
    Result<Address> on(MakeBarrier command);
    Result<Address> on(MakeLatch command);
    Result<Address> on(MakeValue command);
    Result<Address> on(MakeArray command);
    Result<Address> on(MakeQueue command);
    Result<Ends> on(MakeChannel command);

    Result<Attached> on(const Attach& command);
    Result<Looked> on(const Look& command);
    void on(const Withdraw& command);

    void on(const Acquire& command, Answer<Granted> answer);
    Result<Nothing> on(const Release& command);
    void on(const WaitCondition& command, Answer<Granted> answer);
    Result<std::uint64_t> on(const Notify& command);
    Result<Nothing> on(const SetEvent& command);
    void on(const WaitEvent& command, Answer<Granted> answer);
    void on(const AcquirePermit& command, Answer<Granted> answer);
    Result<Nothing> on(const ReleasePermit& command);
    void on(const WaitBarrier& command, Answer<Granted> answer);
    Result<Nothing> on(const ActionDone& command);
    Result<Nothing> on(const ResetBarrier& command);
    Result<Nothing> on(const AbortBarrier& command);
    Result<std::uint64_t> on(const CountDown& command);
    void on(const WaitLatch& command, Answer<Granted> answer);
    void on(Put command, Answer<Granted> answer);
    void on(const Get& command, Answer<Granted> answer);
    Result<Nothing> on(const TaskDone& command);
    void on(const Join& command, Answer<Granted> answer);
    void on(Send command, Answer<Granted> answer);
    void on(const Receive& command, Answer<Granted> answer);
    void on(const Poll& command, Answer<Granted> answer);
    Result<Nothing> on(const Close& command);
    Result<Nothing> on(const Remove& command);

    [[nodiscard]] Deadline next_deadline() const {
        return resting_.empty() ? next_look_ : next_look_.or_earlier(Deadline{resting_.front().until});
    }
    void on_deadline();

private:
    struct Kept {
        std::unique_ptr<kept::Primitive> primitive;
        std::optional<Cells::Cell> cell = {};
        std::optional<Loan> elements = {};
    };

    // ---- making
    [[nodiscard]] Result<void> require_room(std::string_view kind, const std::string& name,
                                            std::size_t count = 1) const;
    Address keep(Kept kept);
    // `refused` if it can't be removed now; otherwise nobody acquires it any more.
    [[nodiscard]] Result<void> let_go(kept::Primitive& primitive);
    void drop(std::uint32_t number, const Error& why);
    [[nodiscard]] std::string removed_text(std::uint32_t number) const;
    // A lock with a cell of its own, of a kind that has one.
    [[nodiscard]] Result<Kept> with_lock(std::string_view kind, std::string name);

    // ---- from commands to primitives
    [[nodiscard]] Result<Kept*> find(std::uint32_t number);
    template <class Kind>
    [[nodiscard]] Result<Kind*> find_as(std::uint32_t number);
    // begin(primitive, client, wakes) for a wait of the sender.
    template <class Kind, class Begin>
    void wait_at(std::uint32_t number, Answer<Granted> answer, Begin begin);
    // step(primitive, client, wakes) for what is answered at once, with its Result.
    template <class Kind, class Step>
    auto step_at(std::uint32_t number, Step step)
        -> std::invoke_result_t<Step, Kind&, const kept::Party&, kept::Wakes&>;
    void deliver(kept::Wakes& wakes);
    void end_wait(Client& client, const Error& why);
    void bury(const Ended& exited);

    void urge_rested();

    // ---- looking for circles
    void look();
    [[nodiscard]] std::vector<detail::WaitEdge> waits_of_clients();
    void break_up(std::vector<detail::WaitEdge> circle);

    Context* context_;
    Cells cells_;
    Clients clients_;
    std::map<std::uint32_t, Kept> kept_;  // by number
    std::uint32_t last_number_ = 0;       // of all that was ever made
    struct Removed {
        std::uint32_t number = 0;
        std::string text;
    };
    std::deque<Removed> removed_;  // the last ones
    std::uint64_t turns_ = 0;
    Deadline next_look_ = Deadline::never();
    struct Resting {
        kept::Lock* lock = nullptr;
        Instant until;
    };
    std::deque<Resting> resting_;  // the first to wake first
};

template <class Kind>
Result<Kind*> SyncActor::find_as(std::uint32_t number) {
    Result<Kept*> kept = find(number);
    if (!kept) return kept.error();
    if (Kind* one = dynamic_cast<Kind*>((*kept)->primitive.get()); one != nullptr) return one;
    return Error{ErrorKind::refused, fmt::format("number {} of {} is {}, not a {}", number, context_->name(),
                                                 (*kept)->primitive->to_text(), Kind::kind_name)};
}

}  // namespace baton::sync
