#pragma once
// Mail: the commands that came to a scenario and wait for collect(). They are checked as an actor's dispatch checks
// them: what does not fit the published protocol is refused before anybody sees it. One thread, the loop's.

#include <deque>
#include <functional>
#include <string_view>
#include <vector>

#include "runtime/session/session.hpp"

namespace baton::detail {

class Mail final : public Handler {
public:
    using Message = Session::Message;

    explicit Mail(Loop& loop) : loop_(&loop) {}

    // From here on only its commands are taken; before, and without commands, whatever comes.
    void publish(ProtocolDescription protocol) { protocol_ = std::move(protocol); }
    void handle(const Command& command, AnswerSlot answer) override;
    // What the loop serves while a script waits for commands: one that is put there counts as handled. Commands that
    // the loop collects by itself, for *this, do not, and from then on no circle of waits through this member is found.
    [[nodiscard]] Handler& served() noexcept { return served_; }
    // Calls `look` for each command that came, before it counts as handled.
    void before_each(std::function<void()> look) { look_ = std::move(look); }

    // In order of arrival; those not named by `wanted` (empty: all) stay for a later call. What a failure, or an
    // exception out of the wait, takes from the caller waits for the next call, too.
    [[nodiscard]] Result<std::vector<Message>> collect(std::string_view wanted, const Enough& until);

    [[nodiscard]] bool is_empty() const noexcept { return messages_.empty(); }
    // What nobody has collected, as dead letters; asks among it are answered.
    [[nodiscard]] std::vector<DeadLetter> give_up();

private:
    class Taking;
    struct Served final : Handler {
        explicit Served(Mail& all) : mail(all) {}
        void handle(const Command& command, AnswerSlot answer) override { mail.handle(command, std::move(answer)); }
        Mail& mail;
    };
    [[nodiscard]] Result<void> check(const Command& command, bool is_asked) const;
    void refuse(const Command& command, AnswerSlot answer, const Error& why) const;

    Loop* loop_;
    Served served_{*this};
    ProtocolDescription protocol_;
    std::function<void()> look_;
    std::deque<Message> messages_;
    std::uint64_t arrived_ = 0;
};

}  // namespace baton::detail
