#include "runtime/inbox/commands.hpp"

#include <utility>

namespace baton::detail {
namespace {

// How long quick commands are handled before the control lane is looked at again.
constexpr Duration control_interval = std::chrono::microseconds{100};

// The time in which quick commands are handled, behind the first one. It is read exactly only now and then, when it has
// gone on a little, and never before the first answer has left.
class Slice {
public:
    explicit Slice(const Clock& clock) : clock_(&clock), began_(clock.rough_now()) {}
    // When the next command begins, roughly.
    [[nodiscard]] Instant began() const noexcept { return began_; }
    // After each command.
    [[nodiscard]] bool is_over() {
        const Instant now = clock_->rough_now();
        const bool has_gone_on = now != std::exchange(began_, now);
        if (end_.is_never()) {
            end_ = Deadline::in(*clock_, control_interval);
            return has_gone_on;
        }
        return (has_gone_on || ++unread_ % exact_after == 0) && end_.has_passed(*clock_);
    }

private:
    static constexpr unsigned exact_after = 16;
    const Clock* clock_;
    Instant began_;
    Deadline end_ = Deadline::never();
    unsigned unread_ = 0;
};

// A command has been handled when its answer is given or kept, so it counts when the slot has gone.
struct HandledAtEnd {
    OwnVitals* own;
    ~HandledAtEnd() {
        if (own != nullptr) own->end_taken();
    }
};

}  // namespace

Handler* Commands::collect_meanwhile() noexcept {
    if (OwnVitals* const own = self_->own_vitals(); collector_ != nullptr && own != nullptr) own->end_wait();
    return collector_;
}

Commands::Handled Commands::handle_some(Handler& handler, const std::function<bool()>& done) {
    Command command;
    Handled handled = Handled::none;
    Slice slice{self_->clock()};
    while (intake_.next(command)) {
        handled = Handled::some;
        handle(handler, command, slice.began());
        // A wait in the handler may have taken the news that this actor is to stop: what is behind it is not handled.
        if (done() || self_->is_stopping() || self_->ending().has_lost_coordinator) break;
        if (slice.is_over()) return Handled::slice;
    }
    return handled;
}

bool Commands::handle_next(Handler& handler) {
    Command command;
    if (!intake_.next(command)) return false;
    handle(handler, command, self_->clock().rough_now());
    return true;
}

void Commands::handle(Handler& handler, const Command& command, Instant now) {
    OwnVitals* const own = self_->own_vitals();
    // One that is only collected has not been handled.
    const HandledAtEnd end{command.is_misaddressed || &handler == collector_ ? nullptr : own};
    AnswerSlot slot{answers_, command};
    if (command.is_misaddressed) return answers_.refuse_misaddressed(command, std::move(slot));
    if (command.is_withdrawn) return answers_.refuse_withdrawn(command, std::move(slot));
    if (command.envelope.tag == sync_tag) {
        Buffer nothing;
        Encoder{nothing}.nil();
        return slot.reply(nothing);
    }
    const Handling handling{*self_, command.envelope.from};
    self_->show_in_hand(command.envelope.tag, now);
    handler.handle(command, std::move(slot));
    self_->end_in_hand();
}

bool Commands::refuse_next(Unread& unread) {
    Command command;
    if (!intake_.next(command)) return false;
    AnswerSlot slot{answers_, command};
    const Envelope& envelope = command.envelope;
    count_unread(unread, envelope.from, envelope.tag);
    if (slot.is_asked())
        slot.fail(Error{ErrorKind::stopping,
                        fmt::format("{} is stopping and did not handle {}", self_->name(), envelope.tag)});
    return true;
}

void Commands::count_unread(Unread& unread, ActorId from, std::string_view tag) {
    const bool has_room = unread.size() < limits::actors_max;
    ++unread[{to_string(from), has_room ? std::string(tag) : std::string()}];
}

std::vector<DeadLetter> Commands::dead_letters(const Unread& unread) {
    std::vector<DeadLetter> letters;
    for (const auto& [key, count] : unread) letters.push_back({key.first, key.second, count});
    return letters;
}

}  // namespace baton::detail
