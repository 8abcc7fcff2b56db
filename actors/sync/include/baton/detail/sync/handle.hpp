#pragma once
// SyncHandle: a primitive as one process uses it, without its type and without a face: the conversation with its
// keeper. What the classes of <baton/sync/...> stand on; everything that can return only a Result is here and in
// handle.cpp.
//
// It does not move, so that others may refer to it. One thread, the member's.

#include <string>
#include <string_view>

#include <baton/context.hpp>
#include <baton/sync/protocol.hpp>

namespace baton::detail {

// The Result that `call` returns, as verbs of M return it. For verbs that take nanoseconds: nothing is moved on the
// way.
template <class M, class Call>
auto given(Call&& call) {
    if constexpr (std::is_same_v<FaceOf<M>, Returning>) return call();
    else return FaceOf<M>::give(call());
}

// What a keeper answers at once, as soon as it gets to run. For every command of its protocol: handle.cpp.
template <class C>
[[nodiscard]] Result<typename C::Reply> ask_keeper(Context& context, const Ref<sync::Protocol>& keeper,
                                                   const C& command);

class SyncHandle {
public:
    // `kind` is for the texts of errors: "lock".
    SyncHandle(Context& context, sync::Address address, std::string_view kind)
        : context_(&context), address_(std::move(address)), kind_(kind) {}
    SyncHandle(const SyncHandle&) = delete;
    SyncHandle& operator=(const SyncHandle&) = delete;

    [[nodiscard]] const sync::Address& address() const noexcept { return address_; }
    [[nodiscard]] std::uint32_t number() const noexcept { return address_.number; }

    // A command that is answered when something has come. An error means that nothing of it is this process's.
    template <class C>
    [[nodiscard]] Result<sync::Granted> wait(const C& command, Within within);
    // Like wait(), for a grant that carries nothing else.
    template <class C>
    [[nodiscard]] Result<void> pass(const C& command, Within within);
    template <class C>
    [[nodiscard]] Result<typename C::Reply> ask(const C& command) {
        return ask_keeper(*context_, address_.keeper, command);
    }
    template <class C>
    [[nodiscard]] Result<void> tell(const C& command);
    [[nodiscard]] Result<std::uint64_t> count();
    [[nodiscard]] Result<std::uint64_t> waiting();

protected:
    ~SyncHandle() = default;

    // When a wait ends, and how long it was to last, for the text of an error.
    struct Patience {
        Deadline end;
        Duration asked;
    };
    [[nodiscard]] Patience patience(Within within) const;
    [[nodiscard]] Duration left(Deadline end) const;

    // A wait in two steps. An error of the first: the keeper has not heard of it.
    template <class C>
    [[nodiscard]] Result<Pending<sync::Granted>> begin(const C& command, Deadline end) {
        if (Result<void> paid = withdraw_late(); !paid) return paid.error();
        Result<Pending<sync::Granted>> asked = context_->request(address_.keeper, command, end);
        if (asked) asked->commit();  // Withdraw, which follows it, tells the keeper of its end
        return asked;
    }
    [[nodiscard]] Result<sync::Granted> finish(Pending<sync::Granted>& asked, const Patience& patience);
    [[nodiscard]] Error late(Duration asked) const;

    [[nodiscard]] Context& context() const noexcept { return *context_; }
    [[nodiscard]] const std::string& name() const noexcept { return address_.name; }
    [[nodiscard]] std::string_view kind() const noexcept { return kind_; }

private:
    // Without waiting. A keeper that is far behind is told before the next wait.
    [[nodiscard]] Result<void> withdraw_late();

    Context* context_;
    sync::Address address_;
    std::string_view kind_;
    bool owes_withdrawal_ = false;
};

// Of a primitive that needs nothing else.
class PlainSyncHandle final : public SyncHandle {
public:
    using SyncHandle::SyncHandle;
};

}  // namespace baton::detail
