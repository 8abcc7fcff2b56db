#pragma once
// JoinableQueue: values from any process to any process, first in, first out; the process that filled it can wait until
// all of them have been dealt with.
//
//     auto jobs = keeper.queue<std::string>("jobs");    // in a scenario
//     jobs.put("water", 1s);                            // waits while the queue is full
//     const std::string job = jobs.get(1s);
//     jobs.task_done();                                 // for each item that was taken, in that order
//     jobs.join(5s);                                    // until nothing is unfinished
//
// At least once: an item whose taker dies before task_done() is the next to be taken. An item whose takers die three
// times (limits::item_takers_max) is given up and counts as finished. So each item is kept until task_done(): a put()
// that finds no room because of items that were taken and never finished is `overloaded`, and says whose they are. A
// put() that ended as `timed_out` may have been taken at that moment.
//
// Errors: as all waits (<baton/sync/handle.hpp>); `refused` for task_done() without an item, and for an item that is
// not a T, which stays with the process that took it. One thread.

#include <baton/bytes.hpp>
#include <baton/sync/handle.hpp>

namespace baton::sync {

// What queues and channels carry: a value as in a command, without segments, leases and slices.
template <class T>
concept Item = requires(const T& value) { to_bytes(value); };

template <Item T, AnyMember M = Context>
class JoinableQueue : public Handle<M> {
public:
    JoinableQueue(M& member, Address address)
        : Handle<M>(
              std::make_unique<detail::PlainSyncHandle>(detail::context_of(member), std::move(address), "queue")) {}

    Outcome<M, void> put(const T& value, Within within = limits::ask_timeout) {
        return this->give(this->core().pass(Put{this->number(), to_bytes(value)}, within));
    }
    [[nodiscard]] Outcome<M, T> get(Within within = limits::ask_timeout) {
        return this->give(this->core().wait(Get{this->number()}, within).and_then([](const Granted& granted) {
            return from_bytes<T>(granted.item, "item");
        }));
    }
    Outcome<M, void> task_done() { return this->give(this->core().tell(TaskDone{this->number()})); }
    [[nodiscard]] Outcome<M, void> join(Within within = limits::ask_timeout) {
        return this->give(this->core().pass(Join{this->number()}, within));
    }
    // How many items nobody has taken.
    [[nodiscard]] Outcome<M, std::uint64_t> size() { return this->give(this->core().count()); }
    [[nodiscard]] Outcome<M, bool> is_empty() {
        return this->give(this->core().count().transform([](std::uint64_t items) { return items == 0; }));
    }
};

}  // namespace baton::sync
