#pragma once
// ControlLane: the link to the coordinator, and what comes over it and overtakes commands: notices, each handled by the
// on() for its type. And the coordinator's life: a session ends with it. One thread.

#include <functional>
#include <string>

#include "runtime/inbox/exits.hpp"

namespace baton::detail {

class ControlLane final : public NoticeTaker {
public:
    ControlLane(Self& self, Peers& peers, Outbox& outbox, Asking& asking, Replies& replies, Exits& exits)
        : self_(&self), peers_(&peers), outbox_(&outbox), asking_(&asking), replies_(&replies), exits_(&exits) {}

    // A link to the coordinator's inbox.
    [[nodiscard]] Result<void> open(const std::string& address);
    [[nodiscard]] Link link() const noexcept { return link_; }
    // Handles what has come, and looks after those that have ended.
    void serve();

    // For an actor's own code: called between commands, never within one.
    void on_exited(std::function<void(const Ended&)> take) { exits_->on_exited(std::move(take)); }

    // ---- the coordinator's life
    // Becomes readable when the coordinator has died; `has_died` says whether it has. No longer watched afterwards.
    void watch_coordinator(int descriptor, std::function<bool()> has_died);
    // -1: it is not watched.
    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
    // True if it lives, as far as it is watched. What would outlive the session is not begun without it.
    [[nodiscard]] bool has_coordinator();
    // Every ask under way ends as `gone`, and so does every wait and every later ask and send: the coordinator has
    // died.
    void lose_coordinator();

    void take_notice(std::string_view tag, Value body) override;
    void on(const notice::Stop& stop) {
        self_->stop(stop.drain, stop.until ? Deadline{Instant{*stop.until}} : Deadline::never());
    }
    void on(const notice::Exited& exited) { exits_->take(exited); }
    void on(const notice::Drain& drain) { exits_->drain(drain); }
    void on(const notice::Trim&);

private:
    Self* self_;
    Peers* peers_;
    Outbox* outbox_;
    Asking* asking_;
    Replies* replies_;
    Exits* exits_;
    Link link_;
    int descriptor_ = -1;
    std::function<bool()> has_died_;
};

}  // namespace baton::detail
