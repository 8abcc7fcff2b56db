#pragma once
// The parts of a message that outlive the call that took it (a reply that has not arrived yet, and the way back to the
// asker), and how messages and their items become Python's values. One thread at a time, as PySession says.

#include "python/extension/py_session.hpp"
#include "python/extension/ref.hpp"
#include "python/extension/to_python.hpp"

namespace baton::python {

using namespace detail;

using SessionPtr = std::shared_ptr<PySession>;
using ProtocolPtr = std::shared_ptr<ProtocolDescription>;

// Actors that this session has met, by address, so that a ref in a message is the Actor again. `known` outlives it.
[[nodiscard]] MakeRef make_ref_from(const py::object& known, SessionTag session);
// What came with a message; `arrivals` is null if nothing did. Both outlive the function.
[[nodiscard]] MakeHeld make_held_from(const SessionPtr& session, Arrivals* arrivals);
// The reply's type; Refused for a command that has none, Unsupported for one that does not exist.
[[nodiscard]] const TypeDescription& reply_type(const ProtocolDescription& protocol, std::string_view command);
[[nodiscard]] py::object decoded(const SessionPtr& session, const TypeDescription& type, const ReplyFrame& reply,
                                 const py::object& known);

// One value in bytes of its own, as queues and channels keep them.
[[nodiscard]] py::bytes encode_item(const py::object& value);
[[nodiscard]] py::object decode_item(const py::bytes& item);

// The answer to come of a request.
class PyPending {
public:
    PyPending(SessionPtr session, ProtocolPtr protocol, std::string command, std::string who, AskId ask,
              py::object known)
        : session_(std::move(session)),
          protocol_(std::move(protocol)),
          command_(std::move(command)),
          who_(std::move(who)),
          ask_(ask),
          known_(std::move(known)) {}
    ~PyPending() { cancel(); }
    PyPending(const PyPending&) = delete;
    PyPending& operator=(const PyPending&) = delete;

    bool is_settled(Session& session) const { return state_ != State::under_way || session.loop().is_settled(ask_); }
    bool ready();
    py::object get(const py::object& timeout);
    // The outcome as it is now, for good: what has not been answered is given up.
    py::object finish();
    bool cancel();
    [[nodiscard]] const SessionPtr& session() const noexcept { return session_; }

private:
    enum class State { under_way, answered, failed, cancelled };
    void wait(Duration duration, bool gives_up);
    py::object outcome() const;

    SessionPtr session_;
    ProtocolPtr protocol_;
    std::string command_;
    std::string who_;
    AskId ask_;
    py::object known_;
    State state_ = State::under_way;
    py::object outcome_;
};

// The way back to the asker; answers by itself when it is destroyed.
class PyAnswer {
public:
    PyAnswer(SessionPtr session, std::uint64_t key, std::string command)
        : session_(std::move(session)), key_(key), command_(std::move(command)) {}
    ~PyAnswer() { session_->drop_answer(key_); }
    PyAnswer(const PyAnswer&) = delete;
    PyAnswer& operator=(const PyAnswer&) = delete;

    void reply(py::handle value);
    void fail(const std::string& text, const std::string& kind, const std::string& type,
              const std::vector<std::string>& frames);
    void waits_for(const PyRef& whom);

private:
    void answer(const std::function<void(AnswerSlot&)>& say);
    SessionPtr session_;
    std::uint64_t key_;
    std::string command_;
};

// Pending and Answer; Session must have been added.
void add_pending_classes(py::module_& module);

}  // namespace baton::python
