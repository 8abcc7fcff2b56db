#include "actors/sync/kept/semaphore.hpp"

#include <algorithm>

namespace baton::sync::kept {

void Semaphore::acquire(ActorId who, Wakes& wakes) {
    line_.push_back(who);
    pass_on(wakes);
}

void Semaphore::pass_on(Wakes& wakes) {
    while (free_ > 0 && !line_.empty()) {
        --free_;
        holders_.push_back(line_.front());
        wakes.grant(line_.front());
        line_.pop_front();
    }
}

Result<void> Semaphore::release(ActorId who, Wakes& wakes) {
    auto held = std::ranges::find(holders_, who);
    if (held == holders_.end()) held = holders_.begin();
    if (held != holders_.end()) {
        holders_.erase(held);
    } else if (is_bounded_) {
        return Error{ErrorKind::refused,
                     fmt::format("{} has all of its {} permits: there is none to give back", to_text(), permits_)};
    }
    ++free_;
    pass_on(wakes);
    return {};
}

void Semaphore::withdraw(const Party& who, Given given, Wakes& wakes) {
    std::erase(line_, who.id);
    if (given == Given::grant && std::ranges::find(holders_, who.id) != holders_.end())
        static_cast<void>(release(who.id, wakes));
}

void Semaphore::bury(const Party& dead, const std::string&, Wakes& wakes) {
    std::erase(line_, dead.id);
    free_ += std::erase(holders_, dead.id);
    pass_on(wakes);
}

}  // namespace baton::sync::kept
