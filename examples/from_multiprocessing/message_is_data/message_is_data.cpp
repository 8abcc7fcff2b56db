// A message that wants to run code in its receiver. Here a message is data: it is read, or it does not fit.
//
// In the story the class's __reduce__ made the receiver's unpickling call a function of the sender's choice. A pickle
// that would do so is sent here too, byte by byte.
#include <baton/sync.hpp>
#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace message_is_data {

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
    baton::sync::Keeper keeper{scenario};
    const auto [mine, other] = keeper.channel<std::string>("conn");
    const auto receiver = scenario.spawn<Protocol>(story::role("message_is_data", "receiver"));

    // pickle.dumps of an object whose __reduce__ answers (os.system, ("echo Hello!",))
    constexpr std::string_view pickled{"\x80\x03" "cposix\nsystem\n" "X\x0b\0\0\0" "echo Hello!" "\x85R.", 34};
    const auto* bytes = reinterpret_cast<const std::byte*>(pickled.data());
    const baton::Bytes made_up{bytes, bytes + pickled.size()};
    auto receiving = scenario.request(receiver, Receive{other.address(), 3});
    // What the channel's send() does, with bytes of one's own choice.
    const auto send = [&scenario, &end = mine.address()](const baton::Bytes& item) {
        scenario.ask(end.keeper, baton::sync::Send{end.number, item});
    };
    send(baton::to_bytes(std::string("os.system('shutdown now')")));
    send(baton::to_bytes(made_up));
    // Not even one value: bytes that somebody has made up.
    send(made_up);
    receiving.get(5s).value();
    story::say("scenario", "the receiver is alive and nothing was run");
}

}  // namespace message_is_data

int main(int argc, char** argv) {
    return story::tell<message_is_data::Receiver, message_is_data::Protocol>(argc, argv, message_is_data::play);
}
