// Goal: no bytes in the ledger keep the coordinator from settling deaths, from telling what is there, or from ending.
// Method: libFuzzer writes a story of steps: words and fields anywhere in the tables, transitions of actors in between,
// deaths, collections, audits; then the session ends. Afterwards no row says that something is left, whatever they had
// said; a walk without an end is a timeout of libFuzzer's. The ledger lies on the heap; the memory of its segments is
// removed by names that nobody has.

#include <sys/mman.h>

#include <cstring>

#include "actors/coordinator/estate.hpp"

namespace {

using namespace baton;
using namespace baton::detail;

// Reads the story to its end, and zeros behind it.
struct Story {
    const std::uint8_t* at;
    const std::uint8_t* end;
    template <class Number>
    Number next() {
        Number number{};
        const std::size_t bytes = std::min<std::size_t>(sizeof number, static_cast<std::size_t>(end - at));
        std::memcpy(&number, at, bytes);
        at += bytes;
        return number;
    }
    [[nodiscard]] bool is_over() const { return at == end; }
};

// One region for all stories, given back to the system in between, so that it is zero again.
std::span<std::byte> fresh_region() {
    static std::byte* const region =
        static_cast<std::byte*>(::mmap(nullptr, LedgerLayout::region_bytes(), PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    if (region == MAP_FAILED) __builtin_trap();
    ::madvise(region, LedgerLayout::region_bytes(), MADV_DONTNEED);
    return {region, LedgerLayout::region_bytes()};
}

constexpr ActorNumber actors = 5;  // 1 is the coordinator
constexpr Slot rows = 192;
constexpr int steps_max = 32;

coordinator::SegmentList list_of(const coordinator::Estate& estate) {
    return estate.list(limits::segments_listed_max, [](ActorId one) { return to_string(one); });
}

void write_somewhere(Story& story, Ledger& ledger, std::span<std::byte> region) {
    const auto what = story.next<std::uint8_t>();
    const auto row = story.next<std::uint8_t>();
    const auto field = story.next<std::uint8_t>();
    const auto value = story.next<std::uint64_t>();
    auto* words = reinterpret_cast<std::uint64_t*>(region.data());  // the header: homes, lives, buckets, ...
    std::size_t index = (std::size_t{row} << 8 | field) % (sizeof(LedgerHeader) / 8 + 1024);
    switch (what % 6) {
        case 0: words = reinterpret_cast<std::uint64_t*>(&ledger.segments.row(row % rows)); index = field % 8; break;
        case 1: words = reinterpret_cast<std::uint64_t*>(&ledger.leases.row(row % rows)); index = field % 8; break;
        case 2: words = reinterpret_cast<std::uint64_t*>(&ledger.layout.names()[row % 16]); index = field % 64; break;
        case 3:
            words = reinterpret_cast<std::uint64_t*>(&ledger.layout.actors()[1 + row % actors]);
            index = field % 32;
            break;
        case 4:
            static_cast<void>(ledger.wills.prepare(row % rows));
            words = reinterpret_cast<std::uint64_t*>(&ledger.layout.wills()[row % rows]);
            index = field % 64;
            break;
        default: break;
    }
    // not what the file is
    if (index == 0 || index == 1) index += words == reinterpret_cast<std::uint64_t*>(region.data()) ? 2U : 0U;
    words[index] = value;
}

// Heirs of low numbers are there, others are to come, or are over.
void carry_out(coordinator::Estate& estate) {
    using coordinator::HeirStanding;
    const auto find = [](ActorId, std::uint64_t heir) -> HeirStanding {
        const ActorId life{static_cast<std::uint32_t>(heir >> 32), static_cast<std::uint32_t>(heir)};
        if (life.number > 1 && life.number <= actors) return {HeirStanding::Kind::here, life};
        return {heir % 2 == 0 ? HeirStanding::Kind::over : HeirStanding::Kind::to_come, {}};
    };
    estate.carry_out_wills(find, [](const auto&) {}, [](const auto&) {});
}

void make_a_transition(Story& story, Ledger& ledger) {
    const auto what = story.next<std::uint8_t>();
    const Slot slot = story.next<std::uint8_t>() % rows;
    const ActorNumber me = 1 + story.next<std::uint8_t>() % actors;
    const ActorNumber other = 1 + story.next<std::uint8_t>() % actors;
    const SegmentWord word = ledger.segments.word_of(slot);
    switch (what % 13) {
        case 0: static_cast<void>(ledger.segment_blocks.claim(me)); break;
        case 1: static_cast<void>(ledger.lease_blocks.claim(me)); break;
        case 2: static_cast<void>(ledger.segments.create(slot, me)); break;
        case 3: static_cast<void>(ledger.segments.offer(slot, word.epoch, word.owner, other)); break;
        case 4: static_cast<void>(ledger.segments.lend(slot, word.epoch, word.owner)); break;
        case 5: static_cast<void>(ledger.segments.retire(slot, word.epoch, word.owner)); break;
        case 6: static_cast<void>(ledger.segments.recycle(slot, word)); break;
        case 7: {
            ledger.leases.describe(slot, other, word.epoch, {LeaseKind::read, 0, 8}, LeaseTable::Listing::joins);
            static_cast<void>(ledger.leases.grant(slot, me, other));
            break;
        }
        case 8: static_cast<void>(ledger.segments.reclaim(slot, word.epoch, word.owner)); break;
        case 9: static_cast<void>(ledger.segment_leases.live(slot)); break;
        case 10: {
            const Result<NameSlot> row = ledger.names.bind(std::string(1, static_cast<char>('a' + slot % 8)));
            if (!row) break;
            if (const auto mine = ledger.names.begin_publishing(*row, me, slot)) {
                ledger.names.describe(*row, {LeaseKind::read, word.epoch, 8, "|u1", {8}});
                static_cast<void>(ledger.names.publish(*row, *mine));
            }
            static_cast<void>(ledger.names.publication_of(*row));
            break;
        }
        case 11: {
            static_cast<void>(ledger.wills.prepare(slot));
            const std::uint64_t heirs[]{std::uint64_t{other} << 32 | 1, next_life_heir};
            ledger.wills.write(slot, 1 + other % 2, {{heirs[0], heirs[1]}, "x", {"|u1", {8}}});
            ledger.wills.store(slot, {1 + other % 2, word.owner, word.epoch});
            break;
        }
        default: {
            ledger.counters.intend(me, static_cast<Count>(other % 4), slot);
            if (other % 2 == 0) ledger.counters.count(me, static_cast<Count>(other % 4));
            break;
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Story story{data, data + size};
    const std::span<std::byte> region = fresh_region();
    ManualClock clock;
    LedgerRegion ours = LedgerRegion::within(region, ~std::uint64_t{0}).value();
    Ledger& ledger = ours.ledger();
    coordinator::Estate estate = coordinator::Estate::over(std::move(ours), "fuzzed-rows", clock).value();
    for (ActorNumber number = 2; number <= actors; ++number) estate.give_life({number, 1}, 0).value();

    for (int step = 0; step < steps_max && !story.is_over(); ++step) {
        switch (const auto what = story.next<std::uint8_t>(); what % 8) {
            case 0: {
                const coordinator::Estate::Settled settled = estate.settle({2 + what / 8U % (actors - 1), 1});
                for (const ActorId heir : settled.to_drain)
                    if (!heir.is_somebody()) __builtin_trap();  // nobody can be asked
                break;
            }
            case 1: estate.drained({1 + what / 8U % actors, 1}, {1 + story.next<std::uint8_t>() % actors, 1}); break;
            case 2: static_cast<void>(estate.collect()); break;
            case 3: {
                if (list_of(estate).rows.size() > limits::segments_listed_max) __builtin_trap();
                if (estate.audit().size() > limits::segments_listed_max) __builtin_trap();
                static_cast<void>(estate.last_transitions({1 + what / 8U % actors, 1}, 8));
                break;
            }
            case 4: make_a_transition(story, ledger); break;
            case 5: {
                carry_out(estate);
                if (what / 8U % 2 == 0) estate.take_back_offers();
                else static_cast<void>(estate.decline({2, 1}, story.next<std::uint8_t>() % rows, what / 8U));
                break;
            }
            default: write_somewhere(story, ledger, region);
        }
    }
    const coordinator::Estate::Balance balance = estate.close();
    for (const Finding& finding : balance.findings)
        if (finding.invariant == 7) __builtin_trap();  // something is left
    const coordinator::Estate::Mended mended = estate.take_mended();
    if (mended.texts.size() > mended.rows) __builtin_trap();
    return 0;
}
