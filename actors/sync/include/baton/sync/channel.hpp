#pragma once
// Channel: what is said at one end is heard at the other, both ways, in order.
//
//     const sync::Ends ends = sync::Channel<std::string>::make(context, keeper, "talk").value();
//     // ends.first to one process, ends.second to another
//     sync::Channel<std::string> end{context, address};
//     end.send("a taxi, please", 1s);
//     if (end.poll(500ms).value()) fmt::print("{}\n", end.receive(0s).value());
//     end.close();
//
// An end belongs to the process that first uses it. When that closes it or dies, the other hears what had been said before,
// and then `gone`, with the name. Other errors: as all waits (handle.hpp).

#include <baton/sync/handle.hpp>
#include <baton/sync/items.hpp>

namespace baton::sync {

using namespace detail;

template <Item T>
class Channel : public Handle {
public:
    [[nodiscard]] static Result<Ends> make(Context& context, Ref<Protocol> keeper, const std::string& name) {
        MakeChannel command;
        command.name = name;
        return context.ask(keeper, command, limits::ask_timeout);
    }
    Channel(Context& context, Address address) : Handle(context, std::move(address)) {}

    // Waits while too much is unheard.
    Result<void> send(const T& value, Duration deadline) {
        Result<Granted> granted = wait(Send{number(), item_of(value)}, deadline, "channel");
        if (!granted) return granted.error();
        return {};
    }
    [[nodiscard]] Result<T> receive(Duration deadline) {
        Result<Granted> granted = wait(Receive{number()}, deadline, "channel");
        if (!granted) return granted.error();
        return value_of<T>(granted->item, "item");
    }
    // Is there something to receive, or will there be by then? `gone` where nothing more can come.
    [[nodiscard]] Result<bool> poll(Duration deadline) {
        Result<Granted> granted = wait(Poll{number()}, deadline, "channel");
        if (!granted && granted.error().kind == ErrorKind::timed_out) return false;
        if (!granted) return granted.error();
        return true;
    }
    Result<void> close() { return tell(Close{number()}); }
};

}  // namespace baton::sync
