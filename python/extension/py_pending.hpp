#pragma once
// The parts of a message that outlive the call that took it (a reply that has not arrived yet, and the way back to the
// asker), and how messages and their items become Python's values. One thread at a time, as PySession says.

#include "python/extension/from_python.hpp"
#include "python/extension/py_session.hpp"
#include "python/extension/ref.hpp"
#include "python/extension/to_python.hpp"

namespace baton::python {

using namespace dynamic;

using SessionPtr = std::shared_ptr<PySession>;

// Actors that this session has met, by address, so that a ref in a message is the Actor again. `known` outlives it.
[[nodiscard]] MakeRef make_ref_from(const py::object& known, const AnyRef& me);
// Memory that came with a message. `session` outlives the function.
[[nodiscard]] MakeHeld make_held_from(const SessionPtr& session);
// The reply's type; Refused for a command that has none, Unsupported for one that does not exist.
[[nodiscard]] const Type& reply_type(const ProtocolPtr& protocol, std::string_view command);
[[nodiscard]] py::object decoded(const SessionPtr& session, const Type& type, const Value& reply,
                                 const py::object& known);

// One value in bytes of its own, as queues and channels keep them.
[[nodiscard]] py::bytes encode_item(const py::object& value);
[[nodiscard]] py::object decode_item(const py::bytes& item);

// The answer to come of a request.
class PyPending {
public:
    PyPending(SessionPtr session, ProtocolPtr protocol, std::string command, std::string who,
              dynamic::Pending pending, py::object known)
        : session_(std::move(session)),
          protocol_(std::move(protocol)),
          command_(std::move(command)),
          who_(std::move(who)),
          pending_(std::move(pending)),
          known_(std::move(known)) {}
    ~PyPending() { session_->drop_pending(std::move(pending_)); }
    PyPending(const PyPending&) = delete;
    PyPending& operator=(const PyPending&) = delete;

    [[nodiscard]] bool is_settled() const { return state_ != State::under_way || pending_.is_settled(); }
    bool ready();
    py::object get(const py::object& timeout);
    // The outcome as it is now, for good: what has not been answered is given up.
    py::object finish();
    bool cancel();
    [[nodiscard]] const SessionPtr& session() const noexcept { return session_; }

private:
    enum class State { under_way, answered, failed, cancelled };
    void wait(Duration duration, bool gives_up);
    [[nodiscard]] Error why_not_waited(Error error) const;
    py::object outcome() const;

    SessionPtr session_;
    ProtocolPtr protocol_;
    std::string command_;
    std::string who_;
    dynamic::Pending pending_;
    py::object known_;
    State state_ = State::under_way;
    py::object outcome_;
};

// The way back to the asker; answers by itself when it is destroyed.
class PyAnswer {
public:
    PyAnswer(SessionPtr session, Answer answer, std::string command)
        : session_(std::move(session)), answer_(std::move(answer)), command_(std::move(command)) {}
    ~PyAnswer() { session_->drop_answer(std::move(answer_)); }
    PyAnswer(const PyAnswer&) = delete;
    PyAnswer& operator=(const PyAnswer&) = delete;

    void reply(py::handle value);
    void fail(const std::string& text, const std::string& kind, const std::string& type,
              const std::vector<std::string>& frames);
    void waits_for(const PyRef& whom);

private:
    SessionPtr session_;
    Answer answer_;
    std::string command_;
};

// Pending and Answer; Session must have been added.
void add_pending_classes(py::module_& module);

}  // namespace baton::python
