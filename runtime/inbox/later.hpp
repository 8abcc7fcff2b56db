#pragma once
// Later: what this actor is to do at some time, between commands: send a command, give the outcome of an ask to a
// function, let somebody look. One thread.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/inbox/asking.hpp"

namespace baton::detail {

class Later {
public:
    Later(Self& self, Asks& asks, Outbox& outbox, Asking& asking)
        : self_(&self), asks_(&asks), outbox_(&outbox), asking_(&asking) {}

    // Sends that command at that time from now on, between commands. Afterwards it is as send() with no time to wait
    // for room: tried again until there is some, or dropped with a warning.
    [[nodiscard]] Result<void> send_after(Duration delay, const AnyRef& to, std::string_view tag,
                                          std::string_view body);
    // Gives the outcome of an ask to `take`, between commands, once it has come or the deadline has passed.
    void continue_with(AskId ask, Deadline deadline, std::function<void(Result<ReplyFrame>)> take);
    // Calls `look` between commands, as long as what is returned lives: whenever something has come, and when the
    // deadline that it returned last has passed.
    [[nodiscard]] std::shared_ptr<void> look_between(std::function<Deadline()> look);

    // ---- for the loop
    // What is due. Commands are sent in a wait for an answer, too; the rest is for those who handle commands.
    void send_due();
    void continue_settled();
    void look_around();
    [[nodiscard]] Deadline next(Serving serving) const;

private:
    // A command that was to be sent by now and found no room is tried again after this.
    static constexpr Duration retry_interval = std::chrono::milliseconds{10};
    struct Delayed {
        AnyRef to;
        std::string tag;
        Buffer body;
    };
    struct Onlooker {
        std::function<Deadline()> look;
        Deadline next;
    };
    void give_outcome(AskId ask, Waited waited);

    Self* self_;
    Asks* asks_;
    Outbox* outbox_;
    Asking* asking_;
    std::multimap<Instant, Delayed> delayed_;
    bool is_sending_due_ = false;
    std::unordered_map<AskId, std::function<void(Result<ReplyFrame>)>> continuations_;
    std::multimap<Instant, AskId> continuation_deadlines_;
    std::vector<std::weak_ptr<Onlooker>> onlookers_;
};

}  // namespace baton::detail
