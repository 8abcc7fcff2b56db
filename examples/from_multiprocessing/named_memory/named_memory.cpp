// Making shared memory, or attaching to what somebody else has made under that name; looking at it from other
// processes; and what becomes of it afterwards.
//
// In the story memory had a name for the whole machine, and a program that forgot to unlink it found the old state the
// next time. Here memory has an owner and ends with it, however the owner ends, and a name is known only in its
// session. Memory that is to outlive the session is exported under a name for the whole machine; once it has been
// imported again, that name is gone.
#include <unistd.h>

#include <atomic>
#include <numeric>

#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace named_memory {

using Bytes = std::vector<std::uint8_t>;

struct Look {
    baton::Lease memory;
    using Reply = Bytes;
};
struct Met {
    bool has_created = false;
    Bytes seen;
};
struct Meet {  // at the memory of that name
    std::string name;
    using Reply = Met;
};
struct Write {  // into what was met
    std::uint64_t index = 0;
    std::uint8_t value = 0;
    using Reply = bool;
};
struct LookAgain {
    using Reply = Bytes;
};
using Protocol = baton::Protocol<Look, Meet, Write, LookAgain>;

class Process {
public:
    explicit Process(baton::Context& context) : context_(&context) {}

    Bytes on(const Look& command) {
        const auto bytes = command.memory.as<std::uint8_t>();
        return {bytes.begin(), bytes.end()};
    }
    baton::Result<Met> on(const Meet& command) {
        // The first one fills it; nobody sees it before that.
        auto memory = context_->create_or_attach<std::uint8_t>(command.name, {4}, [](std::span<std::uint8_t> bytes) {
            std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
        });
        if (!memory) return memory.error();
        memory_ = std::move(*memory);
        return Met{memory_.was_created(), seen()};
    }
    bool on(const Write& command) {
        std::atomic_ref<std::uint8_t>{memory_.slice.at<std::uint8_t>({command.index})}.store(command.value);
        return true;
    }
    Bytes on(const LookAgain&) { return seen(); }

private:
    [[nodiscard]] Bytes seen() {
        Bytes all;
        for (std::uint8_t& byte : memory_.slice.as<std::uint8_t>())
            all.push_back(std::atomic_ref<std::uint8_t>{byte}.load());
        return all;
    }

    baton::Context* context_;
    baton::Member::CreatedOrAttached memory_;
};

using Ref = baton::Ref<Protocol>;

void look_twice(baton::Scenario& scenario, const Ref& reader) {
    baton::Segment memory = scenario.create_array<std::uint8_t>({4});
    const auto bytes = memory.as<std::uint8_t>();
    std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
    baton::Loan lent = scenario.lend(std::move(memory));
    for (int look = 1; look <= 2; ++look)
        story::say("scenario", "look {} of the reader: {}", look,
                   fmt::join(scenario.ask(reader, Look{lent.lease().value()}), " "));
}

void meet_at_once(baton::Scenario& scenario, const Ref& alice, const Ref& bob) {
    const std::array both{alice, bob};
    int created = 0;
    for (const auto& met : scenario.ask_all(std::span<const Ref>(both), Meet{"multiprocessor"})) {
        created += met.value().has_created ? 1 : 0;
        story::say("scenario", "met: {}", fmt::join(met->seen, " "));
    }
    story::say("scenario", "created by one of two: {}", created == 1);
    scenario.ask(alice, Write{0, 7});
    story::say("scenario", "Alice has written, and Bob sees: {}", fmt::join(scenario.ask(bob, LookAgain{}), " "));
    // Nobody has time to clean up.
    for (const Ref& one : both) scenario.kill(one);
    for (const Ref& one : both) scenario.join(one, 5s);
}

void hand_out_and_take_in(baton::Scenario& scenario) {
    baton::Segment memory = scenario.create_array<std::uint8_t>({1});
    memory.at<std::uint8_t>({0}) = 7;
    const std::string name = fmt::format("multiprocessor-{}", ::getpid());
    scenario.export_as(std::move(memory), name);
    const baton::Layout layout{"|u1", {1}};
    {
        const baton::Segment back = scenario.import_from(name, layout);
        story::say("scenario", "back by its name: {}", fmt::join(back.as<std::uint8_t>(), " "));
    }
    try {
        scenario.import_from(name, layout);
    } catch (const baton::ErrorException& error) {
        story::say("scenario", "and once more: {}", error.kind());
    }
}

void play(baton::Scenario& scenario) {
    const std::vector<Ref> all = scenario.spawn_all<Protocol>(story::roles("named_memory", {"Alice", "Bob",
                                                                                             "Charlie"}));
    look_twice(scenario, all[2]);
    story::say("scenario", "== create or attach ==");
    meet_at_once(scenario, all[0], all[1]);
    story::say("scenario", "== after their death ==");
    const Met met = scenario.ask(all[2], Meet{"multiprocessor"});
    story::say("scenario", "Charlie has {}: {}", met.has_created ? "created it anew" : "found old state",
    fmt::join(met.seen, " "));
    story::say("scenario", "== out of the session, and back ==");
    hand_out_and_take_in(scenario);
}

}  // namespace named_memory

int main(int argc, char** argv) {
    return story::tell<named_memory::Process, named_memory::Protocol>(argc, argv, named_memory::play);
}
