#pragma once
// Keeper: makes primitives.
//
//     sync::Keeper keeper{context};                // or {scenario}: starts baton-sync, the actor that keeps them
//     auto lock = keeper.lock("printer");          // a Lock; in an actor a Result of it
//     scenario.send(worker, Print{lock.address()});
//
//     sync::Lock lock{context, command.lock};      // in the worker
//
// Names are for people: two primitives may have the same. What a keeper keeps ends with its actor, which ends with the
// member that started it at the latest. A session may have several keepers.
//
// In an actor the constructor can't fail: if baton-sync could not be started, every verb returns that error. Other
// errors: `refused` for names and numbers that are out of range, `overloaded` beyond sync::limits::primitives_max, and
// `gone` after the keeper's end. Each verb waits for limits::ask_timeout at most. The member must live longer than its
// Keeper. One thread: the member's.

#include <string>
#include <type_traits>
#include <utility>

#include <baton/sync/array.hpp>
#include <baton/sync/barrier.hpp>
#include <baton/sync/channel.hpp>
#include <baton/sync/condition.hpp>
#include <baton/sync/event.hpp>
#include <baton/sync/joinable_queue.hpp>
#include <baton/sync/latch.hpp>
#include <baton/sync/lock.hpp>
#include <baton/sync/semaphore.hpp>
#include <baton/sync/value.hpp>

namespace baton::sync {

template <AnyMember M = Context>
class Keeper {
public:
    // Starts the actor, as a child of this member.
    explicit Keeper(M& member, const std::string& name = "sync")
        : Keeper(member, detail::context_of(member).template spawn<Protocol>({.program = "baton-sync", .name = name})) {
    }
    // Uses one that is there already: another member's, or one that was found by its name.
    Keeper(M& member, Ref<Protocol> actor) : Keeper(member, Result<Ref<Protocol>>{actor}) {}

    // The actor that keeps them; another member may make a Keeper of it.
    [[nodiscard]] Outcome<M, Ref<Protocol>> actor() const { return give(actor_); }

    [[nodiscard]] Outcome<M, Lock<M>> lock(const std::string& name) { return made<Lock<M>>(MakeLock{name}); }
    [[nodiscard]] Outcome<M, RecursiveLock<M>> recursive_lock(const std::string& name) {
        return made<RecursiveLock<M>>(MakeLock{name});
    }
    // A condition of that lock, value or array, which may have several.
    [[nodiscard]] Outcome<M, Condition<M>> condition(Lock<M>& lock, const std::string& name) {
        return made<Condition<M>>(MakeCondition{name, lock.address().number}, lock);
    }
    // It is not set at first.
    [[nodiscard]] Outcome<M, Event<M>> event(const std::string& name) { return made<Event<M>>(MakeEvent{name}); }
    [[nodiscard]] Outcome<M, Semaphore<M>> semaphore(const std::string& name, std::uint64_t permits = 1) {
        return made<Semaphore<M>>(MakeSemaphore{name, permits, false});
    }
    [[nodiscard]] Outcome<M, BoundedSemaphore<M>> bounded_semaphore(const std::string& name,
                                                                    std::uint64_t permits = 1) {
        return made<BoundedSemaphore<M>>(MakeSemaphore{name, permits, true});
    }
    [[nodiscard]] Outcome<M, Barrier<M>> barrier(const std::string& name, BarrierOptions options) {
        const bool has_action = options.has_action || options.action;
        return made<Barrier<M>>(MakeBarrier{name, options.parties, std::move(options.members), has_action},
                                options.action);
    }
    // To be counted down `count` times.
    [[nodiscard]] Outcome<M, Latch<M>> latch(const std::string& name, std::uint64_t count = 1) {
        return made<Latch<M>>(MakeLatch{name, count});
    }
    template <WordSized T>
    [[nodiscard]] Outcome<M, Value<T, M>> value(const std::string& name, std::type_identity_t<T> initial = {}) {
        return made<Value<T, M>>(MakeValue{name, word::bits_of<T>(initial)});
    }
    // `length` elements, all zero.
    template <detail::Shareable T>
    [[nodiscard]] Outcome<M, Array<T, M>> array(const std::string& name, std::uint64_t length) {
        return made<Array<T, M>>(MakeArray{name, layout_of<T>({length}).type, length});
    }
    [[nodiscard]] Outcome<M, ByteArray<M>> byte_array(const std::string& name, std::uint64_t length) {
        return made<ByteArray<M>>(MakeArray{name, layout_of<char>({length}).type, length});
    }
    // Holds at most `bound` items that nobody has taken.
    template <Item T>
    [[nodiscard]] Outcome<M, JoinableQueue<T, M>> queue(const std::string& name,
                                                        std::uint64_t bound = limits::queue_items_max) {
        return made<JoinableQueue<T, M>>(MakeQueue{name, bound});
    }
    // Returns both ends; the address of one or of both is sent elsewhere. At most `bound` items are on the way to each.
    template <Item T>
    [[nodiscard]] Outcome<M, std::pair<Channel<T, M>, Channel<T, M>>> channel(
        const std::string& name, std::uint64_t bound = limits::channel_items_default) {
        return give(asked(MakeChannel{name, bound}).transform([this](const Ends& ends) {
            return std::pair{Channel<T, M>{*member_, ends.first}, Channel<T, M>{*member_, ends.second}};
        }));
    }
    // Does what remove() of a handle does, for a primitive of which this process has only the address. `refused` for
    // one of another keeper.
    Outcome<M, void> remove(const Address& address) { return give(removed(address)); }

private:
    Keeper(M& member, Result<Ref<Protocol>> actor) : member_(&member), actor_(std::move(actor)) {
        static_cast<void>(give(actor_));  // throws in a scenario
    }
    template <class T>
    static Outcome<M, T> give(Result<T> result) {
        return detail::FaceOf<M>::give(std::move(result));
    }
    template <class C>
    [[nodiscard]] Result<typename C::Reply> asked(const C& command) const {
        if (!actor_) return actor_.error();
        return detail::ask_keeper(detail::context_of(*member_), *actor_, command);
    }
    template <class H, class C, class... Rest>
    [[nodiscard]] Outcome<M, H> made(const C& command, Rest&... rest) {
        return give(asked(command).transform([&](const Address& address) { return H{*member_, address, rest...}; }));
    }
    [[nodiscard]] Result<void> removed(const Address& address) const {
        if (!actor_) return actor_.error();
        if (address.keeper != *actor_)
            return Error{ErrorKind::refused,
                         fmt::format("'{}' is kept by another keeper: remove it there", address.name)};
        return asked(Remove{address.number}).transform([](const Nothing&) {});
    }

    M* member_;
    Result<Ref<Protocol>> actor_;
};

}  // namespace baton::sync
