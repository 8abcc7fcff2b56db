#pragma once
// Descriptors: how ZeroMQ is kept from ending a process that has none left.
//
// libzmq 4.3 aborts when accept4() answers EMFILE, when it finds no descriptor for its epoll, and when it can't start its
// threads. Here is what is asked before it is given something to do, and what it calls in place of accept4():
// docs/decisions/0015-descriptors.md. The door is zmq_transport.cpp; nobody else needs this.
// Thread rule: no shared state but what hold_back_connections() sets up once.

#include <baton/result.hpp>

namespace baton::detail {

// Overloaded unless `wanted` descriptors can be opened and limits::descriptors_reserve more stay free. `tried` begins the
// text of the error.
[[nodiscard]] Result<void> require_descriptors(int wanted, std::string_view tried);

// Overloaded unless this process may start two threads more, which is what ZeroMQ does at its first socket.
[[nodiscard]] Result<void> require_threads(std::string_view tried);

// From here on libzmq's listeners close a connection that would leave fewer than limits::descriptors_reserve descriptors,
// and outlive having none. Idempotent; does nothing where no shared libzmq is loaded.
void hold_back_connections();

}  // namespace baton::detail
