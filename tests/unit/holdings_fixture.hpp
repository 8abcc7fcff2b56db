#pragma once
// Holdings of two actors over one real region, and the proof that they leave no memory.

#include "runtime/holdings/arrivals.hpp"
#include "tests/unit/ledger_fixture.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace holdings_test {

using namespace ledger_test;
namespace fs = std::filesystem;

inline constexpr ActorId alice_id{alice, 1};
inline constexpr ActorId bob_id{bob, 1};

// "rw-s" and the like: what this process may do at `address`.
inline std::string rights_at(const void* address) {
    std::ifstream maps{"/proc/self/maps"};
    for (std::string line; std::getline(maps, line);) {
        std::uintptr_t start = 0;
        std::uintptr_t end = 0;
        char rights[5] = {};
        if (std::sscanf(line.c_str(), "%lx-%lx %4s", &start, &end, rights) != 3) continue;
        const auto at = reinterpret_cast<std::uintptr_t>(address);
        if (at >= start && at < end) return rights;
    }
    return "none";
}

// The memory of a session in which two actors live, and the proof that they leave none.
class Pair {
public:
    explicit Pair(std::uint64_t budget = ~std::uint64_t{0}, Store::Idle idle = Store::Idle::accessible)
        : id(fmt::format("unit{}-{}", ::getpid(), ++count_)), region(LedgerRegion::create(id, budget).value()),
          a(joined(alice_id, idle)), b(joined(bob_id, idle)) {
        region.ledger().lives.give(coordinator_id, ~std::uint64_t{0}).value();
    }
    ~Pair() {
        for (Holdings* one : {&*a, &*b}) one->release_all();
        // Twice: the first may have retired what is the other's.
        for (Holdings* one : {&*a, &*b, &*a}) one->trim();
        CHECK(memories() == std::vector<std::string>{});
        CHECK(region.ledger().budget.bytes_in_session() == 0);
        CHECK(invariants(audit_end(region.ledger())).empty());
        LedgerRegion::remove(id);
    }
    Pair(const Pair&) = delete;
    Pair& operator=(const Pair&) = delete;

    Ledger& ledger() { return region.ledger(); }
    // Names of shared objects, but for the ledger's.
    [[nodiscard]] std::vector<std::string> memories() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator("/dev/shm"))
            if (const std::string name = entry.path().filename();
                name.starts_with("baton-" + id) && !name.ends_with("ledger"))
                names.push_back(name);
        return names;
    }
    // From a to b, as far as a's part goes.
    Handle offer(Holding& holding) {
        Holding* const parcel[] = {&holding};
        a->transfers().depart(parcel, bob_id).value();
        return holding.handle();
    }
    Result<void> accept(const Handle& handle, Holding** out = nullptr) {
        Holding* const parcel[] = {&b->transfers().expect(handle, alice)};
        if (out != nullptr) *out = parcel[0];
        return b->transfers().accept(parcel);
    }

    std::string id;
    LedgerRegion region;
    ManualClock clock;
    std::unique_ptr<Holdings> a;
    std::unique_ptr<Holdings> b;

private:
    std::unique_ptr<Holdings> joined(ActorId who, Store::Idle idle) {
        region.ledger().lives.give(who, ~std::uint64_t{0}).value();
        return std::make_unique<Holdings>(LedgerRegion::open(id).value(), id, who, clock, idle);
    }
    static inline int count_ = 0;
};

inline Layout bytes(std::uint64_t count) { return {"|u1", {count}}; }
inline void fill(Holding& holding, int value) { std::memset(holding.data(), value, holding.bytes); }
inline bool is_filled(const Holding& holding, int value) {
    return std::all_of(holding.data(), holding.data() + holding.bytes,
                       [value](std::byte one) { return one == std::byte(value); });
}

}  // namespace holdings_test
