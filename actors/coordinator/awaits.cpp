#include "actors/coordinator/awaits.hpp"

#include "runtime/inbox/access.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace baton::detail::coordinator {
namespace {

Error overloaded(std::string_view what, std::size_t limit, std::string_view name) {
    return Error{ErrorKind::overloaded, fmt::format("{} {} await an exit already (limits::{})", limit, what, name)};
}

}  // namespace

void Awaits::add(ActorId actor, Answer<Ended> answer) {
    std::deque<Answer<Ended>>& waiting = waiting_[actor];
    const auto is_same = [link = Access::link(answer)](const Answer<Ended>& other) {
        return Access::link(other) == link;
    };
    if (static_cast<std::size_t>(std::ranges::count_if(waiting, is_same)) >= limits::awaits_per_asker_max) {
        const auto oldest = std::ranges::find_if(waiting, is_same);
        oldest->fail(overloaded("later asks of this connection", limits::awaits_per_asker_max, "awaits_per_asker_max"));
        waiting.erase(oldest);
        --count_;
    }
    if (count_ >= limits::awaits_max)
        return answer.fail(overloaded("asks of this session", limits::awaits_max, "awaits_max"));
    waiting.push_back(std::move(answer));
    ++count_;
}

void Awaits::answer(const Ended& ended) {
    const auto found = waiting_.find(ended.actor.id);
    if (found == waiting_.end()) return;
    for (Answer<Ended>& one : found->second) one.reply(ended);
    count_ -= found->second.size();
    waiting_.erase(found);
}

void Awaits::forget(ActorId asker) {
    for (auto& [actor, waiting] : waiting_)
        count_ -= std::erase_if(waiting, [asker](const Answer<Ended>& one) { return one.asker() == asker; });
}

}  // namespace baton::detail::coordinator
