#include "python/extension/py_sync.hpp"

#include <fmt/format.h>

#include <functional>

#include <baton/sync/protocol.hpp>
#include "python/extension/errors.hpp"
#include "python/extension/from_python.hpp"
#include "python/extension/py_pending.hpp"
#include "python/extension/ref.hpp"
#include "runtime/inbox/call.hpp"

namespace baton::python {

using namespace detail;
namespace {

// A primitive, as this script uses it.
class PyPrimitive {
public:
    PyPrimitive(SessionPtr session, const PyRef& keeper, std::uint32_t number)
        : session_(std::move(session)), keeper_(keeper.id), number_(number) {}
    virtual ~PyPrimitive() = default;
    PyPrimitive(const PyPrimitive&) = delete;
    PyPrimitive& operator=(const PyPrimitive&) = delete;

    [[nodiscard]] std::uint32_t number() const noexcept { return number_; }

    // Waits for what the keeper grants; raises if it does not.
    template <class C>
    sync::Granted wait(const C& command, const py::object& timeout) {
        return value_or_raise(try_wait(command, to_duration(timeout), [] {}));
    }
    // Like wait(), for an item. If a signal's handler raises before the item is Python's, it is back with the keeper.
    // An item that makes no sense counts as taken: at the keeper the next taker would stumble over it.
    template <class C>
    py::object take(const C& command, const py::object& timeout) {
        const sync::Granted granted = wait(command, timeout);
        try {
            return decode_item(py::bytes(reinterpret_cast<const char*>(granted.item.data()), granted.item.size()));
        } catch (const py::error_already_set& raised) {
            const py::object corrupt = py::module_::import("baton._errors").attr("Corrupt");
            if (!raised.matches(corrupt) && !raised.matches(PyExc_TypeError)) withdraw();
            throw;
        }
    }
    // True if there is something to take; running out of time is not an error.
    template <class C>
    bool poll(const C& command, const py::object& timeout) {
        const Result<sync::Granted> granted = try_wait(command, to_duration(timeout), [] {});
        if (!granted && granted.error().kind == ErrorKind::timed_out) return false;
        value_or_raise(granted);
        return true;
    }
    // Tells the keeper without fail, even if a signal's handler raises: then only the keeper's answer is lost.
    template <class C>
    void tell(const C& command, const std::function<void()>& on_sent = [] {}) {
        session_->require_open();
        std::optional<Result<AskId>> asked;
        struct End {  // even if a handler raises before the answer is waited for
            PySession& session;
            std::optional<Result<AskId>>& ask;
            ~End() {
                if (ask && *ask) session.drop_ask(**ask);
            }
        } const end{*session_, asked};
        session_->attend([&](Session& session) {
            asked.emplace(session.loop().request(keeper_, command_name<C>, encoded_body(command), Duration::zero()));
            if (*asked) session.loop().asking().commit(**asked);
            if (*asked) on_sent();
        });
        value_or_raise(session_->turn([&](Session& session) -> Result<void> {
            Loop& loop = session.loop();
            if (!asked || (!*asked && asked->error().kind == ErrorKind::overloaded)) {  // a keeper that is far behind
                asked.emplace(loop.request(keeper_, command_name<C>, encoded_body(command), limits::send_timeout));
                if (*asked) on_sent();
            }
            if (!*asked) return asked->error();
            loop.asking().commit(**asked);
            Result<typename C::Reply> done =
                Pending<typename C::Reply>{PendingReply{loop, **asked}}.get_word(limits::ask_timeout);
            if (!done) return done.error();
            return {};
        }));
    }

protected:
    // Like wait(), but returns the error; `on_sent` is called when the keeper is about to hear of the command.
    template <class C>
    Result<sync::Granted> try_wait(const C& command, Duration duration, const std::function<void()>& on_sent) {
        bool is_sent = false;
        try {
            Result<sync::Granted> granted = session_->turn([&](Session& session) -> Result<sync::Granted> {
                Loop& loop = session.loop();
                const Deadline end = Deadline::in(loop.clock(), duration);
                if (Result<void> paid = withdraw_late(loop); !paid) return paid.error();
                const Result<AskId> ask = loop.request(keeper_, command_name<C>, encoded_body(command), duration);
                if (!ask) return ask.error();
                is_sent = true;
                on_sent();
                Pending<sync::Granted> pending{PendingReply{loop, *ask}};
                pending.commit();  // its end is told to the keeper by Withdraw, which follows it
                return pending.get_word(end.left(loop.clock()));
            });
            // Of other errors the keeper has told us: nobody waits there any more.
            if (!granted && is_sent && is_ours(granted.error().kind)) withdraw();
            if (!granted && granted.error().kind == ErrorKind::timed_out)
                return Error{ErrorKind::timed_out,
                             fmt::format("waited {:g} s for {}, in vain",
                                         std::chrono::duration<double>(duration).count(), text())};
            return granted;
        } catch (...) {
            if (is_sent) withdraw();
            throw;
        }
    }

    // The ends of a wait of which the keeper has not told us.
    [[nodiscard]] static bool is_ours(ErrorKind kind) noexcept {
        return kind == ErrorKind::timed_out || kind == ErrorKind::stopping || kind == ErrorKind::deadlock;
    }

    // Ends a wait at the keeper; what was granted to it in the meantime is returned.
    void withdraw() noexcept {
        owes_withdrawal_ = true;
        try {
            session_->attend([this](Session& session) { static_cast<void>(withdraw_late(session.loop())); });
        } catch (...) {  // it is still owed
        }
    }

    [[nodiscard]] std::string text() { return py::repr(py::cast(this, py::return_value_policy::reference)); }

private:
    // Without waiting; a keeper that is far behind hears of it before the next wait.
    Result<void> withdraw_late(Loop& loop) {
        if (!owes_withdrawal_) return {};
        Result<void> sent = loop.send(keeper_, command_name<sync::Withdraw>, encoded_body(sync::Withdraw{number_}),
                                      Duration::zero(), Loop::Urgency::now);
        owes_withdrawal_ = !sent && sent.error().kind == ErrorKind::overloaded;
        if (owes_withdrawal_) return sent;
        return {};
    }

    SessionPtr session_;
    ActorId keeper_;
    std::uint32_t number_;
    bool owes_withdrawal_ = false;
};

class PyLock : public PyPrimitive {
public:
    PyLock(SessionPtr session, const PyRef& keeper, std::uint32_t number, bool nests)
        : PyPrimitive(std::move(session), keeper, number), nests_(nests) {}

    void acquire(const py::object& timeout) {
        if (depth_ > 0 && !nests_) refuse(fmt::format("{} is held already: this would wait for itself", text()));
        if (depth_ == 0) dead_owner_ = wait(sync::Acquire{number()}, timeout).dead_owner;
        ++depth_;
    }
    void release() {
        if (depth_ > 1) {
            --depth_;
            return;
        }
        tell(sync::Release{number()}, [this] {
            depth_ = 0;
            dead_owner_.clear();
        });
    }
    [[nodiscard]] bool is_held() const noexcept { return depth_ > 0; }
    [[nodiscard]] const std::string& dead_owner() const noexcept { return dead_owner_; }

    // Waits for a condition of this lock: releases it for the time of the wait, and holds it as many times as before
    // afterwards.
    template <class Wait>
    Result<void> wait_without(const Wait& wait_for_notice) {
        const std::uint64_t depth = depth_;
        Result<sync::Granted> granted = wait_for_notice([this] { depth_ = 0; });
        const bool is_late = !granted && granted.error().kind == ErrorKind::timed_out && depth_ == 0;
        if (!granted && !is_late) return granted.error();
        if (is_late) {
            const Error late = granted.error();
            granted = try_wait(sync::Acquire{number()}, limits::ask_timeout, [] {});
            if (!granted)
                return Error{late.kind, fmt::format("{}; and its lock is not held again: {}", late.text,
                                                    to_text(granted.error()))};
            depth_ = depth;
            dead_owner_ = std::move(granted->dead_owner);
            return late;
        }
        depth_ = depth;
        dead_owner_ = std::move(granted->dead_owner);
        return {};
    }

private:
    bool nests_;
    std::uint64_t depth_ = 0;  // 0: not held
    std::string dead_owner_;
};

class PyCondition : public PyPrimitive {
public:
    PyCondition(SessionPtr session, const PyRef& keeper, std::uint32_t number, py::object lock)
        : PyPrimitive(std::move(session), keeper, number), lock_(std::move(lock)) {}

    [[nodiscard]] const py::object& lock() const noexcept { return lock_; }
    void wait(const py::object& timeout) {
        auto& lock = py::cast<PyLock&>(lock_);
        if (!lock.is_held())
            refuse(fmt::format("{} is waited for without holding {}", text(), std::string(py::repr(lock_))));
        const Duration duration = to_duration(timeout);
        value_or_raise(lock.wait_without([&](const std::function<void()>& on_sent) {
            return try_wait(sync::WaitCondition{number()}, duration, on_sent);
        }));
    }

private:
    py::object lock_;
};

class PyBarrier : public PyPrimitive {
public:
    PyBarrier(SessionPtr session, const PyRef& keeper, std::uint32_t number, py::object action)
        : PyPrimitive(std::move(session), keeper, number), action_(std::move(action)) {}

    std::uint64_t wait(const py::object& timeout) {
        const sync::Granted granted = PyPrimitive::wait(sync::WaitBarrier{number()}, timeout);
        if (!granted.runs_action) return granted.index;
        if (action_.is_none()) {
            const std::string why = "this process has given its handle no action";
            tell(sync::ActionDone{number(), why}, [] {});
            refuse(fmt::format("{} is broken: {}, and it was the last to come, which runs it", text(), why));
        }
        try {
            action_();
        } catch (const py::error_already_set& raised) {
            std::string why = py::str(raised.value());
            if (why.empty()) why = py::str(raised.type().attr("__name__"));
            tell(sync::ActionDone{number(), why}, [] {});
            throw;
        }
        tell(sync::ActionDone{number(), ""}, [] {});
        return granted.index;
    }

private:
    py::object action_;
};

class PySemaphore : public PyPrimitive {
public:
    using PyPrimitive::PyPrimitive;
    void acquire(const py::object& timeout) { wait(sync::AcquirePermit{number()}, timeout); }
    void release() { tell(sync::ReleasePermit{number()}); }
};

// Of which Python knows no more than that they are waited for.
struct PyEvent : PyPrimitive {
    using PyPrimitive::PyPrimitive;
};
struct PyLatch : PyPrimitive {
    using PyPrimitive::PyPrimitive;
};
struct PyQueue : PyPrimitive {
    using PyPrimitive::PyPrimitive;
};
struct PyChannel : PyPrimitive {
    using PyPrimitive::PyPrimitive;
};

Bytes item_of(const py::object& value) {
    const std::string bytes = encode_item(value);
    const auto* data = reinterpret_cast<const std::byte*>(bytes.data());
    return {data, data + bytes.size()};
}

const auto late = [] { return py::arg("timeout") = 5.0; };
template <class Kind>
Kind with_init(Kind kind) {
    kind.def(py::init<SessionPtr, const PyRef&, std::uint32_t>());
    return kind;
}

void add_locks(py::module_& module) {
    py::class_<PyLock, PyPrimitive>(module, "SyncLock")
        .def(py::init<SessionPtr, const PyRef&, std::uint32_t, bool>())
        .def("acquire", &PyLock::acquire, late(), "Waits until the lock is this process's. Refused if it is already.")
        .def("release", &PyLock::release, "Passes it to the next. Refused if this process does not hold it.")
        .def_property_readonly("is_held", &PyLock::is_held, "True if this process holds it.")
        .def_property_readonly("dead_owner", &PyLock::dead_owner,
                               "While it is held: the name of its last owner, if that died with it; otherwise ''.")
        .def("__enter__", [](const py::object& self) {
            py::cast<PyLock&>(self).acquire(py::float_(5.0));
            return self;
        })
        .def("__exit__", [](PyLock& self, const py::args&) {
            if (self.is_held()) self.release();
        });

    py::class_<PyCondition, PyPrimitive>(module, "SyncCondition")
        .def(py::init<SessionPtr, const PyRef&, std::uint32_t, py::object>())
        .def_property_readonly("lock", &PyCondition::lock, "This process's handle of its lock.")
        .def("wait", &PyCondition::wait, late(),
             "Releases the lock in the meantime. After TimedOut it is held again; after any other error lock.is_held "
             "tells.");

    with_init(py::class_<PySemaphore, PyPrimitive>(module, "SyncSemaphore"))
        .def("acquire", &PySemaphore::acquire, late(), "Waits for a permit.")
        .def("release", &PySemaphore::release, "Releases one.")
        .def("__enter__", [](const py::object& self) {
            py::cast<PySemaphore&>(self).acquire(py::float_(5.0));
            return self;
        })
        .def("__exit__", [](PySemaphore& self, const py::args&) { self.release(); });
}

void add_meetings(py::module_& module) {
    py::class_<PyBarrier, PyPrimitive>(module, "SyncBarrier")
        .def(py::init<SessionPtr, const PyRef&, std::uint32_t, py::object>())
        .def("wait", &PyBarrier::wait, late(),
             "Returns how many had arrived before. The last that arrives runs the action first.");

    with_init(py::class_<PyEvent, PyPrimitive>(module, "SyncEvent"))
        .def(
            "wait",
            [](PyEvent& self, const py::object& timeout) { self.wait(sync::WaitEvent{self.number()}, timeout); },
            late(), "Waits until it is set.");
    with_init(py::class_<PyLatch, PyPrimitive>(module, "SyncLatch"))
        .def(
            "wait",
            [](PyLatch& self, const py::object& timeout) { self.wait(sync::WaitLatch{self.number()}, timeout); },
            late(), "Waits until the count is zero.");
}

void add_carriers(py::module_& module) {
    with_init(py::class_<PyQueue, PyPrimitive>(module, "SyncQueue"))
        .def(
            "put",
            [](PyQueue& self, const py::object& value, const py::object& timeout) {
                self.wait(sync::Put{self.number(), item_of(value)}, timeout);
            },
            py::arg("value"), late(), "Waits while the queue is full.")
        .def(
            "get",
            [](PyQueue& self, const py::object& timeout) { return self.take(sync::Get{self.number()}, timeout); },
            late(), "Waits for an item and takes it.")
        .def(
            "task_done", [](PyQueue& self) { self.tell(sync::TaskDone{self.number()}); },
            "The oldest item that this process has taken is finished.")
        .def(
            "join", [](PyQueue& self, const py::object& timeout) { self.wait(sync::Join{self.number()}, timeout); },
            late(), "Waits until every item that was put is finished.");

    with_init(py::class_<PyChannel, PyPrimitive>(module, "SyncChannel"))
        .def(
            "send",
            [](PyChannel& self, const py::object& value, const py::object& timeout) {
                self.wait(sync::Send{self.number(), item_of(value)}, timeout);
            },
            py::arg("value"), late(), "Waits while too much of what was sent has not been received.")
        .def(
            "receive",
            [](PyChannel& self, const py::object& timeout) { return self.take(sync::Receive{self.number()}, timeout); },
            late(), "Waits for an item from the other end.")
        .def(
            "poll",
            [](PyChannel& self, const py::object& timeout) { return self.poll(sync::Poll{self.number()}, timeout); },
            py::arg("timeout") = 0.1, "True if there is something to receive, or will be in time.")
        .def(
            "close", [](PyChannel& self) { self.tell(sync::Close{self.number()}); },
            "Nothing more is sent or received at this end.");
}

}  // namespace

void add_sync_classes(py::module_& module) {
    py::class_<PyPrimitive>(module, "Primitive");
    add_locks(module);
    add_meetings(module);
    add_carriers(module);
}

}  // namespace baton::python
