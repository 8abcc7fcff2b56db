#pragma once
// JoinableQueue: values from any process to any process, first in, first out; and whoever filled it can wait until all of
// them have been dealt with.
//
//     sync::JoinableQueue<std::string> jobs{context, address};
//     jobs.put("water", 1s);                  // waits while the queue is full
//     const std::string job = jobs.get(1s).value();
//     jobs.task_done();                       // for each that was taken, in that order
//     jobs.join(5s);                          // until nothing is unfinished
//
// At least once: an item whose taker dies before task_done is the next to be taken. One whose takers die three times is given
// up and counts as finished (limits::item_takers_max). So each item is kept until task_done: a put that finds no room because
// of items that were taken and never finished is `overloaded`, and says whose they are. A put that ended as `timed_out` may have been taken at that moment.
// Errors: as all waits (handle.hpp); `refused` for task_done without an item, and for an item that is no T, which stays
// with who took it.

#include <baton/sync/handle.hpp>
#include <baton/sync/items.hpp>

namespace baton::sync {

using namespace detail;

template <Item T>
class JoinableQueue : public Handle {
public:
    [[nodiscard]] static Result<Address> make(Context& context, Ref<Protocol> keeper, const std::string& name,
                                              std::uint64_t bound = limits::queue_items_max) {
        return context.ask(keeper, MakeQueue{name, bound}, limits::ask_timeout);
    }
    JoinableQueue(Context& context, Address address) : Handle(context, std::move(address)) {}

    Result<void> put(const T& value, Duration deadline) { return ended(wait(Put{number(), item_of(value)}, deadline, "queue")); }
    [[nodiscard]] Result<T> get(Duration deadline) {
        Result<Granted> granted = wait(Get{number()}, deadline, "queue");
        if (!granted) return granted.error();
        return value_of<T>(granted->item, "item");
    }
    Result<void> task_done() { return tell(TaskDone{number()}); }
    [[nodiscard]] Result<void> join(Duration deadline) { return ended(wait(Join{number()}, deadline, "queue")); }
    // Items that nobody has taken.
    [[nodiscard]] Result<std::uint64_t> size() { return count(); }
    [[nodiscard]] Result<bool> is_empty() {
        Result<std::uint64_t> left = size();
        if (!left) return left.error();
        return *left == 0;
    }

private:
    static Result<void> ended(Result<Granted> granted) {
        if (!granted) return granted.error();
        return {};
    }
};

}  // namespace baton::sync
