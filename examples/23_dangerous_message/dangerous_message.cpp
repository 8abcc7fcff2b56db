// A message that wants to run code in its receiver. Here a message is data: it is read, or it does not fit.
//
// In the story the class's __reduce__ made the receiver's unpickling call a function of the sender's choice. A pickle
// that would do so is sent here too, byte by byte.
#include <baton/sync/channel.hpp>
#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace dangerous_message {

struct Receive {
    baton::sync::Address conn;
    std::uint32_t count = 0;
    using Reply = bool;
};
using Protocol = baton::Protocol<Receive>;

class Receiver {
public:
    explicit Receiver(baton::Context& context) : context_(&context) {}

    bool on(const Receive& command) {
        baton::sync::Channel<std::string> conn{*context_, command.conn};
        for (std::uint32_t number = 0; number < command.count; ++number) {
            story::say(context_->name(), "receive the message");
            const auto text = conn.receive(5s);
            if (text) story::say(context_->name(), "it is a text of {} letters: {}", text->size(), *text);
            else story::say(context_->name(), "{}", to_text(text.error()));
        }
        return true;
    }

private:
    baton::Context* context_;
};

void play(baton::Scenario& scenario) {
    baton::Context& context = scenario.context();
    const auto keeper = baton::sync::spawn_keeper(context).value();
    const auto ends = baton::sync::Channel<std::string>::make(context, keeper, "conn").value();
    const auto receiver = scenario.spawn<Protocol>(story::role("dangerous_message", "receiver"));

    // pickle.dumps of an object whose __reduce__ answers (os.system, ("echo Hello!",))
    constexpr std::string_view pickled{"\x80\x03" "cposix\nsystem\n" "X\x0b\0\0\0" "echo Hello!" "\x85R.", 34};
    const auto* bytes = reinterpret_cast<const std::byte*>(pickled.data());
    auto receiving = scenario.request(receiver, Receive{ends.second, 3});
    const auto say = [&](const auto& message) {
        context.ask(ends.first.keeper, baton::sync::Send{ends.first.number, baton::sync::item_of(message)}).value();
    };
    say(std::string("os.system('shutdown now')"));
    say(baton::sync::Bytes{bytes, bytes + pickled.size()});
    // Not even one value: bytes that somebody has made up.
    context
        .ask(ends.first.keeper, baton::sync::Send{ends.first.number, baton::sync::Bytes{bytes, bytes + pickled.size()}})
        .value();
    receiving.get(5s).value();
    story::say("scenario", "the receiver is alive and nothing was run");
}

}  // namespace dangerous_message

int main(int argc, char** argv) {
    return story::tell<dangerous_message::Receiver, dangerous_message::Protocol>(argc, argv, dangerous_message::play);
}
