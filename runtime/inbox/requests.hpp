#pragma once
// Requests: what this member has asked of the coordinator and has no answer to, so that it can be asked again of the
// next one, with the same number (docs/decisions/0028). And whether there is a coordinator to ask. One thread.

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "runtime/inbox/asks.hpp"

namespace baton::detail {

class Requests {
public:
    struct Request {
        std::string tag;
        Buffer body;
    };

    void keep(AskId ask, std::string_view tag, std::string_view body) {
        unanswered_[ask] = {std::string(tag), Buffer(body)};
    }
    // It has its outcome.
    void forget(AskId ask) noexcept {
        if (!unanswered_.empty()) unanswered_.erase(ask);
    }
    // Nobody waits for its outcome. What an ask with that tag may have begun is to be undone by the next coordinator.
    void give_up(AskId ask, std::string_view undone_tag) {
        const auto found = unanswered_.find(ask);
        if (found == unanswered_.end()) return;
        if (found->second.tag == undone_tag) given_up_.insert(ask);
        if (given_up_.size() > given_up_max) given_up_.erase(given_up_.begin());
        unanswered_.erase(found);
    }
    [[nodiscard]] const std::set<AskId>& given_up() const noexcept { return given_up_; }
    // In the order in which they were asked.
    [[nodiscard]] const std::map<AskId, Request>& unanswered() const noexcept { return unanswered_; }

    // There is no coordinator: what is asked of it now is kept for the next one.
    [[nodiscard]] bool is_vacant() const noexcept { return is_vacant_; }
    void set_vacant(bool vacant) noexcept { is_vacant_ = vacant; }

private:
    static constexpr std::size_t given_up_max = 4096;
    std::set<AskId> given_up_;
    std::map<AskId, Request> unanswered_;
    bool is_vacant_ = false;
};

}  // namespace baton::detail
