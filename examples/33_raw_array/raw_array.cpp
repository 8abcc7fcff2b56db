// Four write their own number over a whole array: each element for itself, each under the lock, or all under one lock.
#include <algorithm>

#include "actors/sync/array.hpp"
#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace raw_array {

using Array = baton::sync::Array<std::int32_t>;
constexpr std::uint64_t length = 100'000;

enum class Locking { none, fine, coarse };
struct Replace {
    baton::sync::Address array;
    Locking locking = Locking::none;
    std::int32_t number = 0;
    using Reply = bool;
};
using Protocol = baton::Protocol<Replace>;

class Writer {
public:
    explicit Writer(baton::Context& context) : context_(&context) {}

    bool on(const Replace& command) {
        Array array{*context_, command.array};
        if (command.locking == Locking::coarse) {
            const baton::sync::Hold hold = array.acquire(30s).value();
            std::ranges::fill(array.elements(), command.number);
            return true;
        }
        for (std::uint64_t index = 0; index < length; ++index) {
            baton::sync::Hold hold;
            if (command.locking == Locking::fine) hold = array.acquire(30s).value();
            array.store(index, command.number);
        }
        return true;
    }

private:
    baton::Context* context_;
};

void play(baton::Scenario& scenario) {
    baton::Context& context = scenario.context();
    const auto keeper = baton::sync::spawn_keeper(context).value();
    const auto writers = scenario.spawn_all<Protocol>(story::roles("raw_array", {"0", "1", "2", "3"})).value();
    for (const auto& [name, locking] : {std::pair{"without lock", Locking::none}, {"with lock", Locking::fine}, {"with lock v2", Locking::coarse}}) {
        story::say("scenario", "== replace {} ==", name);
        Array array{context, Array::make(context, keeper, name, length).value()};
        std::vector<baton::Pending<bool>> replacing;
        for (std::int32_t number = 0; number < 4; ++number)
            replacing.push_back(scenario.request(writers[static_cast<std::size_t>(number)], Replace{array.address(), locking, number}).value());
        for (auto& one : replacing) one.get(60s).value();

        const baton::sync::Hold hold = array.acquire(5s).value();
        const std::span<const std::int32_t> elements = array.elements();
        std::array<std::ptrdiff_t, 4> counts{};
        for (std::int32_t number = 0; number < 4; ++number)
            counts[static_cast<std::size_t>(number)] = std::ranges::count(elements, number);
        const auto written = counts[0] + counts[1] + counts[2] + counts[3];
        if (locking == Locking::coarse) story::say("scenario", "one number everywhere: {}", std::ranges::max(counts) == static_cast<std::ptrdiff_t>(length));
        else story::say("scenario", "any mixture of the four: {} elements", written);
    }
}

}  // namespace raw_array

int main(int argc, char** argv) { return story::tell<raw_array::Writer, raw_array::Protocol>(argc, argv, raw_array::play); }
