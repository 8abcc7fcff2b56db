#include "runtime/holdings/region.hpp"

#include <fmt/format.h>

namespace baton::detail {
namespace {

std::string name_of_region(std::string_view session_id) { return fmt::format("baton-{}-ledger", session_id); }

}  // namespace

LedgerRegion::LedgerRegion(SharedObject object, Mapping mapping)
    : object_(std::make_unique<SharedObject>(std::move(object))),
      mapping_(std::make_unique<Mapping>(std::move(mapping))),
      ledger_(std::make_unique<Ledger>(std::span{mapping_->data(), mapping_->size()},
                                       [committed = object_.get()](std::size_t offset, std::size_t bytes) {
                                           return committed->commit(offset, bytes);
                                       })) {}

Result<LedgerRegion> LedgerRegion::create(std::string_view session_id, std::uint64_t session_budget_bytes) {
    Result<SharedObject> object = SharedObject::create(name_of_region(session_id), LedgerLayout::region_bytes());
    if (!object) return object.error();
    // A name is left to nobody who could sweep it.
    const auto fail = [&](const Error& why) {
        remove(session_id);
        return why;
    };
    Result<Mapping> mapping = Mapping::map(*object, Mapping::Access::write, 0, LedgerLayout::region_bytes());
    if (!mapping) return fail(mapping.error());
    LedgerRegion region{std::move(*object), std::move(*mapping)};
    if (Result<void> formatted = region.ledger().layout.format(session_budget_bytes); !formatted)
        return fail(formatted.error());
    return region;
}

Result<LedgerRegion> LedgerRegion::open(std::string_view session_id) {
    Result<SharedObject> object = SharedObject::open(name_of_region(session_id));
    if (!object) return object.error();
    if (object->size() != LedgerLayout::region_bytes())
        return Error{ErrorKind::corrupt, fmt::format("the shared memory {} has {} bytes, expected {}: it is of another "
                                                     "version of Baton",
                                                     object->name(), object->size(), LedgerLayout::region_bytes())};
    Result<Mapping> mapping = Mapping::map(*object, Mapping::Access::write, 0, LedgerLayout::region_bytes());
    if (!mapping) return mapping.error();
    LedgerRegion region{std::move(*object), std::move(*mapping)};
    if (Result<void> fits = region.ledger().layout.check_format(); !fits) return fits.error();
    return region;
}

Result<LedgerRegion> LedgerRegion::within(std::span<std::byte> memory, std::uint64_t session_budget_bytes) {
    LedgerRegion region;
    region.ledger_ = std::make_unique<Ledger>(memory, [](std::size_t, std::size_t) { return Result<void>{}; });
    if (Result<void> formatted = region.ledger().layout.format(session_budget_bytes); !formatted)
        return formatted.error();
    return region;
}

void LedgerRegion::remove(std::string_view session_id) noexcept { remove_shared_object(name_of_region(session_id)); }

}  // namespace baton::detail
