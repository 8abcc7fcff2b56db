#include <algorithm>
#include <numeric>

#include <baton/actor.hpp>
#include "tests/process/keeper.hpp"

namespace {

class Keeper {
public:
    explicit Keeper(baton::Context& context) : context_(&context) {}

    baton::Segment on(keeper::Double command) {
        for (float& element : command.segment.as<float>()) element *= 2;
        return std::move(command.segment);
    }
    void on(keeper::Hold command) { held_.push_back(std::move(command.segment)); }
    std::uint64_t on(keeper::HoldAsked command) {
        held_.push_back(std::move(command.segment));
        return held_.size();
    }
    std::string on(keeper::Spoil) { throw std::runtime_error("the film is torn"); }
    baton::Result<baton::Segment> on(const keeper::GiveBack&) {
        if (held_.empty()) return baton::Error{baton::ErrorKind::refused, "nothing is held here"};
        baton::Segment last = std::move(held_.back());
        held_.pop_back();
        return last;
    }
    double on(keeper::Sum command) { return sum_of(command.pixels.as<float>()); }
    std::uint64_t on(keeper::Fill command) {
        std::ranges::fill(command.rows.as<float>(), command.value);
        return command.rows.first();
    }
    double on(keeper::KeepLease command) {
        lease_ = std::move(command.pixels);
        return static_cast<double>(lease_.as<float>()[0]);
    }
    std::monostate on(const keeper::Drop&) {
        lease_ = {};
        return {};
    }
    baton::Result<keeper::Make::Made> on(const keeper::Make& command) {
        baton::Result<baton::Segment> made = filled(command.shape, command.value);
        if (!made) return made.error();
        return keeper::Make::Made{"fresh", std::move(*made)};
    }
    baton::Result<baton::Lease> on(const keeper::LendMe&) {
        baton::Result<baton::Loan> lent = context_->lend(std::move(held_.back()));
        if (!lent) return lent.error();
        held_.pop_back();
        lent_ = std::move(*lent);
        return lent_.lease();
    }
    baton::Result<baton::Slice> on(const keeper::SliceForMe& command) {
        return lent_.slice(command.first, command.count);
    }
    baton::Result<double> on(const keeper::Reclaim& command) {
        const std::chrono::duration<double> seconds{command.seconds};
        baton::Result<baton::Segment> whole = lent_.reclaim(std::chrono::duration_cast<baton::Duration>(seconds));
        if (!whole) return whole.error();
        held_.push_back(std::move(*whole));
        return sum_of(std::as_const(held_.back()).as<float>());
    }
    std::vector<baton::Segment> on(keeper::Reverse command) {
        std::ranges::reverse(command.segments);
        if (command.maybe) command.segments.push_back(std::move(*command.maybe));
        return std::move(command.segments);
    }
    std::string on(keeper::Forward command) {
        const auto sent = context_->send(command.to, keeper::Hold{std::move(command.segment), "forwarded"});
        return sent ? "sent" : baton::to_text(sent.error());
    }
    void on(const keeper::Show& command) {
        lent_ = context_->lend(filled({1}, 8).value()).value();
        static_cast<void>(
            context_->send(command.audience, keeper::Shown{"a film", filled({1}, 7).value(), lent_.lease().value()}));
    }
    baton::Result<double> on(const keeper::AskBack& command) {
        baton::Result<baton::Segment> improved =
            context_->ask(command.audience, keeper::Improve{filled({1}, 9).value()});
        if (!improved) return improved.error();
        return static_cast<double>(improved->as<float>()[0]);
    }

private:
    static double sum_of(std::span<const float> elements) {
        return std::accumulate(elements.begin(), elements.end(), 0.0);
    }
    baton::Result<baton::Segment> filled(const std::vector<std::uint64_t>& shape, float value) {
        baton::Result<baton::Segment> made = context_->create_array<float>(shape);
        if (made) std::ranges::fill(made->as<float>(), value);
        return made;
    }

    baton::Context* context_;
    std::vector<baton::Segment> held_;
    baton::Loan lent_;
    baton::Lease lease_;
};

}  // namespace

int main(int argc, char** argv) { return baton::run_actor<Keeper, keeper::Protocol>(argc, argv); }
