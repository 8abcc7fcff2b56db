#include "runtime/session/mail.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "runtime/holdings/arrivals.hpp"
#include "runtime/wire/dynamic.hpp"

namespace baton::detail {

// ---- what comes ------------------------------------------------------------------------------------

void Mail::handle(const Command& command, AnswerSlot answer) {
    if (look_) look_();
    if (Result<void> fits = check(command, answer.is_asked()); !fits)
        return refuse(command, std::move(answer), fits.error());
    std::shared_ptr<Arrivals> arrivals;
    if (!command.envelope.manifest.empty()) {
        arrivals = std::make_shared<Arrivals>(loop_->holdings(), command.envelope.from, command.envelope.manifest);
        if (Result<void> accepted = arrivals->accept_all(); !accepted)
            return refuse(command, std::move(answer), accepted.error());
    }
    messages_.push_back({std::string(command.envelope.tag), Buffer(command.body_bytes), command.envelope.from,
                         std::move(answer), std::move(arrivals)});
    ++arrived_;
}

// What a program's dispatch refuses, too.
Result<void> Mail::check(const Command& command, bool is_asked) const {
    if (protocol_.commands.empty()) return {};
    const std::string_view tag = command.envelope.tag;
    const CommandDescription* const known = protocol_.find(tag);
    if (known == nullptr) {
        std::vector<std::string_view> names;
        for (const CommandDescription& one : protocol_.commands) names.push_back(one.name);
        return Error{ErrorKind::unsupported, fmt::format("{} knows no command '{}'; it knows {}", loop_->name(), tag,
                                                         fmt::join(names, ", "))};
    }
    if (is_asked && !known->reply)
        return Error{ErrorKind::unsupported, fmt::format("{} has no reply: it can be sent, not asked", tag)};
    return check_value(known->fields, command.body, tag);
}

void Mail::refuse(const Command& command, AnswerSlot answer, const Error& why) const {
    if (answer.is_asked()) return answer.fail(why);
    loop_->log().warn("command.refused", "from={} command={} why=\"{}\"", to_string(command.envelope.from),
                      command.envelope.tag, to_text(why));
    loop_->commands().answers().refuse(command, why);
}

// ---- what is collected -----------------------------------------------------------------------------

// The wanted messages, on their way to the caller; what it does not get goes back to where it was.
class Mail::Taking {
public:
    Taking(Mail& mail, std::string_view wanted, std::size_t count) : mail_(mail), wanted_(wanted), count_(count) {}
    Taking(const Taking&) = delete;
    Taking& operator=(const Taking&) = delete;
    ~Taking() {
        mail_.messages_.insert(mail_.messages_.begin(), std::move_iterator(taken_.begin()),
                               std::move_iterator(taken_.end()));
    }

    // Takes what is wanted of what has come since the last look; returns whether that was anything.
    bool look() {
        std::deque<Message>& messages = mail_.messages_;
        const std::size_t had = taken_.size();
        for (std::size_t next = unwanted_; next < messages.size(); ++next) {
            const bool is_wanted = wanted_.empty() || messages[next].tag == wanted_;
            if (is_wanted && taken_.size() < count_) {
                taken_.push_back(std::move(messages[next]));
            } else {
                if (unwanted_ != next) messages[unwanted_] = std::move(messages[next]);
                ++unwanted_;
            }
        }
        messages.erase(messages.begin() + static_cast<std::ptrdiff_t>(unwanted_), messages.end());
        return taken_.size() > had;
    }
    [[nodiscard]] std::size_t missing() const noexcept { return count_ - taken_.size(); }
    [[nodiscard]] std::vector<Message> all() { return std::exchange(taken_, {}); }

private:
    Mail& mail_;
    std::string_view wanted_;
    std::size_t count_;
    std::vector<Message> taken_;
    std::size_t unwanted_ = 0;  // how many of the waiting messages are known to be that
};

Result<std::vector<Mail::Message>> Mail::collect(std::string_view wanted, const Enough& until) {
    const Clock& clock = loop_->clock();
    const Deadline deadline = until.within.deadline(clock);
    const bool waits_for_quiet = until.quiet != Duration::max();
    Deadline quiet_end = Deadline::in(clock, until.quiet);
    Taking taking{*this, wanted, until.count};
    for (bool is_last_look = false;;) {
        const bool has_any = taking.look();
        if (taking.missing() == 0) return taking.all();
        if (messages_.size() >= limits::collected_commands_max)
            return Error{
                ErrorKind::overloaded,
                fmt::format("{} messages of other commands wait to be collected (limits::collected_commands_max)",
                            messages_.size())};
        // Each that is wanted starts the quiet anew; others do not.
        if (has_any) quiet_end = Deadline::in(clock, until.quiet);
        if (is_last_look && (!has_any || deadline.has_passed(clock))) return taking.all();
        const std::uint64_t before = arrived_;
        const std::uint64_t enough = before + std::min(taking.missing(), limits::collected_commands_max);
        const Loop::Waited waited = loop_->serve(
            &served_, [&] { return waits_for_quiet ? arrived_ > before : arrived_ >= enough; },
            deadline.or_earlier(quiet_end));
        if (waited == Loop::Waited::stopping)
            return Error{ErrorKind::stopping, fmt::format("{} is stopping", loop_->name())};
        if (waited == Loop::Waited::gone && arrived_ == before) return loop_->coordinator_lost();
        is_last_look = waited == Loop::Waited::deadline || deadline.or_earlier(quiet_end).has_passed(clock);
    }
}

std::vector<DeadLetter> Mail::give_up() {
    Commands::Unread unread;
    for (const Message& message : messages_) Commands::count_unread(unread, message.from, message.tag);
    messages_.clear();
    return Commands::dead_letters(unread);
}

}  // namespace baton::detail
