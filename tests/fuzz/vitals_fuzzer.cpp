// Goal: no bytes in the rows of the vitals make a reader crash, read beyond them, or go round for ever. Method:
// libFuzzer writes rows of some actors, then every reader of them is called: which actor waits for which, circles, what
// has not been taken; and the actors go on with what is in their own rows.

#include <unistd.h>

#include <cstring>
#include <string>

#include "runtime/vitals/vitals.hpp"

namespace {

using namespace baton;
using namespace baton::detail;

constexpr std::uint32_t actors = 6;

struct World {
    std::string id = "fuzzed-vitals" + std::to_string(::getpid());
    Vitals vitals = Vitals::create(id).value();
    World() { Vitals::remove(id); }  // its name; the memory stays as long as it is mapped
};

ActorId actor(std::uint32_t number) { return {number, 1}; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static World world;
    Vitals& vitals = world.vitals;
    for (std::uint32_t number = 1; number <= actors; ++number) vitals.prepare(actor(number)).value();
    auto* const rows = reinterpret_cast<std::byte*>(const_cast<VitalsRow*>(vitals.row_of(actor(1))));
    // Each write: which row, at which word of it, which value; the first words are used most.
    for (std::size_t at = 0; at + 12 <= size; at += 12) {
        const std::size_t word = (std::size_t{data[at + 1]} << 8 | data[at + 2]) % (VitalsRow::bytes / 8);
        std::memcpy(rows + data[at] % actors * VitalsRow::bytes + (data[at + 3] % 2 == 0 ? word : word % 128) * 8,
                    data + at + 4, 8);
    }
    for (std::uint32_t number = 1; number <= actors; ++number) {
        const ActorId one = actor(number);
        if (vitals.circle_of(one).size() > limits::circle_actors_max) __builtin_trap();
        static_cast<void>(vitals.wait_of(one));
        static_cast<void>(vitals.has_exited(one));
        static_cast<void>(vitals.holds_withdrawn(number));
        for (std::uint32_t other = 1; other <= actors; ++other) {
            static_cast<void>(vitals.waiting(one, actor(other)));
            static_cast<void>(vitals.has_begun(one, actor(other), 3));
            WaitEdge lock{.who = one, .whom = {actor(other)}, .what = WaitEdge::For::primitive, .turn = 7};
            static_cast<void>(vitals.find_deadlock({lock}, actor(1)));
        }
        if (const VitalsRow* row = vitals.row_of(one); row != nullptr) static_cast<void>(is_withdrawn(*row, one, 7));
        if (vitals.row_of(one) == nullptr) continue;  // somebody else's by now
        Result<OwnVitals> own = OwnVitals::open(vitals, one);
        if (!own) __builtin_trap();
        Traffic* const traffic = own->traffic_with(actor(1 + number % actors));
        own->count_answered(traffic, actor(1 + number % actors));
        own->count_heard(traffic, actor(1 + number % actors));
        own->begin(std::string(300, 'x'), 1);
        own->begin_wait({actor(1 + number % actors), 7});
        own->end();
        for (std::uint32_t ask = 1; ask < 2 * VitalsRow::withdrawn_max; ++ask) {
            const bool has_place = own->withdraw(ask, actor(ask % actors + 1));
            if (has_place != (ask <= VitalsRow::withdrawn_max)) __builtin_trap();
        }
        own->end_withdrawal(7);
        own->end_withdrawals_to(actor(2));
        if (traffic != nullptr) own->keep_answer(*traffic, 7, one);
        static_cast<void>(own->traffic_with({77, number}));
    }
    for (std::uint32_t number = 1; number <= actors; ++number) {
        static_cast<void>(vitals.circle_of(actor(number)));
        vitals.note_exit(actor(number));
    }
    return 0;
}
