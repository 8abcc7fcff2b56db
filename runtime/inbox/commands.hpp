#pragma once
// Commands: what comes to the inbox, given to a handler one at a time, together with the slot for its answer.
// One thread.

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <baton/exit.hpp>
#include "runtime/inbox/answers.hpp"

namespace baton::detail {

class Commands {
public:
    Commands(Self& self, Gifts& gifts) : self_(&self), intake_(self), answers_(self, intake_, gifts) {}
    Commands(const Commands&) = delete;
    Commands& operator=(const Commands&) = delete;
    [[nodiscard]] Intake& intake() noexcept { return intake_; }
    [[nodiscard]] Answers& answers() noexcept { return answers_; }

    // What receives commands while a dead peer is drained and no handler serves: a scenario's mail.
    void collect_with(Handler& handler) noexcept { collector_ = &handler; }
    [[nodiscard]] Handler* collector() const noexcept { return collector_; }
    // The same, for a wait that was for something else: as it may answer now, the vitals show no wait any more.
    [[nodiscard]] Handler* collect_meanwhile() noexcept;

    // Handles quick commands until `done` holds, but not for long: others are to be looked at.
    enum class Handled { none, some, slice };  // slice: there may be more
    Handled handle_some(Handler& handler, const std::function<bool()>& done);
    // False: there is none.
    bool handle_next(Handler& handler);

    // What an actor that ends has not handled, by sender and command. Apart up to a bound, beyond that together.
    using Unread = std::map<std::pair<std::string, std::string>, std::uint64_t>;
    // Counts the next command and answers that it will not be handled; false: there is none.
    bool refuse_next(Unread& unread);
    static void count_unread(Unread& unread, ActorId from, std::string_view tag);
    [[nodiscard]] static std::vector<DeadLetter> dead_letters(const Unread& unread);

private:
    // `now`: roughly.
    void handle(Handler& handler, const Command& command, Instant now);

    Self* self_;
    Intake intake_;
    Answers answers_;
    Handler* collector_ = nullptr;
};

}  // namespace baton::detail
