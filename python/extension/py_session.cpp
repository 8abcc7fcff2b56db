#include "python/extension/py_session.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "python/extension/errors.hpp"
#include "python/extension/ref.hpp"
#include "python/extension/rows.hpp"

namespace baton::python {

using namespace detail;
namespace {

bool is_main_thread() {
    const py::module_ threading = py::module_::import("threading");
    return threading.attr("current_thread")().is(threading.attr("main_thread")());
}

}  // namespace

PySession::PySession(Session::Entry entry)
    : thread_(std::this_thread::get_id()),
      is_main_thread_(is_main_thread()),
      pid_(::getpid()),
      set_wakeup_fd_(py::module_::import("signal").attr("set_wakeup_fd")) {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        raise(Error{ErrorKind::overloaded, "cannot open a session: no descriptor left for a pipe"});
    if (!entry.protocol.commands.empty()) protocol_ = std::make_shared<ProtocolDescription>(entry.protocol);
    wakeup_read_ = UniqueFd{ends[0]};
    wakeup_write_ = UniqueFd{ends[1]};
    auto entered = [&] {
        const py::gil_scoped_release released;
        return Session::enter(std::move(entry));
    }();
    session_ = value_or_raise(std::move(entered));
    id_ = session_->id();
    me_ = session_->loop().me();
    holdings_ = session_->holdings();
    session_->loop().watch(wakeup_read_.get(), [this] { on_wakeup(); });
}

PySession::~PySession() {
    if (session_ == nullptr) return;
    if (is_in_child()) {
        static_cast<void>(session_.release());  // its sockets and processes are the parent's
        for (auto& [key, slot] : answers_) static_cast<void>(new AnswerSlot(std::move(slot)));
        for (SegmentBase& held : held_to_drop_) static_cast<void>(new SegmentBase(std::move(held)));
        for (std::shared_ptr<void>& task : tasks_to_drop_)
            static_cast<void>(new std::shared_ptr<void>(std::move(task)));
        static_cast<void>(new std::shared_ptr<Holdings>(std::move(holdings_)));
        return;
    }
    session_->loop().thread().adopt();  // Python's collector runs in any thread
    answers_.clear();
    forget();
}

// ---- turns -----------------------------------------------------------------------------------------

bool PySession::is_in_child() const noexcept { return ::getpid() != pid_; }

bool PySession::may_touch() const noexcept {
    return session_ != nullptr && !is_in_turn_ && !is_in_child() && std::this_thread::get_id() == thread_;
}

void PySession::require_ours() const {
    if (is_in_child())
        refuse(
            fmt::format("this session belongs to process {}, and this is a forked child of it ({}): open a session of "
                        "one's own here, or join that one with baton.session(join='{}')",
                        pid_, ::getpid(), id_));
    if (std::this_thread::get_id() != thread_)
        refuse("this session belongs to the thread that opened it: open one for this thread, or join that one with "
               "baton.session(join=...)");
    if (is_in_turn_)
        refuse("this session is waiting already: a signal handler can't use it until that wait has ended");
}

void PySession::require_open() const {
    require_ours();
    if (session_ == nullptr)
        raise(Error{ErrorKind::gone, "the session is closed: nothing can be done with it any more"});
}

PySession::Turn::Turn(PySession& session) : session_(&session) {
    session.drop_what_was_put_aside();
    if (session.is_main_thread_) {
        session.former_wakeup_ = session.wake_through(session.wakeup_write_.get());
        try {
            session.run_signal_handlers();  // what came before has not written to the descriptor
        } catch (...) {
            session.wake_through(session.former_wakeup_);
            throw;
        }
    }
    session.is_in_turn_ = true;
}

PySession::Turn::~Turn() {
    session_->is_in_turn_ = false;
    if (const std::uint64_t one = 1; session_->turns_told_.is_open())
        [[maybe_unused]] const auto told = ::write(session_->turns_told_.get(), &one, sizeof one);
    if (!session_->is_main_thread_) return;
    session_->wake_through(session_->former_wakeup_);
    if (session_->former_wakeup_ < 0) return;
    // The descriptor's former owner, an event loop, learns of the signals that came after the last wait.
    char signals[64];
    for (ssize_t count = 0; (count = ::read(session_->wakeup_read_.get(), signals, sizeof signals)) > 0;)
        [[maybe_unused]] const auto passed_on =
            ::write(session_->former_wakeup_, signals, static_cast<std::size_t>(count));
}

void PySession::on_exited(py::object tell) {
    require_open();
    if (!exit_listener_) session_->loop().control().on_exited([this](const Ended& one) { exited_.push_back(one); });
    exit_listener_ = std::move(tell);
}

void PySession::tell_exits() {
    if (!exit_listener_) return;
    {
        const InTurn in_turn{is_in_turn_};
        const py::gil_scoped_release released;
        session_->look();
    }
    while (!exited_.empty()) {
        const Ended one = std::move(exited_.front());
        exited_.pop_front();
        const py::object listener = exit_listener_;
        listener(to_py(one.actor), exit_row(one.name, one.exit));
        require_open();  // it may have closed the session
    }
}

int PySession::tell_turns(bool tells) {
    if (tells && !turns_told_.is_open()) {
        require_open();
        turns_told_ = UniqueFd{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
        if (!turns_told_.is_open())
            raise(Error{ErrorKind::overloaded, "cannot await anything: no descriptor is left for an eventfd"});
    }
    if (!tells) turns_told_.reset();
    return turns_told_.get();
}

void PySession::forget_turns() noexcept {
    std::uint64_t count = 0;
    if (turns_told_.is_open()) [[maybe_unused]] const auto had = ::read(turns_told_.get(), &count, sizeof count);
}

int PySession::wake_through(int descriptor) noexcept {
    PyObject* const former = PyObject_CallFunction(set_wakeup_fd_.ptr(), "i", descriptor);
    if (former == nullptr) {  // its owner has closed it in the meantime
        PyErr_Clear();
        return -1;
    }
    const long number = PyLong_AsLong(former);
    Py_DECREF(former);
    return static_cast<int>(number);
}

void PySession::on_wakeup() {
    char signals[64];
    const ssize_t count = ::read(wakeup_read_.get(), signals, sizeof signals);
    if (count <= 0 || !is_main_thread_) return;
    if (former_wakeup_ >= 0)
        [[maybe_unused]] const auto passed_on = ::write(former_wakeup_, signals, static_cast<std::size_t>(count));
    const py::gil_scoped_acquire acquired;
    run_signal_handlers();
}

void PySession::run_signal_handlers() {
    if (PyErr_CheckSignals() == 0) return;
    if (!holds_interrupts_ || PyErr_ExceptionMatches(PyExc_KeyboardInterrupt) == 0) throw py::error_already_set();
    holds_interrupts_ = false;
    PyErr_Clear();
    on_interrupt_();
}

void PySession::adopt() {
    thread_ = std::this_thread::get_id();
    is_main_thread_ = is_main_thread();
    if (session_ != nullptr) session_->loop().thread().adopt();
}

// ---- the end ---------------------------------------------------------------------------------------

std::vector<Ended> PySession::close(Duration deadline, bool was_interrupted, const py::object& on_interrupt) {
    require_ours();
    if (session_ == nullptr) return {};
    std::optional<Result<std::vector<Ended>>> closed;
    holds_interrupts_ = !was_interrupted;
    on_interrupt_ = on_interrupt;
    try {
        const Turn turn{*this};
        session_->loop().begin_leaving();
        answers_.clear();  // the askers are told that this script is stopping
        end_dependents();
        const py::gil_scoped_release released;
        closed.emplace(session_->close(deadline));
    } catch (...) {
        kill_all();
        throw;
    }
    forget();
    return value_or_raise(std::move(*closed));
}

void PySession::kill_all() {
    require_ours();
    if (session_ == nullptr) return;
    session_->loop().begin_leaving();
    answers_.clear();
    end_dependents();
    holdings_->release_all();  // before its memory is swept: arrays may still be alive
    {
        const py::gil_scoped_release released;
        session_->kill_all();
    }
    forget();
}

void PySession::end_dependents() {
    for (const std::function<void()>& work : std::exchange(endings_, {})) work();
}

void PySession::forget() {
    end_dependents();
    holds_interrupts_ = false;
    on_interrupt_ = {};
    exit_listener_ = {};
    is_main_thread_ = false;  // nobody is there to hear of a signal
    {
        const py::gil_scoped_release released;
        session_.reset();
    }
    if (holdings_ != nullptr) holdings_->release_all();  // of a session that was killed
    held_to_drop_.clear();
    tasks_to_drop_.clear();
    holdings_.reset();
    // No turn will need them again; the object may live on for its exits.
    wakeup_read_.reset();
    wakeup_write_.reset();
    turns_told_.reset();
}

// ---- what outlives a turn --------------------------------------------------------------------------

std::uint64_t PySession::keep(AnswerSlot slot) {
    answers_.emplace(++last_answer_, std::move(slot));
    return last_answer_;
}

bool PySession::answer(std::uint64_t key, const std::function<void(AnswerSlot&)>& say) {
    require_open();
    const auto found = answers_.find(key);
    if (found == answers_.end()) return false;
    // Said once, even if a signal's handler raises before it is on its way.
    turn([&](Session& session) {
        AnswerSlot slot = std::move(found->second);
        answers_.erase(found);
        say(slot);
        session.loop().outbox().flush();
    });
    return true;
}

bool PySession::say_waits_for(std::uint64_t key, const AnyRef& whom) {
    require_open();
    const auto found = answers_.find(key);
    if (found == answers_.end()) return false;
    turn([&](Session& session) {
        // A command that nobody has looked at may be what was waited for, whether it is there or comes next.
        session.before_mail([this] {
            for (auto& [other, slot] : answers_) slot.waits_for({});
        });
        if (!session.has_mail()) found->second.waits_for(whom.id);
    });
    return true;
}

void PySession::drop_answer(std::uint64_t key) {
    if (may_touch()) {
        answers_.erase(key);
    } else if (session_ != nullptr && !is_in_child()) {
        answers_to_drop_.push_back(key);
    }
}

bool PySession::drop_ask(AskId ask) {
    if (may_touch()) return session_->loop().abandon(ask) == Fate::withdrawn;
    if (session_ != nullptr && !is_in_child()) asks_to_drop_.push_back(ask);
    return false;
}

void PySession::drop_held(SegmentBase held) {
    if (is_in_child()) {
        static_cast<void>(new SegmentBase(std::move(held)));  // it is the parent's
    } else if (session_ != nullptr && !may_touch()) {
        held_to_drop_.push_back(std::move(held));
    }
}

void PySession::drop_task(std::shared_ptr<void> task) {
    if (is_in_child()) {
        static_cast<void>(new std::shared_ptr<void>(std::move(task)));  // it is the parent's
    } else if (session_ != nullptr && !may_touch()) {
        tasks_to_drop_.push_back(std::move(task));
    }
}

void PySession::drop_what_was_put_aside() {
    static_cast<void>(std::exchange(tasks_to_drop_, {}));
    static_cast<void>(std::exchange(held_to_drop_, {}));
    for (const std::uint64_t key : std::exchange(answers_to_drop_, {})) answers_.erase(key);
    for (const AskId ask : std::exchange(asks_to_drop_, {})) session_->loop().abandon(ask);
}

}  // namespace baton::python
