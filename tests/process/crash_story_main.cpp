// The actor of the crash story. "crash-at=NAME[:NTH[:freeze]]" among its arguments says where it ends.
#include <algorithm>
#include <cstdlib>
#include <string_view>

#include <baton/actor.hpp>
#include "tests/process/crash_story.hpp"

namespace {

using namespace std::chrono_literals;
using namespace crash_story;

// Shorter than any freezing: an actor that waits for the frozen one is told, and goes on.
constexpr baton::Duration deadline = 150ms;

class Player {
public:
    explicit Player(baton::Context& context) : context_(&context) {
        context.on_bounced([this](baton::Bounced<Take> back) {
            ++bounced_;
            kept_.push_back(std::move(back.command.item));
        });
    }

    std::string on(const Play& command) {
        try {
            play(command.peer);
            play_by_name(command.peer, command.name);
            return "done";
        } catch (const baton::ErrorException& failure) {
            return failure.what();
        }
    }
    std::string on(const Offer& command) {
        try {
            lent_ = context_->lend(make(7, many_elements)).value();
            alone_ = make(11, 10);  // on a shelf where nothing else lies
            for (std::uint64_t number = 0; number < command.count; ++number)
                context_->send(command.to, Take{make(static_cast<std::int64_t>(number)), ""}).value();
            context_->send(command.to, HoldLease{lent_.lease().value()}).value();
            return "offered";
        } catch (const baton::ErrorException& failure) {
            return failure.what();
        }
    }
    void on(Take command) { kept_.push_back(std::move(command.item)); }
    baton::Segment on(Work command) {
        for (std::int64_t& element : command.item.as<std::int64_t>()) ++element;
        return std::move(command.item);
    }
    std::int64_t on(const Look& command) { return command.item.as<std::int64_t>()[0]; }
    std::uint64_t on(Fill command) {
        std::ranges::fill(command.item.as<std::int64_t>(), command.value);
        return command.item.first();
    }
    std::uint64_t on(HandOut command) {
        return context_->export_as(std::move(command.item), command.name).ok() ? 1 : 0;
    }
    std::int64_t on(const LookUp& command) {
        return context_->look_up<baton::Lease>(command.name).value().as<std::int64_t>()[elements - 1];
    }
    std::uint64_t on(const MakeMore& command) {
        for (std::uint64_t number = 0; number < command.count; ++number) kept_.push_back(make(-1));
        return kept_.size();
    }
    void on(HoldLease command) { leases_.push_back(std::move(command.item)); }
    std::uint64_t on(const LetGo&) {
        const std::uint64_t count = kept_.size();
        kept_.clear();
        leases_.clear();
        lent_ = {};
        alone_ = {};
        return count;
    }
    Held on(const Report&) {
        Held held{kept_.size(), true, bounced_};
        for (baton::Segment& segment : kept_) held.is_intact = held.is_intact && is_intact(segment);
        return held;
    }

private:
    void play(Address peer) {
        context_->send(peer, Take{make(1), ""}, deadline).value();
        const std::string too_much(baton::limits::message_bytes_max + 1, 'x');
        {
            Take refused{make(2), too_much};
            require(!context_->send(peer, std::move(refused), deadline).ok() && refused.item, "a refused gift stays");
        }
        baton::Segment back = context_->ask(peer, Work{make(3)}, deadline).value();
        require(back.as<std::int64_t>()[elements - 1] == 4, "the receiver's work came back");
        back = {};
        baton::Loan lent = context_->lend(make(5)).value();
        require(context_->ask(peer, Look{lent.lease().value(), ""}, deadline).value() == 5,
                "the reader saw what was lent");
        {
            Look refused{lent.lease().value(), too_much};
            require(!context_->ask(peer, std::move(refused), deadline).ok(), "a lease can be refused");
        }
        context_->ask(peer, Fill{lent.slice(0, elements / 2).value(), 6}, deadline).value();
        context_->ask(peer, Fill{lent.slice(elements / 2, elements / 2).value(), 6}, deadline).value();
        baton::Segment whole = lent.reclaim(deadline).value();
        require(is_intact(whole) && whole.as<std::int64_t>()[0] == 6, "both slices were written");
        context_->send(peer, Take{std::move(whole), ""}, deadline).value();
    }
    void play_by_name(Address peer, const std::string& name) {
        for (const auto& [ending, count] : {std::pair{"-own", many_elements}, std::pair{"-own-small", elements}}) {
            context_->export_as(make(own_value, count), name + ending).value();
            baton::Segment own = context_->import_from(name + ending, {"<i8", {count}}).value();
            require(is_intact(own) && own.as<std::int64_t>()[0] == own_value, "what was handed out came in again");
        }
        for (const auto& [ending, count] :
             {std::pair{"-theirs", many_elements}, std::pair{"-theirs-small", more_elements}}) {
            require(context_->ask(peer, HandOut{make(theirs_value, count), name + ending}, deadline).value() == 1,
                    "the peer hands out");
            baton::Segment own = context_->import_from(name + ending, {"<i8", {count}}).value();
            require(is_intact(own) && own.as<std::int64_t>()[0] == theirs_value, "what the peer handed out came in");
        }
        baton::Loan board = context_->lend(make(10)).value();
        context_->publish(board, name).value();
        require(context_->ask(peer, LookUp{name}, deadline).value() == 10, "the peer saw what is published");
        require(context_->look_up<baton::Lease>(name).value().as<std::int64_t>()[0] == 10, "so did its owner");
        require(board.reclaim(deadline).ok(), "what was published is whole again");
    }
    static void require(bool holds, std::string what) {
        if (!holds) throw baton::ErrorException(baton::Error{baton::ErrorKind::failed, "not so: " + what});
    }
    static bool is_intact(baton::Segment& segment) {
        const std::span<std::int64_t> all = segment.as<std::int64_t>();
        return std::ranges::all_of(all, [&](std::int64_t element) { return element == all[0]; });
    }
    baton::Segment make(std::int64_t value, std::uint64_t count = elements) {
        baton::Segment segment = context_->create_array<std::int64_t>({count}).value();
        std::ranges::fill(segment.as<std::int64_t>(), value);
        return segment;
    }

    baton::Context* context_;
    std::vector<baton::Segment> kept_;
    std::vector<baton::Lease> leases_;
    baton::Loan lent_;
    baton::Segment alone_;
    std::uint64_t bounced_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    constexpr std::string_view option = "crash-at=";
    for (int index = 1; index < argc; ++index)
        if (std::string_view(argv[index]).starts_with(option))
            ::setenv("BATON_CRASH_AT", argv[index] + option.size(), 1);
    return baton::run_actor<Player, Protocol>(argc, argv);
}
