// A text in shared memory: what fits, what does not, and what is left of it when four make it longer at once, by one
// byte 10,000 times each.
//
// How much is lost without the lock is another number each time: they try again until something is.
#include <baton/sync/array.hpp>
#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace byte_array {

constexpr std::size_t times = 10'000;
constexpr int runs_max = 200;

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
        for (std::size_t number = 0; number < times; ++number) {
            baton::sync::Hold hold;
            if (command.with_lock) hold = text.acquire(120s).value();
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
    story::say("scenario", "{}", to_text(array.assign(array.text() + "\1").error()));
    array.store(0, '\2');
    story::say("scenario", "{}", written(array.text()));
    story::say("scenario", "{}", written(array.raw()));

    const auto writers = scenario.spawn_all<Protocol>(story::roles("byte_array", {"Alice", "Bob", "Charlie", "Dora"}));
    // The length that it has when all four are done.
    const auto lengthened = [&](const std::string& name, bool with_lock) {
        ByteArray text{context, ByteArray::make(context, keeper, name, 4 * times).value()};
        const Lengthen lengthen{text.address(), with_lock};
        for (const auto& done : scenario.ask_all(std::span<const baton::Ref<Protocol>>(writers), lengthen, 300s))
            done.value();
        return text.text().size();
    };
    story::say("scenario", "== test increment without lock ==");
    bool was_lost = false;
    for (int run = 1; run <= runs_max && !was_lost; ++run) {
        const std::size_t length = lengthened(fmt::format("text-{}", run), false);
        fmt::print(stderr, "run {}: {} of {}\n", run, length, 4 * times);
        was_lost = 0 < length && length < 4 * times;
    }
    story::say("scenario", "some were lost: {}", was_lost);
    story::say("scenario", "== test increment with lock ==");
    story::say("scenario", "{}", lengthened("text", true));
}

}  // namespace byte_array

int main(int argc, char** argv) {
    return story::tell<byte_array::Writer, byte_array::Protocol>(argc, argv, byte_array::play);
}
