#pragma once
// Descriptors: keeps ZeroMQ from ending a process that has no descriptors left.
//
// libzmq 4.3 aborts when accept4() answers EMFILE, when it finds no descriptor for its epoll, and when it can't start
// its threads. This file has the checks that are made before ZeroMQ is given work, and the function that it calls
// instead of accept4(): docs/decisions/0015-descriptors.md. Only zmq_transport.cpp needs it. Thread rule: no shared
// state except what hold_back_connections() sets up once.

#include <baton/result.hpp>

namespace baton::detail {

// `overloaded` unless `wanted` descriptors can be opened and limits::descriptors_reserve more stay free. `tried` begins
// the text of the error.
[[nodiscard]] Result<void> require_descriptors(int wanted, std::string_view tried);

// `overloaded` unless this process may start two more threads, which ZeroMQ does at its first socket.
[[nodiscard]] Result<void> require_threads(std::string_view tried);

// From here on libzmq's listeners close a connection that would leave fewer than limits::descriptors_reserve
// descriptors, and survive having none. Idempotent.
void hold_back_connections();

}  // namespace baton::detail
