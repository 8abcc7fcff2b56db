#pragma once
// What a script's session does, as methods of the extension's class Session: to actors (py_actors.cpp) and with
// messages (py_messages.cpp). Each is one turn of PySession.

#include "python/extension/py_session.hpp"

namespace baton::python {

using SessionClass = py::class_<PySession, std::shared_ptr<PySession>>;

void add_actor_calls(SessionClass& session);
void add_message_calls(SessionClass& session);

}  // namespace baton::python
