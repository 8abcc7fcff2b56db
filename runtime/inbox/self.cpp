#include "runtime/inbox/self.hpp"

#include <utility>

#include "runtime/base/text.hpp"

namespace baton::detail {

void Self::be(ActorId me, std::string name) {
    me_ = me;
    name_ = std::move(name);
    log_->rename(fmt::format("{}#{}", name_, to_string(me)));
}

void Self::attach(const Vitals& vitals, OwnVitals own) {
    vitals_ = &vitals;
    own_vitals_.emplace(std::move(own));
}

Result<void> Self::require_ours(const AnyRef& ref) const {
    if (ref.session.fits(session_)) return {};
    return Error{ErrorKind::refused,
                 fmt::format("{} is an actor of session {}, and this is session {}: a Ref is of use in its own "
                             "session alone, as its number is somebody else here",
                             to_string(ref.id), printable(to_string(ref.session)), to_string(session_))};
}

void Self::stop(bool drain, Deadline until) noexcept {
    ending_.until = ending_.until.or_earlier(until);
    if (ending_.stop != Ending::Stop::now) ending_.stop = drain ? Ending::Stop::after_draining : Ending::Stop::now;
}

void Self::show_in_hand(std::string_view command, Instant since) noexcept {
    if (!own_vitals_) return;
    own_vitals_->begin(command, since.time_since_epoch().count());
    hand_.is_shown = true;
}

void Self::end_in_hand() noexcept {
    if (std::exchange(hand_.is_shown, false)) own_vitals_->end();
}

Error Self::coordinator_lost() const {
    return Error{ErrorKind::gone,
                 "the session has ended, and its actors with it; open another session"};
}

}  // namespace baton::detail
