#pragma once
// PySession: an Outsider as Python may use it.
//
// Every use is one turn(): checked to come from the thread and the process that opened the session and not
// from within another turn, then run without the GIL. A signal that Python handles (Ctrl-C) wakes every wait
// of the main thread through Python's wakeup descriptor; the handler runs at once, and what it raises leaves
// the turn. Answers, asks and segments that Python deletes, in whatever thread its collector runs, are put aside for
// the next turn.
//
// Called with the GIL held, which also guards what is put aside.

#include <pybind11/pybind11.h>

#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <baton/outsider.hpp>
#include <baton/unique_fd.hpp>

namespace baton::python {

using namespace dynamic;

namespace py = pybind11;

class PySession : public std::enable_shared_from_this<PySession> {
public:
    // Raises what Outsider::enter() refuses.
    explicit PySession(Outsider::Entry entry);
    // One that was not closed is closed; in a forked child, let alone.
    ~PySession();
    PySession(const PySession&) = delete;
    PySession& operator=(const PySession&) = delete;

    // Runs `work(Outsider&)` without the GIL. Raises `refused` from another thread, process or turn, `gone`
    // after close(), and what a signal's handler raises.
    template <class Work>
    auto turn(Work&& work) -> std::invoke_result_t<Work, Outsider&> {
        require_open();
        tell_exits();
        const Turn turn{*this};
        const py::gil_scoped_release released;
        return work(*session_);
    }

    // Like turn(), for work that must be done even if a signal's handler has raised or will raise: no handler runs. The
    // work must not wait. Returns false, and does nothing, if the session may not be touched.
    template <class Work>
    bool attend(Work&& work) {
        if (!may_touch()) return false;
        const InTurn in_turn{is_in_turn_};
        work(*session_);
        return true;
    }

    // Raises as turn() would.
    void require_open() const;
    [[nodiscard]] bool is_open() const noexcept { return session_ != nullptr; }
    [[nodiscard]] bool is_in_child() const noexcept;
    [[nodiscard]] const std::string& id() const noexcept { return id_; }
    [[nodiscard]] const AnyRef& me() const noexcept { return me_; }
    // The commands that this script has published; null if it answers none.
    [[nodiscard]] const std::shared_ptr<dynamic::Protocol>& protocol() const noexcept { return protocol_; }
    // From here on `tell(ref, exit)` hears of the ends of actors that this script has had to do with: at the beginning
    // of a turn, never within one. What it raises leaves that turn, which has not begun then.
    void on_exited(py::object tell);
    [[nodiscard]] bool has_exits() const noexcept { return !exited_.empty(); }
    // From here on this descriptor is readable after every turn, until forget_turns(): what an event loop waits for may
    // have come in the turn.
    int tell_turns(bool tells);
    void forget_turns() noexcept;

    // The exits of all actors of a session of one's own, else of those that were started from here. The first
    // KeyboardInterrupt on the way, counting `was_interrupted`, is only told to `on_interrupt`; another one
    // kills what is left and is raised.
    [[nodiscard]] std::vector<Ended> close(Duration deadline, bool was_interrupted, const py::object& on_interrupt);
    // Ends what was started from here by SIGKILL, and forgets the session.
    void kill_all();
    // From here this thread is its thread; the former one must have ended.
    void adopt();

    // ---- what outlives a turn
    // Each drops what stands behind an object that Python has released; in another thread, later.
    void drop_answer(Answer answer);
    // True if its command is withdrawn; false if that is not known.
    bool drop_pending(dynamic::Pending pending);
    void drop_held(std::shared_ptr<Memory> held);
    void drop_task(std::shared_ptr<void> task);
    // Called before the session ends; for what can't outlive it.
    void before_end(std::function<void()> work) { endings_.push_back(std::move(work)); }

private:
    // While it lives the session is in use and signals wake its waits.
    class Turn {
    public:
        explicit Turn(PySession& session);
        ~Turn();
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;

    private:
        PySession* session_;
    };
    friend class Turn;
    struct InTurn {
        explicit InTurn(bool& flag) : flag_(flag) { flag_ = true; }
        ~InTurn() { flag_ = false; }
        InTurn(const InTurn&) = delete;
        InTurn& operator=(const InTurn&) = delete;

    private:
        bool& flag_;
    };

    void require_ours() const;
    [[nodiscard]] bool may_touch() const noexcept;
    void drop_what_was_put_aside();
    int wake_through(int descriptor) noexcept;  // and the one before
    void on_wakeup();  // without the GIL
    void run_signal_handlers();
    void tell_exits();
    void end_dependents();
    void forget();

    std::unique_ptr<Outsider> session_;
    std::string id_;
    AnyRef me_;
    std::thread::id thread_;
    bool is_main_thread_;
    pid_t pid_;
    bool is_in_turn_ = false;

    UniqueFd wakeup_read_;
    UniqueFd wakeup_write_;
    int former_wakeup_ = -1;
    UniqueFd turns_told_;  // an eventfd, if an event loop wants to know
    py::object set_wakeup_fd_;

    bool holds_interrupts_ = false;  // during close()
    py::object on_interrupt_;

    std::vector<Answer> answers_to_drop_;
    std::vector<dynamic::Pending> pendings_to_drop_;
    std::vector<std::shared_ptr<Memory>> held_to_drop_;
    std::vector<std::shared_ptr<void>> tasks_to_drop_;
    std::vector<std::function<void()>> endings_;

    std::shared_ptr<dynamic::Protocol> protocol_;
    py::object exit_listener_;  // null if nobody wants to know
    std::deque<Ended> exited_;  // of which it has not been told
};

}  // namespace baton::python
