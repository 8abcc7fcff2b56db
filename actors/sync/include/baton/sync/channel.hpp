#pragma once
// Channel: what is sent at one end is received at the other, both ways, in order.
//
//     auto [mine, other] = keeper.channel<std::string>("talk");    // in a scenario
//     scenario.send(taxi, Drive{other.address()});                 // the other end goes to another process
//     mine.send("a taxi, please", 1s);
//     if (mine.poll(500ms)) fmt::print("{}\n", mine.receive());
//     mine.close();
//
// An end belongs to the process that first uses it. When that process closes it or dies, the other end receives what
// was sent before, and then `gone`, with the name. Other errors: as all waits (<baton/sync/handle.hpp>). One thread.

#include <baton/sync/joinable_queue.hpp>

namespace baton::sync {

template <Item T, AnyMember M = Context>
class Channel : public Handle<M> {
public:
    Channel(M& member, Address address)
        : Handle<M>(std::make_unique<detail::PlainSyncHandle>(detail::context_of(member), std::move(address),
                                                              "channel")) {}

    // Waits while too much of what was sent has not been received.
    Outcome<M, void> send(const T& value, Within within = limits::ask_timeout) {
        return this->give(this->core().pass(Send{this->number(), to_bytes(value)}, within));
    }
    [[nodiscard]] Outcome<M, T> receive(Within within = limits::ask_timeout) {
        return this->give(this->core().wait(Receive{this->number()}, within).and_then([](const Granted& granted) {
            return from_bytes<T>(granted.item, "item");
        }));
    }
    // True if there is something to receive, or will be in time. `gone` if nothing more can come.
    [[nodiscard]] Outcome<M, bool> poll(Within within = limits::poll_timeout) {
        Result<void> polled = this->core().pass(Poll{this->number()}, within);
        if (polled) return this->give(Result<bool>{true});
        if (polled.error().kind == ErrorKind::timed_out) return this->give(Result<bool>{false});
        return this->give(Result<bool>{std::move(polled).error()});
    }
    Outcome<M, void> close() { return this->give(this->core().tell(Close{this->number()})); }
};

}  // namespace baton::sync
