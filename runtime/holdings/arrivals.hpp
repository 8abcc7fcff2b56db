#pragma once
// Arrivals: the handles that came with one message, from decoding to on().
//
// Decoding a body takes handles from here by their index. Nothing is accepted yet, so a message with wrong fields
// changes nothing in the ledger, and its gifts go back. Then accept() accepts all of them or none. What was not
// accepted by the end is forgotten. One thread, short-lived.

#include <optional>
#include <vector>

#include "runtime/holdings/holdings.hpp"

namespace baton::detail {

class Arrivals {
public:
    // `holdings` may be null if this process has none; then every handle is refused.
    Arrivals(Holdings* holdings, ActorId from, std::vector<Handle> handles)
        : holdings_(holdings), from_(from), handles_(std::move(handles)), taken_(handles_.size(), nullptr) {}
    // For what came back with the command that carried it: it is ours already.
    Arrivals(Holdings* holdings, Parcel returned)
        : holdings_(holdings), taken_(std::move(returned.holdings)), are_ours_(true), is_accepted_(true) {}
    ~Arrivals();
    Arrivals(const Arrivals&) = delete;
    Arrivals& operator=(const Arrivals&) = delete;

    // The holding behind a value of the body, once each; nullptr and `why` if it is missing, was taken before or is of
    // another kind.
    [[nodiscard]] Holding* take(Value value, HandleKind kind, std::string& why);
    // The holding of an accepted one, for callers that do not know the type of the body; nothing if it is missing or
    // was taken.
    [[nodiscard]] std::optional<HandleKind> kind_of(Value value) const noexcept;
    // `refused` as well if the body left out a handle of the manifest.
    [[nodiscard]] Result<void> accept();
    // Accepts all of them before the body is decoded, for a message that waits outside its inbox. What is not taken in
    // the end is released.
    [[nodiscard]] Result<void> accept_all();
    // Nobody wants them.
    void release_all() noexcept;

    [[nodiscard]] Holdings* holdings() const noexcept { return holdings_; }

private:
    [[nodiscard]] Result<void> require_ledger() const;
    Holdings* holdings_;
    ActorId from_;
    std::vector<Handle> handles_;
    std::vector<Holding*> taken_;  // by index; nullptr: not taken, or handed on
    bool are_ours_ = false;     // accepted before the body was decoded: what nobody takes is released
    bool is_accepted_ = false;
};

}  // namespace baton::detail
