#include "runtime/ledger/wills.hpp"

#include <algorithm>

#include "runtime/base/check.hpp"
#include "runtime/ledger/texts.hpp"

namespace baton::detail {

using namespace layout;

namespace {

constexpr std::uint64_t size_mask = 0xFF;
constexpr unsigned label_shift = 8;
constexpr unsigned type_shift = 16;
constexpr unsigned dimensions_shift = 24;

constexpr std::uint64_t bit_of(Slot slot) noexcept { return std::uint64_t{1} << (slot / wills_per_page % 64); }
constexpr std::size_t word_index(Slot slot) noexcept { return slot / wills_per_page / 64; }

}  // namespace

bool Wills::is_in_use(Slot slot) const noexcept {
    return slot < limits::segments_max &&
           (layout_->header().will_pages[word_index(slot)].load(sequential) & bit_of(slot)) != 0;
}

Result<void> Wills::prepare(Slot slot) {
    if (is_in_use(slot)) return {};
    if (Result<void> committed = layout_->commit(&layout_->wills()[slot], sizeof(WillRow)); !committed)
        return committed;
    layout_->header().will_pages[word_index(slot)].fetch_or(bit_of(slot), sequential);
    return {};
}

void Wills::write(Slot slot, std::uint32_t place, const Will& will) noexcept {
    check(place == 1 || place == 2, "a will has two places");
    WillPlace& out = layout_->wills()[slot].places[place - 1];
    const std::size_t heirs = std::min(will.heirs.size(), limits::heirs_max);
    for (std::size_t index = 0; index < heirs; ++index) out.heirs[index].store(will.heirs[index], releasing);
    const bool fits = will.layout.type.size() <= limits::heir_type_bytes_max &&
                      will.layout.shape.size() <= limits::shape_dimensions_max;
    const std::size_t type_bytes = fits ? will.layout.type.size() : 0;
    const std::size_t dimensions = fits ? will.layout.shape.size() : 0;
    for (std::size_t index = 0; index < dimensions; ++index)
        out.shape[index].store(will.layout.shape[index], releasing);
    store_text(out.label, will.label);
    store_text(out.type, std::string_view(will.layout.type).substr(0, type_bytes));
    const std::size_t label_bytes = std::min(will.label.size(), limits::heir_label_bytes_max);
    out.sizes.store(heirs | label_bytes << label_shift | type_bytes << type_shift | dimensions << dimensions_shift,
                    releasing);
}

void Wills::store(Slot slot, WillWord word) noexcept { layout_->wills()[slot].word.store(word.packed(), sequential); }

WillWord Wills::word_of(Slot slot) const noexcept {
    if (!is_in_use(slot)) return {};
    return WillWord::of(layout_->wills()[slot].word.load(sequential));
}

std::optional<Will> Wills::read(Slot slot, std::uint32_t place) const {
    if (!is_in_use(slot) || (place != 1 && place != 2)) return std::nullopt;
    const WillPlace& from = layout_->wills()[slot].places[place - 1];
    const std::uint64_t sizes = from.sizes.load(acquiring);
    Will will;
    const std::uint64_t heirs = std::min<std::uint64_t>(sizes & size_mask, limits::heirs_max);
    for (std::uint64_t index = 0; index < heirs; ++index) will.heirs.push_back(from.heirs[index].load(acquiring));
    will.label = load_text(from.label, sizes >> label_shift & size_mask);
    will.layout.type = load_text(from.type, sizes >> type_shift & size_mask);
    const std::uint64_t dimensions =
        std::min<std::uint64_t>(sizes >> dimensions_shift & size_mask, limits::shape_dimensions_max);
    for (std::uint64_t index = 0; index < dimensions; ++index)
        will.layout.shape.push_back(from.shape[index].load(acquiring));
    return will;
}

void Wills::note(Slot slot, const WillNotes& notes) noexcept {
    WillRow& row = layout_->wills()[slot];
    row.was_written.store(notes.was_written ? 1 : 0, sequential);
    row.listed.store(notes.listed, sequential);
    row.left_by.store(std::uint64_t{notes.by.number} << 32 | notes.by.incarnation, sequential);
}

void Wills::pass_over(Slot slot, std::uint64_t listed) noexcept {
    layout_->wills()[slot].listed.store(listed, sequential);
}

WillNotes Wills::notes_of(Slot slot) const noexcept {
    if (!is_in_use(slot)) return {};
    const WillRow& row = layout_->wills()[slot];
    const std::uint64_t by = row.left_by.load(sequential);
    const std::uint64_t listed = std::min<std::uint64_t>(row.listed.load(sequential), limits::heirs_max);
    return {row.was_written.load(sequential) == 1,
            listed,
            {static_cast<std::uint32_t>(by >> 32), static_cast<std::uint32_t>(by)}};
}

}  // namespace baton::detail
