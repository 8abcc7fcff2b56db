#include "runtime/inbox/waits.hpp"

#include "runtime/base/planted_bug.hpp"

namespace baton::detail {

void Waits::watch(int descriptor, std::function<void()> on_readable) {
    watched_.emplace_back(descriptor, std::move(on_readable));
}

// What a wait looks at, and until when at most. Refers to links_ and descriptors_.
Transport::Interest Waits::interest_of(Handler* handler, Deadline& deadline, Link writable) {
    links_.clear();
    if (control_->link().is_some()) links_.push_back(control_->link());
    replies_->add_links_of_those(links_);
    descriptors_.clear();
    for (const auto& [descriptor, on_readable] : watched_) descriptors_.push_back(descriptor);
    control_->add_descriptors(descriptors_);
    if (handler != nullptr && handler->descriptor() >= 0) descriptors_.push_back(handler->descriptor());

    const Serving serving = handler == nullptr ? Serving::control_only : Serving::commands;
    const Answers& answers = commands_->answers();
    deadline = deadline.or_earlier(exits_->next_look(serving)).or_earlier(control_->next_look());
    if (answers.any_waiting()) deadline = deadline.or_earlier(Deadline::in(self_->clock(), answers.pause()));
    if (!self_->is_handling()) deadline = deadline.or_earlier(later_->next(serving));
    // A dead peer counts as drained after looks everywhere.
    return {handler != nullptr, links_, writable, descriptors_, !exits_->is_draining()};
}

Deadline Waits::would_wait_for(Handler* handler, std::vector<int>& watched) {
    Deadline latest = Deadline::never();
    const bool is_ready = self_->transport().would_wait_for(interest_of(handler, latest, Link{}), watched);
    return is_ready ? Deadline{self_->clock().now()} : latest;
}

void Waits::wait(Handler* handler, Deadline deadline, Link writable) {
    const Transport::Interest interest = interest_of(handler, deadline, writable);
    const bool any_readable = self_->transport().wait(interest, deadline.left(self_->clock()));
    // User code that waits in the middle of serve() does not look at the inbox, so its waits don't count.
    if (interest.inbox || is_planted(PlantedBug::drained_unlooked)) exits_->looked_for_commands();
    if (!any_readable) return;
    static_cast<void>(control_->has_session());
    for (const auto& [descriptor, on_readable] : watched_) on_readable();
}

}  // namespace baton::detail
