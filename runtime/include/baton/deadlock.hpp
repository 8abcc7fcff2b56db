#pragma once
// Deadlock: for an actor that keeps what others wait for, such as locks. It describes each wait that it keeps as a
// WaitEdge, and Context::find_deadlock() adds what the actors wait for elsewhere. Thread rule: plain values.

#include <baton/detail/wait_edge.hpp>

namespace baton {

using detail::find_circle;
using detail::text_of_circle;
using detail::WaitEdge;

}  // namespace baton
