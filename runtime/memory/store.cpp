#include "runtime/memory/store.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "runtime/base/check.hpp"
#include "runtime/base/crash_point.hpp"
#include <baton/limits.hpp>
#include "runtime/memory/private_memory.hpp"

namespace baton::detail {

Store::Idle Store::usual_idle() noexcept {
#ifdef NDEBUG
    bool is_guarded = false;
#else
    bool is_guarded = true;
#endif
    if (const char* said = std::getenv("BATON_GUARD"); said != nullptr) is_guarded = std::string_view(said) == "1";
    return is_guarded ? Idle::guarded : Idle::accessible;
}

// ---- names and places ------------------------------------------------------------------------------

std::string Store::name_of(Block block) const {
    if (block.place_bytes == 0) return fmt::format("baton-{}-{}-{}", session_id_, block.slot, block.generation);
    return fmt::format("baton-{}-shelf-{}-{}", session_id_, shelf::first_of(block.slot), block.generation);
}

std::uint64_t Store::capacity_for(std::uint64_t bytes) const noexcept {
    const std::uint64_t capacity = size_class_of(bytes);
    return idle_ == Idle::guarded ? in_pages(capacity) : capacity;
}

Store::Key Store::key_of(Block block, Mapping::Access access) noexcept {
    if (block.place_bytes != 0) block.slot = shelf::first_of(block.slot);
    return {block, access};
}

// ---- views -----------------------------------------------------------------------------------------

Result<std::byte*> Store::make(Block block, std::uint64_t bytes) {
    const std::string name = name_of(block);
    Result<SharedObject> object = SharedObject::create(name, bytes);
    if (!object) return object.error();
    pass_crash_point(CrashPoint::memory_named);
    Result<void> committed = object->commit(0, bytes);
    if (committed) {
        pass_crash_point(CrashPoint::memory_committed);
        if (const auto view = add(*object, key_of(block, Mapping::Access::write), bytes)) {
            (*view)->mapping.populate(Mapping::Access::write, 0, bytes);
            (*view)->mapped_places = 1;
            (*view)->pins = 1;
            return (*view)->mapping.data();
        }
        committed =
            Error{ErrorKind::overloaded, fmt::format("this process can map no more memory: {} segments are mapped "
                                                     "(limits::mappings_max, vm.max_map_count)",
                                                     mapped())};
    }
    remove_shared_object(name);
    return committed.error();
}

Result<std::byte*> Store::pin(Block block, std::uint64_t bytes, Mapping::Access access, Part used) {
    const bool is_place = block.place_bytes != 0;
    // Both stand in shared memory, where anybody can write. The object is as large as its places need, see view_for().
    if (is_place && (!shelf::is_place(block.place_bytes) || bytes > block.place_bytes))
        return Error{ErrorKind::corrupt, fmt::format("the shared memory {} has no places of {} bytes for {} of them",
                                                     name_of(block), block.place_bytes, bytes)};
    const auto found = view_for(key_of(block, access), is_place ? shelf::bytes_of(block.place_bytes) : bytes);
    if (!found) return found.error();
    View& view = **found;
    if (view.pins++ == 0 && !view.guarded && idle_ == Idle::guarded)
        view.mapping.permit(access == Mapping::Access::write ? Mapping::Permitted::write : Mapping::Permitted::read);
    const std::uint64_t offset = is_place ? shelf::offset_of(block.slot, block.place_bytes) : 0;
    if (view.guarded) guard(view, block, true);
    // Below two pages a fault is cheaper than the call.
    const std::uint64_t place = is_place ? shelf::bits(block.slot % shelf::places, 1) : 1;
    if ((view.mapped_places & place) == 0 && (!is_place || used.bytes > page_bytes))
        view.mapping.populate(access, offset + used.offset, used.bytes);
    view.mapped_places |= place;
    return view.mapping.data() + offset;
}

// Moved to those that are pinned.
Result<std::list<Store::View>::iterator> Store::view_for(Key key, std::uint64_t bytes) {
    if (const auto found = views_.find(key); found != views_.end() && found->second->mapping.size() >= bytes) {
        if (found->second->pins == 0) pinned_.splice(pinned_.end(), idle_views_, found->second);
        return found->second;
    }
    Result<SharedObject> object = SharedObject::open(name_of(key.block));
    if (!object) return object.error();
    // Beyond the end of an object every access is SIGBUS.
    if (object->size() < bytes)
        return Error{ErrorKind::corrupt, fmt::format("the shared memory {} has {} bytes, its row says {}",
                                                     object->name(), object->size(), bytes)};
    return add(*object, key, bytes);
}

Result<std::list<Store::View>::iterator> Store::add(const SharedObject& object, Key key, std::uint64_t bytes) {
    while (mapped() >= limits::mappings_max && !idle_views_.empty()) forget_oldest_idle();
    if (mapped() >= limits::mappings_max)
        return Error{ErrorKind::overloaded,
                     fmt::format("this process has {} segments mapped (limits::mappings_max)", mapped())};
    Result<Mapping> mapping = Mapping::map(object, key.access, 0, bytes);
    while (!mapping && !idle_views_.empty()) {
        forget_oldest_idle();
        mapping = Mapping::map(object, key.access, 0, bytes);
    }
    if (!mapping) return mapping.error();
    pinned_.push_back(View{key, std::move(*mapping)});
    views_[key] = std::prev(pinned_.end());
    View& view = pinned_.back();
    if (key.block.place_bytes != 0 && idle_ == Idle::guarded &&
        view.mapping.permit(Mapping::Permitted::none, 0, view.mapping.size()))
        view.guarded = std::make_unique<StepPins>();
    return std::prev(pinned_.end());
}

// Each change may cut the view into more mappings than the kernel takes. Then all of it is accessible from now on.
void Store::guard(View& view, Block block, bool is_pinned) noexcept {
    const std::uint32_t step = shelf::step_of(block.place_bytes);
    const std::uint32_t first = block.slot % shelf::places / step;
    std::uint32_t& pins = (*view.guarded)[first];
    const bool changes = is_pinned ? pins++ == 0 : --pins == 0;
    if (!changes) return;
    const Mapping::Permitted most =
        view.key.access == Mapping::Access::write ? Mapping::Permitted::write : Mapping::Permitted::read;
    const std::uint64_t bytes = step * block.place_bytes;
    if (view.mapping.permit(is_pinned ? most : Mapping::Permitted::none, first * bytes, bytes)) return;
    view.mapping.permit(most);
    view.guarded.reset();
}

void Store::unpin(Block block, Mapping::Access access) noexcept {
    const auto found = views_.find(key_of(block, access));
    check(found != views_.end() && found->second->pins > 0, "only a view in use is given back");
    View& view = *found->second;
    if (view.guarded) guard(view, block, false);
    if (--view.pins > 0) return;
    if (idle_ == Idle::guarded && block.place_bytes == 0) view.mapping.permit(Mapping::Permitted::none);
    idle_views_.splice(idle_views_.end(), pinned_, found->second);
    if (idle_views_.size() > limits::idle_mappings_max) forget_oldest_idle();
}

void Store::keep(Block block, Mapping::Access access) noexcept {
    const auto found = views_.find(key_of(block, access));
    if (found == views_.end()) return;  // kept already
    check(found->second->pins > 0, "only a view in use is kept");
    // Without memory for a copy it stays shared, which is worse only if others go on writing.
    if (block.place_bytes != 0) {  // the rest of the view remains; it stays pinned
        const std::uint64_t bytes = shelf::step_of(block.place_bytes) * block.place_bytes;
        const std::uint64_t offset = shelf::offset_of(block.slot, block.place_bytes) / bytes * bytes;
        static_cast<void>(found->second->mapping.privatize(offset, bytes));
        return;
    }
    static_cast<void>(found->second->mapping.privatize());
    kept_.splice(kept_.end(), pinned_, found->second);
    views_.erase(found);
}

void Store::forget_oldest_idle() noexcept {
    views_.erase(idle_views_.front().key);
    idle_views_.pop_front();
}

void Store::discard(Block block) noexcept {
    discard_shared_object(name_of(block));
    forget(block);
}

void Store::forget(Block block) noexcept {
    for (const Mapping::Access access : {Mapping::Access::read, Mapping::Access::write})
        if (const auto found = views_.find(key_of(block, access)); found != views_.end() && found->second->pins == 0) {
            idle_views_.erase(found->second);
            views_.erase(found);
        }
}

void Store::remove(Block block) noexcept { remove_shared_object(name_of(block)); }

bool Store::has(Block block) const noexcept { return has_shared_object(name_of(block)); }

Result<void> Store::hand_out(Block block, const std::string& name) {
    return rename_shared_object(name_of(block), name);
}

Result<void> Store::copy_out(Block block, std::span<const std::byte> content, const std::string& name) const {
    if (PrivateMemory::holds(name_of(block))) return rename_shared_object(name_of(block), name);  // says why not
    return copy_to_shared_object(content, name);
}

Result<SharedObject> Store::open_outside(const std::string& name, std::uint64_t bytes) {
    Result<SharedObject> object = SharedObject::open(name);
    if (!object) return object.error();
    const std::uint64_t found = object->size();
    if (found == 0) return Error{ErrorKind::refused, fmt::format("the shared memory '{}' is empty", name)};
    if (found < bytes)
        return Error{ErrorKind::refused,
                     fmt::format("the shared memory '{}' has {} bytes, but {} are needed", name, found, bytes)};
    if (Result<void> committed = object->commit(0, found); !committed) return committed.error();
    return object;
}

Result<std::byte*> Store::take_in(const SharedObject& outside, Block block, std::uint64_t bytes) {
    const auto view = add(outside, key_of(block, Mapping::Access::write), bytes);
    if (!view) return view.error();
    (*view)->pins = 1;
    (*view)->mapping.populate(Mapping::Access::write, 0, bytes);
    (*view)->mapped_places = 1;
    if (Result<void> renamed = rename_shared_object(outside.name(), name_of(block)); !renamed) {
        unpin(block, Mapping::Access::write);
        forget(block);
        return renamed.error();
    }
    return (*view)->mapping.data();
}

// ---- shelves ---------------------------------------------------------------------------------------

Result<void> Store::make_shelf(Block block) {
    const Result<SharedObject> object = SharedObject::create(name_of(block), shelf::bytes_of(block.place_bytes));
    if (!object) return object.error();
    pass_crash_point(CrashPoint::shelf_made);
    return {};
}

Result<void> Store::fill(Block block, shelf::Run run) {
    Result<SharedObject> object = SharedObject::open(name_of(block));
    if (!object) return object.error();
    const std::uint64_t offset = run.first * block.place_bytes;
    const std::uint64_t bytes = run.count * block.place_bytes;
    if (object->size() < offset + bytes)
        return Error{ErrorKind::corrupt, fmt::format("somebody has cut the shared memory {}", object->name())};
    if (Result<void> committed = object->commit(offset, bytes); !committed) return committed;
    const auto view = view_for(key_of(block, Mapping::Access::write), shelf::bytes_of(block.place_bytes));
    if (!view) {
        object->decommit(offset, bytes);
        return view.error();
    }
    pass_crash_point(CrashPoint::shelf_filled);
    ++(*view)->pins;
    if (!(*view)->guarded) (*view)->mapping.populate(Mapping::Access::write, offset, bytes);
    (*view)->mapped_places |= shelf::bits(run.first, run.count);
    if (--(*view)->pins == 0) idle_views_.splice(idle_views_.end(), pinned_, *view);
    return {};
}

std::uint64_t Store::empty(Block block, std::uint64_t set) noexcept {
    if (!shelf::is_place(block.place_bytes) || shelf::run_in(set, block.place_bytes).count == 0) return 0;
    Result<SharedObject> object = SharedObject::open(name_of(block));
    if (!object) return 0;
    std::uint64_t emptied = 0;
    for (shelf::Run run = shelf::run_in(set, block.place_bytes); run.count > 0;
         run = shelf::run_in(set, block.place_bytes, run.first + run.count)) {
        object->decommit(run.first * block.place_bytes, run.count * block.place_bytes);
        emptied |= shelf::bits(run.first, run.count);
    }
    return emptied;
}

}  // namespace baton::detail
