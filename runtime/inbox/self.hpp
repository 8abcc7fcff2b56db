#pragma once
// Self: who this actor is, what it was given to live with, and whether its life is coming to an end. Every part of the
// loop refers to the one Self; none of them owns a copy of what is said here. One thread, which is the user's.

#include <functional>
#include <optional>
#include <string>

#include <baton/log.hpp>
#include "runtime/holdings/holdings.hpp"
#include "runtime/inbox/own_thread.hpp"
#include "runtime/transport/transport.hpp"
#include "runtime/vitals/vitals.hpp"

namespace baton::detail {

// How far the end of an actor is.
struct Ending {
    enum class Stop { no, now, after_draining };
    Stop stop = Stop::no;
    Deadline until;                     // of the stop: an actor that has not left by then is killed
    bool is_leaving = false;            // what is left to do is to say goodbye
    bool has_lost_coordinator = false;  // the session has ended, and its actors with it
};

class Self {
public:
    Self(Transport& transport, const Clock& clock, Log& log) : transport_(&transport), clock_(&clock), log_(&log) {}
    Self(const Self&) = delete;
    Self& operator=(const Self&) = delete;

    // ---- place in the session
    void be(ActorId me, std::string name);
    // The session that it is in; a Ref of another one is refused from here on.
    void be_in(SessionTag session) noexcept { session_ = session; }
    [[nodiscard]] Result<void> require_ours(const AnyRef& ref) const;
    [[nodiscard]] ActorId me() const noexcept { return me_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] SessionTag session() const noexcept { return session_; }

    // ---- what it lives with
    void attach(const Vitals& vitals, OwnVitals own);
    void attach(Holdings& holdings) noexcept { holdings_ = &holdings; }
    [[nodiscard]] const Clock& clock() const noexcept { return *clock_; }
    [[nodiscard]] Log& log() const noexcept { return *log_; }
    [[nodiscard]] Transport& transport() const noexcept { return *transport_; }
    // The thread that made it, or that has adopted it since.
    [[nodiscard]] OwnThread& thread() noexcept { return thread_; }
    // Nullptr before attach().
    [[nodiscard]] const Vitals* vitals() const noexcept { return vitals_; }
    [[nodiscard]] OwnVitals* own_vitals() noexcept { return own_vitals_ ? &*own_vitals_ : nullptr; }
    [[nodiscard]] Holdings* holdings() const noexcept { return holdings_; }

    // ---- its end
    void stop(bool drain, Deadline until = Deadline::never()) noexcept;
    [[nodiscard]] bool is_stopping() const noexcept { return ending_.stop != Ending::Stop::no; }
    [[nodiscard]] Ending& ending() noexcept { return ending_; }
    // A stop ends all waits, except those of an actor that says goodbye.
    [[nodiscard]] bool ends_waits() const noexcept { return ending_.stop == Ending::Stop::now && !ending_.is_leaving; }
    [[nodiscard]] Error coordinator_lost() const;

    // ---- what it does now
    [[nodiscard]] bool is_handling() const noexcept { return hand_.is_full; }
    // The sender of the command in progress; nobody between commands.
    [[nodiscard]] ActorId sender() const noexcept { return hand_.sender; }
    // What others see of it, in its vitals: the command that it is handling since then. A handler that answers by what
    // it returns is at its end before the answer leaves: an asker that has it does not find the command in hand. The
    // second end of one does nothing.
    void show_in_hand(std::string_view command, Instant since) noexcept;
    void end_in_hand() noexcept;

private:
    friend class Handling;
    struct Hand {
        bool is_full = false;
        ActorId sender;
        bool is_shown = false;
    };
    OwnThread thread_;
    Transport* transport_;
    const Clock* clock_;
    Log* log_;
    ActorId me_;
    std::string name_;
    SessionTag session_;
    const Vitals* vitals_ = nullptr;
    std::optional<OwnVitals> own_vitals_;
    Holdings* holdings_ = nullptr;
    Ending ending_;
    Hand hand_;
};

// User code runs while it lives; what it throws passes through.
class Handling {
public:
    explicit Handling(Self& self, ActorId sender = {}) : hand_(self.hand_) { hand_ = {true, sender}; }
    ~Handling() { hand_ = {}; }
    Handling(const Handling&) = delete;
    Handling& operator=(const Handling&) = delete;

private:
    Self::Hand& hand_;
};

}  // namespace baton::detail
