#include "runtime/inbox/later.hpp"

#include <algorithm>

namespace baton::detail {

// ---- commands --------------------------------------------------------------------------------------------

Result<void> Later::send_after(Duration delay, const AnyRef& to, std::string_view tag, std::string_view body) {
    if (!self_->thread().is_this()) return self_->thread().refusal();
    if (Result<void> ours = self_->require_ours(to); !ours) return ours;
    if (delayed_.size() >= limits::delayed_commands_max)
        return Error{ErrorKind::overloaded, "too many commands wait to be sent later (limits::delayed_commands_max)"};
    const Deadline at = Deadline::in(self_->clock(), std::max(delay, Duration::zero()));
    delayed_.emplace(at.at(), Delayed{to, std::string(tag), Buffer(body)});
    return {};
}

void Later::send_due() {
    if (delayed_.empty() || is_sending_due_) return;
    const Instant now = self_->clock().now();
    is_sending_due_ = true;
    struct End {
        bool& flag;
        ~End() { flag = false; }
    } const end{is_sending_due_};
    while (!delayed_.empty() && delayed_.begin()->first <= now) {
        auto due = delayed_.extract(delayed_.begin());
        Delayed& one = due.mapped();
        const Result<void> sent = outbox_->send(one.to.id, {.tag = one.tag, .body = one.body},
                                                Deadline::in(self_->clock(), Duration::zero()));
        if (sent) continue;
        if (sent.error().kind == ErrorKind::overloaded && !self_->ends_waits()) {
            due.key() = now + retry_interval;
            delayed_.insert(std::move(due));
            continue;
        }
        self_->log().warn("command.undelivered", "to={} command={} why=\"{}\"", to_string(one.to.id), one.tag,
                          to_text(sent.error()));
    }
}

// ---- outcomes --------------------------------------------------------------------------------------------

void Later::continue_with(AskId ask, Deadline deadline, std::function<void(Result<ReplyFrame>)> take) {
    self_->thread().require();
    continuations_.emplace(ask, std::move(take));
    if (!deadline.is_never()) continuation_deadlines_.emplace(deadline.at(), ask);
    asks_->mark_continued(ask);
}

void Later::give_outcome(AskId ask, Waited waited) {
    auto found = continuations_.extract(ask);
    if (found.empty()) return;
    Result<ReplyFrame> outcome = asking_->take_outcome(ask, waited);
    const Handling handling{*self_};
    found.mapped()(std::move(outcome));
}

void Later::continue_settled() {
    if (continuations_.empty()) return;
    for (const AskId ask : asks_->take_continued()) give_outcome(ask, Waited::done);
    const Instant now = self_->clock().now();
    while (!continuation_deadlines_.empty() && continuation_deadlines_.begin()->first <= now) {
        const AskId ask = continuation_deadlines_.begin()->second;
        continuation_deadlines_.erase(continuation_deadlines_.begin());
        if (continuations_.contains(ask)) give_outcome(ask, asking_->is_settled(ask) ? Waited::done : Waited::deadline);
    }
    if (continuations_.empty()) continuation_deadlines_.clear();
}

// ---- onlookers -------------------------------------------------------------------------------------------

std::shared_ptr<void> Later::look_between(std::function<Deadline()> look) {
    self_->thread().require();
    auto onlooker = std::make_shared<Onlooker>(Onlooker{std::move(look), Deadline{self_->clock().now()}});
    onlookers_.push_back(onlooker);
    return onlooker;
}

void Later::look_around() {
    for (std::size_t index = 0; index < onlookers_.size(); ++index) {  // a look may add more
        const std::shared_ptr<Onlooker> onlooker = onlookers_[index].lock();
        if (onlooker == nullptr) continue;
        const Handling handling{*self_};
        onlooker->next = onlooker->look();
    }
    std::erase_if(onlookers_, [](const std::weak_ptr<Onlooker>& one) { return one.expired(); });
}

// ---- when ------------------------------------------------------------------------------------------------

// Outcomes are given to their functions only where commands are handled, so nothing else wakes up for them.
Deadline Later::next(Serving serving) const {
    Deadline next = Deadline::never();
    if (!delayed_.empty() && !is_sending_due_) next = Deadline{delayed_.begin()->first};
    if (serving == Serving::control_only) return next;
    if (asks_->any_continued()) return Deadline{self_->clock().now()};
    if (!continuation_deadlines_.empty()) next = next.or_earlier(Deadline{continuation_deadlines_.begin()->first});
    for (const std::weak_ptr<Onlooker>& one : onlookers_)
        if (const std::shared_ptr<Onlooker> onlooker = one.lock()) next = next.or_earlier(onlooker->next);
    return next;
}

}  // namespace baton::detail
