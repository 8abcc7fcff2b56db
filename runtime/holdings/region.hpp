#pragma once
// Region: the shared memory that holds the ledger of a session. Made by the coordinator, mapped by all. Pages are
// committed as they come into use. One thread.

#include <memory>
#include <string_view>

#include "runtime/ledger/ledger.hpp"
#include "runtime/memory/mapping.hpp"

namespace baton::detail {

class LedgerRegion {
public:
    [[nodiscard]] static Result<LedgerRegion> create(std::string_view session_id, std::uint64_t session_budget_bytes);
    [[nodiscard]] static Result<LedgerRegion> open(std::string_view session_id);
    static void remove(std::string_view session_id) noexcept;
    // Uses memory of the caller, which outlives it and need not be committed: a ledger on the heap.
    [[nodiscard]] static Result<LedgerRegion> within(std::span<std::byte> memory, std::uint64_t session_budget_bytes);

    [[nodiscard]] Ledger& ledger() noexcept { return *ledger_; }
    [[nodiscard]] const Ledger& ledger() const noexcept { return *ledger_; }

private:
    LedgerRegion() = default;
    LedgerRegion(SharedObject object, Mapping mapping);
    std::unique_ptr<SharedObject> object_;
    std::unique_ptr<Mapping> mapping_;
    std::unique_ptr<Ledger> ledger_;
};

}  // namespace baton::detail
