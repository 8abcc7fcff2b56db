#include "runtime/memory/store.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "runtime/base/check.hpp"
#include "runtime/base/crash_point.hpp"
#include <baton/limits.hpp>

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

std::string Store::name_of(Block block) const {
    return fmt::format("baton-{}-{}-{}", session_id_, block.slot, block.generation);
}

Result<std::byte*> Store::make(Block block, std::uint64_t bytes) {
    const std::string name = name_of(block);
    Result<SharedObject> object = SharedObject::create(name, bytes);
    if (!object) return object.error();
    pass_crash_point(CrashPoint::memory_named);
    Result<void> committed = object->commit(0, bytes);
    if (committed) {
        pass_crash_point(CrashPoint::memory_committed);
        if (Result<std::byte*> data = add(*object, block, bytes, Mapping::Access::write, {0, bytes}); data) return data;
        committed =
            Error{ErrorKind::overloaded, fmt::format("this process can map no more memory: {} segments are mapped "
                                                     "(limits::mappings_max, vm.max_map_count)",
                                                     mapped())};
    }
    remove_shared_object(name);
    return committed.error();
}

Result<std::byte*> Store::pin(Block block, std::uint64_t bytes, Mapping::Access access, Part used) {
    const auto found = views_.find(Key{block, access});
    if (found != views_.end() && found->second->mapping.size() >= bytes) {
        View& view = *found->second;
        if (view.pins++ == 0) {
            pinned_.splice(pinned_.end(), idle_views_, found->second);
            if (idle_ == Idle::guarded)
                view.mapping.permit(access == Mapping::Access::write ? Mapping::Permitted::write
                                                                     : Mapping::Permitted::read);
        }
        return view.mapping.data();
    }
    Result<SharedObject> object = SharedObject::open(name_of(block));
    if (!object) return object.error();
    // Beyond the end of an object every access is SIGBUS.
    if (object->size() < bytes)
        return Error{ErrorKind::corrupt, fmt::format("the shared memory {} has {} bytes, its row says {}",
                                                     object->name(), object->size(), bytes)};
    return add(*object, block, bytes, access, used);
}

Result<std::byte*> Store::add(const SharedObject& object, Block block, std::uint64_t bytes, Mapping::Access access,
                              Part used) {
    while (mapped() >= limits::mappings_max && !idle_views_.empty()) forget_oldest_idle();
    if (mapped() >= limits::mappings_max)
        return Error{ErrorKind::overloaded,
                     fmt::format("this process has {} segments mapped (limits::mappings_max)", mapped())};
    Result<Mapping> mapping = Mapping::map(object, access, 0, bytes);
    while (!mapping && !idle_views_.empty()) {
        forget_oldest_idle();
        mapping = Mapping::map(object, access, 0, bytes);
    }
    if (!mapping) return mapping.error();
    mapping->populate(access, used.offset, used.bytes);
    const Key key{block, access};
    pinned_.push_back(View{key, std::move(*mapping), 1});
    views_[key] = std::prev(pinned_.end());
    return pinned_.back().mapping.data();
}

void Store::unpin(Block block, Mapping::Access access) noexcept {
    const auto found = views_.find(Key{block, access});
    check(found != views_.end() && found->second->pins > 0, "only a view in use is given back");
    if (--found->second->pins > 0) return;
    if (idle_ == Idle::guarded) found->second->mapping.permit(Mapping::Permitted::none);
    idle_views_.splice(idle_views_.end(), pinned_, found->second);
    if (idle_views_.size() > limits::idle_mappings_max) forget_oldest_idle();
}

void Store::keep(Block block, Mapping::Access access) noexcept {
    const auto found = views_.find(Key{block, access});
    if (found == views_.end()) return;  // kept already
    check(found->second->pins > 0, "only a view in use is kept");
    // Without memory for a copy it stays shared, which is worse only if others go on writing.
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
        if (const auto found = views_.find(Key{block, access}); found != views_.end() && found->second->pins == 0) {
            idle_views_.erase(found->second);
            views_.erase(found);
        }
}

void Store::remove(Block block) noexcept { remove_shared_object(name_of(block)); }

bool Store::has(Block block) const noexcept { return has_shared_object(name_of(block)); }

Result<void> Store::hand_out(Block block, const std::string& name) {
    return rename_shared_object(name_of(block), name);
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
    Result<std::byte*> data = add(outside, block, bytes, Mapping::Access::write, {0, bytes});
    if (!data) return data;
    if (Result<void> renamed = rename_shared_object(outside.name(), name_of(block)); !renamed) {
        unpin(block, Mapping::Access::write);
        forget(block);
        return renamed.error();
    }
    return data;
}

}  // namespace baton::detail
