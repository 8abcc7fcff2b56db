#include <fmt/format.h>
#include <unistd.h>

#include <atomic>

#include "actors/passing_student/passing_student.hpp"
#include <baton/sync/barrier.hpp>
#include <baton/actor.hpp>

namespace {

using namespace passing_student;
using namespace std::chrono_literals;

// A number in shared memory that several processes write, and each of them in one step.
class SharedNumber {
public:
    SharedNumber() = default;
    explicit SharedNumber(baton::Slice place) : place_(std::move(place)) {}
    explicit operator bool() const noexcept { return static_cast<bool>(place_); }
    [[nodiscard]] std::int64_t load() { return word().load(); }
    void store(std::int64_t number) { word().store(number); }
    [[nodiscard]] std::int64_t exchange(std::int64_t number) { return word().exchange(number); }

private:
    [[nodiscard]] std::atomic_ref<std::int64_t> word() {
        return std::atomic_ref<std::int64_t>{place_.at<std::int64_t>({0})};
    }
    baton::Slice place_;
};

class PassingStudent {
public:
    explicit PassingStudent(baton::Context& context) : context_(&context) {
        baton::Segment hand = context.create_array<std::int64_t>({1}).value();
        hand.at<std::int64_t>({0}) = nothing;
        lent_ = context.lend(std::move(hand)).value();
        hand_ = SharedNumber{lent_.share(0, 1).value()};
        context.on_exited([this](const baton::Ended& peer) {
            if (peer.actor != baton::AnyRef{next_}) return;
            next_ = {};
            next_hand_ = {};
        });
    }

    bool on(const HoldThis& command) {
        const std::int64_t dropped = hand_.exchange(command.number);
        if (dropped == nothing) say("A {}? Got it.", command.number);
        else say("A {}? I'll just drop this {}.", command.number, dropped);
        return true;
    }
    bool on(const WhatsYourNumber&) {
        const std::int64_t number = hand_.load();
        if (number == nothing) say("I'm not holding anything.");
        else say("I have a {}", number);
        return true;
    }
    baton::Result<bool> on(const YouPassTo& command) {
        auto shown = context_->ask(command.student, ShowYourHand{});
        if (!shown) return shown.error();
        next_ = command.student;
        next_name_ = command.name;
        next_hand_ = SharedNumber{std::move(shown->number)};
        say("I pass to {}? Got it.", next_name_);
        return true;
    }
    Hand on(const ShowYourHand&) { return {lent_.share(0, 1).value()}; }
    bool on(const PassItOn& command) {
        const std::int64_t readied = hand_.exchange(nothing);
        say("Ready!");
        baton::sync::Barrier barrier{*context_, command.barrier};
        if (const auto waited = barrier.wait(30s); !waited) {
            hand_.store(readied);
            say("No: {}", waited.error().text);
            return false;
        }
        say("Go!");
        if (readied != nothing && next_hand_) {
            say("Here, {}!", next_name_);
            next_hand_.store(readied);
        } else {
            say("...");
        }
        return true;
    }
    bool on(const ThanksForHelping&) {
        context_->stop();
        say("You're welcome!");
        return true;
    }

private:
    // In one write: lines of two students stand below each other, never within.
    template <class... Values>
    void say(fmt::format_string<Values...> words, Values&&... values) const {
        const std::string line =
            fmt::format("[{}]  {}\n", context_->name(), fmt::format(words, std::forward<Values>(values)...));
        static_cast<void>(!::write(STDOUT_FILENO, line.data(), line.size()));
    }

    baton::Context* context_;
    baton::Loan lent_;
    SharedNumber hand_;  // this student's view of it
    baton::Ref<Protocol> next_;
    std::string next_name_;
    SharedNumber next_hand_;
};

}  // namespace

int main(int argc, char** argv) { return baton::run_actor<PassingStudent, Protocol>(argc, argv); }
