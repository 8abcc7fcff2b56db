#pragma once
// ControlLane: the link to the coordinator, and what comes over it and overtakes commands: notices, each handled by the
// on() for its type. And the coordinator's life: when it has ended, this member waits for the next one and rejoins, and
// asks again what has no answer; what it does with others goes on in that time. One thread.

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "runtime/inbox/exits.hpp"
#include "runtime/inbox/inheritances.hpp"
#include "runtime/inbox/role.hpp"

namespace baton::detail {

class ControlLane final : public NoticeTaker {
public:
    ControlLane(Self& self, Peers& peers, Outbox& outbox, Asking& asking, Requests& requests, Replies& replies,
                Exits& exits)
        : self_(&self),
          peers_(&peers),
          outbox_(&outbox),
          asking_(&asking),
          requests_(&requests),
          replies_(&replies),
          exits_(&exits),
          inheritances_(self, outbox) {}

    // A link to the coordinator's inbox, which stays the same.
    [[nodiscard]] Result<void> open(const std::string& address);
    // A link to the inbox of the coordinator of that role, which is watched from here on. `role` outlives this.
    [[nodiscard]] Result<void> open(Role& role) {
        role_ = &role;
        return open(role.address());
    }
    [[nodiscard]] Link link() const noexcept { return link_; }
    // Handles what has come, and looks after those that have ended.
    void serve();

    [[nodiscard]] Inheritances& inheritances() noexcept { return inheritances_; }

    // For an actor's own code: called between commands, never within one.
    void on_exited(std::function<void(const Ended&)> take) { exits_->on_exited(std::move(take)); }

    // ---- the coordinator's life
    // This member has been welcomed with that pid: it rejoins the next coordinator.
    void be_member(std::uint64_t pid) noexcept { membership_.pid = pid; }
    void be_ready() noexcept { membership_.is_ready = true; }
    // It is told of that exit, so the next coordinator has to know.
    void watches_exit_of(ActorId actor) { membership_.watched.insert(actor); }
    void add_descriptors(std::vector<int>& descriptors) const {
        if (role_ != nullptr) role_->add_descriptors(descriptors);
    }
    // When to look for a new one.
    [[nodiscard]] Deadline next_look() const noexcept { return look_.next; }
    // False if the session has ended, as far as the role is watched. What would outlive it is not begun then.
    [[nodiscard]] bool has_session();
    // Every ask under way ends as `gone`, and so does every wait and every later ask and send: the session has ended.
    void lose_coordinator();

    void take_notice(std::string_view tag, Value body) override;
    void on(const notice::Stop& stop) {
        self_->stop(stop.drain, stop.until ? Deadline{Instant{*stop.until}} : Deadline::never());
    }
    void on(const notice::Exited& exited) {
        membership_.watched.erase(exited.actor.id);
        exits_->take(exited);
    }
    void on(const notice::Drain& drain) { exits_->drain(drain); }
    void on(const notice::Trim&);
    void on(const notice::BindAgain&);
    void on(const notice::Inherited& inherited) { inheritances_.keep(inherited); }

private:
    void leave_lane();
    void rejoin();
    [[nodiscard]] Result<void> say_rejoin();
    void ask_again();

    Self* self_;
    Peers* peers_;
    Outbox* outbox_;
    Asking* asking_;
    Requests* requests_;
    Replies* replies_;
    Exits* exits_;
    Inheritances inheritances_;
    Link link_;
    Role* role_ = nullptr;
    struct Look {  // for a new coordinator
        Deadline next;
        Duration pause{};
    };
    Look look_;
    struct Membership {  // as it is said to a new coordinator
        std::optional<std::uint64_t> pid;  // nothing: it has not been welcomed yet
        bool is_ready = false;
        std::set<ActorId> watched;
    };
    Membership membership_;
};

}  // namespace baton::detail
