#pragma once
// notify: one notice to one member, over its control lane. Never waits; a member without a lane is told nothing.

#include "actors/coordinator/members.hpp"
#include "runtime/inbox/call.hpp"

namespace baton::detail::coordinator {

template <class Notice>
void notify(Loop& loop, const Member& member, const Notice& notice) {
    static_assert(AcceptedBy<notice::Protocol, Notice>, "a notice is in the list of notice::Protocol");
    if (!member.link.is_some()) return;
    const Envelope envelope{MessageKind::notice, coordinator_id, member.id, 0, 0, command_name<Notice>};
    const Answers::Posted posted = loop.commands().answers().post(member.link, envelope, encoded_body(notice));
    if (posted == Answers::Posted::too_large)  // what a notice says is bounded where it is made
        loop.log().error("notice.lost", "to={} tag={}: it is larger than a message", member.name, command_name<Notice>);
    else if (posted == Answers::Posted::nobody_there)
        loop.log().debug("notice.undelivered", "to={}", member.name);
}

}  // namespace baton::detail::coordinator
