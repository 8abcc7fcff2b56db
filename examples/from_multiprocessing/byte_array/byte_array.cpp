// A text in shared memory: what fits, what does not, and what is left of it when four make it longer at once, by one
// byte 10,000 times each.
//
// How much is lost without the lock is different each time: they try again until something is.
#include <baton/sync.hpp>
#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace byte_array {

constexpr std::size_t times = 10'000;
constexpr int runs_max = 200;

struct Lengthen {
    baton::sync::Address text;
    bool with_lock = false;
    using Reply = void;
};
using Protocol = baton::Protocol<Lengthen>;

class Writer {
public:
    explicit Writer(baton::Context& context) : context_(&context) {}

    baton::Result<void> on(const Lengthen& command) {
        baton::sync::ByteArray text{*context_, command.text};
        for (std::size_t number = 0; number < times; ++number) {
            const auto hold = command.with_lock ? text.acquire(120s) : baton::sync::Hold{};
            if (!hold) return hold.error();
            if (auto longer = text.assign(text.text() + '\1'); !longer) return longer;
        }
        return {};
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
    baton::sync::Keeper keeper{scenario};
    auto array = keeper.byte_array("array", 5);
    for (std::uint64_t index = 0; const char byte : {'\1', '\2', '\3', '\0', '\4'}) array.store(index++, byte);
    story::say("scenario", "{}", written(array.text()));
    story::say("scenario", "{}", array.text().size());
    story::say("scenario", "Index 3: {}", written(std::string(1, array.load(3))));
    story::say("scenario", "Index 4: {}", written(std::string(1, array.load(4))));
    array.assign("\1");
    story::say("scenario", "{}", written(array.text()));
    array.assign(array.text() + "\1\1\1\1");
    try {
        array.assign(array.text() + "\1");
    } catch (const baton::ErrorException& too_long) {
        story::say("scenario", "{}", too_long.error());
    }
    array.store(0, '\2');
    story::say("scenario", "{}", written(array.text()));
    story::say("scenario", "{}", written(array.raw()));

    const auto writers = scenario.spawn_all<Protocol>(story::roles("byte_array", {"Alice", "Bob", "Charlie", "Dora"}));
    // The length that it has when all four are done.
    const auto lengthened = [&](const std::string& name, bool with_lock) {
        auto text = keeper.byte_array(name, 4 * times);
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
