#pragma once
// Synchronization for the processes of a session: locks, conditions, events, semaphores, barriers, latches, shared
// values and arrays, queues and channels.
//
//     sync::Keeper keeper{scenario};
//     auto lock = keeper.lock("printer");
//
// An actor, baton-sync, keeps them. <baton/sync/keeper.hpp> makes them, <baton/sync/handle.hpp> says what all have in
// common and how their verbs fail, and each kind has a header of its own beside it. <baton/sync/protocol.hpp> is all
// that a header with commands needs (sync::Address), and what programs in other languages say to the keeper.

#include <baton/sync/keeper.hpp>
#include <baton/sync/protocol.hpp>
