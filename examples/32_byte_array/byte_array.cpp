// A text in shared memory: what fits, what does not, and what is left of it when four make it longer at once.
#include "actors/sync/array.hpp"
#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace byte_array {

constexpr int times = 250;

struct Lengthen {
    baton::sync::Address text;
    bool with_lock = false;
    using Reply = bool;
};
using Protocol = baton::Protocol<Lengthen>;

class Writer {
public:
    explicit Writer(baton::Context& context) : context_(&context) {}

    bool on(const Lengthen& command) {
        baton::sync::ByteArray text{*context_, command.text};
        for (int number = 0; number < times; ++number) {
            baton::sync::Hold hold;
            if (command.with_lock) hold = text.acquire(30s).value();
            text.assign(text.text() + '\1').value();
        }
        return true;
    }

private:
    baton::Context* context_;
};

// "\1\2\3", as one would write it.
std::string written(std::string_view bytes) {
    std::string text;
    for (const char byte : bytes) text += fmt::format("\\x{:02x}", byte);
    return text;
}

void play(baton::Scenario& scenario) {
    using baton::sync::ByteArray;
    baton::Context& context = scenario.context();
    const auto keeper = baton::sync::spawn_keeper(context).value();
    ByteArray array{context, ByteArray::make(context, keeper, "array", 5).value()};
    for (std::uint64_t index = 0; const char byte : {'\1', '\2', '\3', '\0', '\4'}) array.store(index++, byte);
    story::say("scenario", "{}", written(array.text()));
    story::say("scenario", "{}", array.text().size());
    story::say("scenario", "Index 3: {}", written(std::string(1, array.load(3))));
    story::say("scenario", "Index 4: {}", written(std::string(1, array.load(4))));
    array.assign("\1").value();
    story::say("scenario", "{}", written(array.text()));
    array.assign(array.text() + "\1\1\1\1").value();
    story::say("scenario", "{}", describe(array.assign(array.text() + "\1").error()));
    array.store(0, '\2');
    story::say("scenario", "{}", written(array.text()));
    story::say("scenario", "{}", written(array.raw()));

    const auto writers = scenario.spawn_all<Protocol>(story::roles("byte_array", {"Alice", "Bob", "Charlie", "Dora"})).value();
    for (const bool with_lock : {false, true}) {
        story::say("scenario", "== test increment {} lock ==", with_lock ? "with" : "without");
        ByteArray text{context, ByteArray::make(context, keeper, "text", 4 * times).value()};
        const Lengthen lengthen{text.address(), with_lock};
        for (const auto& done : scenario.ask_all(std::span<const baton::Ref<Protocol>>(writers), lengthen, 60s)) done.value();
        const std::size_t length = text.text().size();
        if (with_lock) story::say("scenario", "{}", length);
        else story::say("scenario", "as long as was written, or less: {}", length <= 4 * times);
    }
}

}  // namespace byte_array

int main(int argc, char** argv) { return story::tell<byte_array::Writer, byte_array::Protocol>(argc, argv, byte_array::play); }
