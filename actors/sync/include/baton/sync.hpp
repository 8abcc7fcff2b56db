#pragma once
// Synchronization for the processes of a session: locks, conditions, events, semaphores, barriers, latches, shared
// values and arrays, queues and channels.
//
//     sync::Keeper keeper{scenario};
//     auto lock = keeper.lock("printer");
//
// Waiting: the commands that say "answered when" are answered late. One wait a client at a time, as it has one thread;
// another one ends the former as `refused`. Who gives up waiting sends Withdraw, always: only then can what was granted at
// the same moment be given back. A client that has died is found out by the kernel's word: what it held is passed on
// or given back, and it waits no more; one that is stopped (SIGSTOP) is alive.
// Waits that would never end, because everybody in a circle waits for the next one, end as `deadlock` with the circle.

#include <baton/sync/keeper.hpp>
#include <baton/sync/protocol.hpp>
