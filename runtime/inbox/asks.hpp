#pragma once
// Asks: the asks of this actor that are under way, each until its one outcome. One thread.
//
// An ask ends in exactly one of: reply, error of the handler, the receiver gone, deadline, deadlock, stopping. The last
// three are the waiter's: it abandons the ask, which withdraws the command if that has not begun. That stays known
// until its answer has come or its receiver has gone, so that the answer is read and what it carries is released.

#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include <baton/ref.hpp>
#include <baton/limits.hpp>
#include <baton/result.hpp>
#include <baton/detail/codec.hpp>
#include <baton/detail/positional.hpp>

namespace baton::detail {

using AskId = std::uint64_t;

// An answer as it came: the body starts at `offset` of the frame. What it carried has been accepted, and is released
// with the answer.
struct ReplyFrame {
    enum class Form : std::uint8_t {
        by_name,
        by_position,  // all of the frame
        read,         // it is in the ReplyPlace of its ask, and nowhere else
    };
    Buffer frame = {};
    std::size_t offset = 0;
    std::shared_ptr<Arrivals> arrivals = {};
    SessionTag session = {};  // in which it came
    Form form = Form::by_name;
};

// Where the value of a reply that comes by position goes, if its asker waits there.
struct ReplyPlace {
    positional::ReadInto read = nullptr;  // nullptr: the reply is kept as it came
    void* value = nullptr;
};

// What is known of the command of an ask whose answer nobody waits for any more.
enum class Fate : std::uint8_t {
    may_run,    // nothing: the receiver does not say what it begins, or there was no place to withdraw it
    begun,      // it had begun, and may still finish
    withdrawn,  // it had not begun, and never will
};

class Asks {
public:
    struct Ask {
        ActorId to;
        std::optional<Result<ReplyFrame>> outcome = {};
        bool is_abandoned = false;  // nobody waits for its outcome
        bool is_committed = false;  // its command runs in any case
        Fate fate = Fate::may_run;  // once it is abandoned
        std::uint64_t sequence = 0;  // of the command, among those to its receiver; 0: not sent yet
        bool is_continued = false;  // its outcome goes to a function
        bool is_brief = false;      // it went by position, so its reply may come so
        ReplyPlace place = {};      // as long as its asker waits there
        std::function<void(Result<ReplyFrame>)> take_late = {};  // who takes back what a late answer says was done
    };

    // `overloaded` beyond limits::asks_in_flight_max.
    [[nodiscard]] Result<AskId> begin(ActorId to) {
        if (asks_.size() >= limits::asks_in_flight_max)
            return Error{ErrorKind::overloaded, "too many asks are waiting for an answer (limits::asks_in_flight_max)"};
        const AskId id = ++last_;
        if (spare_.empty()) {
            asks_.emplace(id, Ask{.to = to});
        } else {
            spare_.key() = id;
            spare_.mapped().to = to;
            asks_.insert(std::move(spare_));
        }
        return id;
    }
    [[nodiscard]] Ask* find(AskId id) noexcept {
        const auto found = asks_.find(id);
        return found == asks_.end() ? nullptr : &found->second;
    }
    // Nobody waits for it any more: its outcome goes to `take`, at once if it has come. True if it may still come.
    bool hand_over(AskId id, std::function<void(Result<ReplyFrame>)> take) {
        Ask* ask = find(id);
        if (ask == nullptr) return false;
        if (!ask->outcome) {
            ask->take_late = std::move(take);
            ask->is_abandoned = true;
            ask->place = {};
            return true;
        }
        Result<ReplyFrame> outcome = std::move(*ask->outcome);
        forget(id);
        take(std::move(outcome));
        return false;
    }
    // Only the first outcome counts. True if this was it.
    bool settle(AskId id, Result<ReplyFrame> outcome) {
        Ask* ask = find(id);
        if (ask == nullptr || ask->outcome) return false;
        ask->outcome.emplace(std::move(outcome));
        if (ask->is_continued) continued_.push_back(id);
        return true;
    }
    void settle_all_to(ActorId to, const Error& error) {
        forget_abandoned_to(to);
        for (auto& [id, ask] : asks_)
            if (ask.to == to && !ask.outcome) end(id, ask, error);
    }
    // Their answers cannot come any more, and nobody waits for them.
    void forget_abandoned_to(ActorId to) {
        std::erase_if(asks_, [to](const auto& entry) { return entry.second.to == to && entry.second.is_abandoned; });
    }
    void settle_all(const Error& error) {
        std::erase_if(asks_, [](const auto& entry) { return entry.second.is_abandoned; });
        for (auto& [id, ask] : asks_)
            if (!ask.outcome) end(id, ask, error);
    }
    void forget(AskId id) noexcept {
        std::unordered_map<AskId, Ask>::node_type forgotten = asks_.extract(id);
        if (forgotten.empty()) return;
        forgotten.mapped() = {};
        spare_ = std::move(forgotten);
    }

    // The outcome of this ask is to be given to a function.
    void mark_continued(AskId id) {
        Ask* ask = find(id);
        if (ask == nullptr) return;
        ask->is_continued = true;
        if (ask->outcome) continued_.push_back(id);
    }
    // Those of them that have been settled, in that order.
    [[nodiscard]] std::vector<AskId> take_continued() noexcept { return std::exchange(continued_, {}); }
    [[nodiscard]] bool any_continued() const noexcept { return !continued_.empty(); }

private:
    void end(AskId id, Ask& ask, const Error& error) {
        ask.outcome.emplace(error);
        if (ask.is_continued) continued_.push_back(id);
    }
    std::vector<AskId> continued_;
    std::unordered_map<AskId, Ask> asks_;
    std::unordered_map<AskId, Ask>::node_type spare_;  // so that one ask after the other allocates nothing
    AskId last_ = 0;
};

}  // namespace baton::detail
