// The actor of the tests of hand-over.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <numeric>
#include <optional>

#include <baton/actor.hpp>
#include "tests/process/vault.hpp"

namespace {

using namespace std::chrono_literals;

std::int64_t sum_of(std::span<const std::int64_t> elements) {
    return std::accumulate(elements.begin(), elements.end(), std::int64_t{0});
}

class Vault {
public:
    explicit Vault(baton::Context& context) : context_(&context) {
        context.on_bounced([this](baton::Bounced<vault::Keep> back) {
            bounced_.push_back(back.command.number);
            keep(std::move(back.command.item), back.command.number);
            wait_in("bounce");
        });
        context.on_bounced([this](baton::Bounced<vault::Wander> back) {
            bounced_.push_back(back.command.number);
            keep(std::move(back.command.item), back.command.number);
        });
        context.on_exited([this](const baton::Ended& peer) {
            exited_.push_back(peer.name);
            wait_in("exit");
        });
    }

    [[nodiscard]] baton::Deadline next_deadline() const { return due_; }
    void on_deadline() {
        due_ = baton::Deadline::never();
        wait_in("deadline");
    }
    std::string on(const vault::WaitIn& command) {
        waiting_ = command;
        if (command.about) context_->watch(*command.about).value();
        if (command.place == "deadline") due_ = baton::Deadline{context_->now() + 20ms};  // when it has been idle
        if (command.place == "bounce") context_->send(*command.about, vault::Keep{make(1, 1), 1}).value();
        wait_in("on");
        return "";
    }

    void on(vault::Keep command) { keep(std::move(command.item), command.number); }
    std::int64_t on(vault::KeepAll command) {
        if (command.more) command.items.push_back(std::move(*command.more));
        std::int64_t sum = 0;
        for (baton::Segment& item : command.items) {
            sum += sum_of(item.as<std::int64_t>());
            keep(std::move(item));
        }
        return sum;
    }
    baton::Segment on(vault::Change command) {
        for (std::int64_t& element : command.item.as<std::int64_t>()) element += command.add;
        return std::move(command.item);
    }
    void on(vault::Pass command) {
        for (std::int64_t& element : command.item.as<std::int64_t>()) element += 1;
        if (command.route.empty()) return keep(std::move(command.item));
        const vault::Address next = command.route.front();
        command.route.erase(command.route.begin());
        context_->send(next, std::move(command)).value();
    }
    std::uint64_t on(const vault::Make& command) {
        std::uint64_t taken = 0;
        for (std::uint64_t index = 0; index < command.count; ++index) {
            vault::Keep keep{make(command.elements, static_cast<std::int64_t>(index)),
                             static_cast<std::int64_t>(index)};
            if (context_->send(command.to, std::move(keep)).ok()) ++taken;
        }
        if (command.then == "exit") context_->stop();
        if (command.then == "kill") ::kill(::getpid(), SIGKILL);
        if (command.then == "abort") std::abort();
        return taken;
    }
    baton::Segment on(const vault::MakeOne& command) { return make(command.elements, 1); }
    void on(const vault::Flood& command) {
        for (std::int64_t number = 0;; ++number) {
            baton::Result<baton::Segment> segment = context_->create_array<std::int64_t>({command.elements});
            if (!segment) return;
            std::ranges::fill(segment->as<std::int64_t>(), number);
            if (!context_->send(command.to, vault::Keep{std::move(*segment), number})) return;
        }
    }
    std::int64_t on(const vault::Measure& command) { return sum_of(command.item.as<std::int64_t>()); }
    std::int64_t on(vault::KeepLease command) {
        leases_.push_back(std::move(command.item));
        return sum_of(leases_.back().as<std::int64_t>());
    }
    std::uint64_t on(vault::KeepSlice command) {
        slices_.push_back(std::move(command.item));
        return slices_.back().first();
    }
    std::uint64_t on(vault::Fill command) {
        std::ranges::fill(command.item.as<std::int64_t>(), command.value);
        return command.item.first();
    }
    std::vector<std::uint64_t> on(vault::Relax command) {
        const std::span<std::int64_t> mine = command.mine.as<std::int64_t>();
        const std::span<const std::int64_t> own = command.own.as<std::int64_t>();
        const std::uint64_t columns = command.own.shape()[1];
        std::vector<std::uint64_t> firsts{command.mine.first(), command.own.first()};
        for (const auto* edge : {&command.above, &command.below})
            if (*edge) firsts.push_back((*edge)->first());
        for (std::uint64_t index = 0; index < mine.size(); ++index) {
            mine[index] = own[index];
            if (index >= columns) mine[index] += own[index - columns];
            else if (command.above) mine[index] += command.above->as<std::int64_t>()[index];
            if (index + columns < own.size()) mine[index] += own[index + columns];
            else if (command.below) mine[index] += command.below->as<std::int64_t>()[index % columns];
        }
        return firsts;
    }
    std::int64_t on(const vault::LendTo& command) {
        lent_ = context_->lend(make(command.elements, 1)).value();
        return context_->ask(command.to, vault::KeepLease{lent_.lease().value()}).value();
    }
    std::string on(const vault::Reclaim& command) {
        baton::Result<baton::Segment> whole = lent_.reclaim(std::chrono::milliseconds{command.milliseconds});
        if (!whole) return baton::to_text(whole.error());
        keep(std::move(*whole));
        return "whole";
    }
    std::int64_t on(const vault::WriteThroughLease& command) {
        ::signal(SIGSEGV, SIG_DFL);  // a sanitizer would say a lot about it
        const_cast<std::int64_t&>(command.item.as<std::int64_t>()[0]) = 666;
        return 0;
    }
    std::int64_t on(const vault::TouchGiven& command) {
        ::signal(SIGSEGV, SIG_DFL);
        vault::KeepAll gift;
        gift.items.push_back(make(8, 1));
        volatile std::int64_t* const stale = gift.items[0].as<std::int64_t>().data();
        context_->ask(command.to, std::move(gift)).value();
        *stale = 666;
        return 0;
    }
    vault::Summary on(const vault::Report&) {
        vault::Summary summary;
        for (const Kept& kept : kept_) {
            const auto elements = kept.item.as<std::int64_t>();
            summary.sum += sum_of(elements);
            if (kept.number && !std::ranges::all_of(elements, [&](std::int64_t one) { return one == *kept.number; }))
                ++summary.torn;
        }
        summary.kept = kept_.size();
        summary.bounced = bounced_;
        summary.leases = leases_.size();
        summary.exited = exited_;
        return summary;
    }
    void on(const vault::Drop&) {
        kept_.clear();
        occupied_.clear();
        leases_.clear();
        slices_.clear();
        lent_ = {};
    }
    std::string on(const vault::Block& command) {
        const int fd = ::open(command.fifo.c_str(), O_RDONLY);
        ::close(fd);
        return "released";
    }
    std::uint64_t on(const vault::Occupy& command) {
        std::uint64_t got = 0;
        for (; got < command.count; ++got) {
            baton::Result<baton::Segment> segment = context_->create_segment(command.bytes, 0s);
            if (!segment) break;
            occupied_.push_back(std::move(*segment));
        }
        return got;
    }
    void on(vault::Wander command) {
        std::vector<vault::Address> left = command.among;
        if (command.hops > 0) --command.hops;
        else left.clear();
        while (!left.empty()) {
            command.chance = command.chance * 6'364'136'223'846'793'005ULL + 1'442'695'040'888'963'407ULL;
            const auto next = left.begin() + static_cast<std::ptrdiff_t>((command.chance >> 33) % left.size());
            const vault::Address to = *next;
            left.erase(next);
            if (to.id != context_->id() && context_->send(to, std::move(command)).ok()) return;
        }
        keep(std::move(command.item), command.number);
    }
    std::uint64_t on(const vault::HowMany&) { return kept_.size(); }
    std::uint64_t on(const vault::Churn& command) {
        std::uint64_t made = 0;
        for (; made < command.count; ++made)
            if (!context_->create_array<std::int64_t>({command.elements}, 0s)) break;
        return made;
    }
    std::uint64_t on(const vault::GiveOccupied& command) {
        std::uint64_t taken = 0;
        for (baton::Segment& segment : occupied_) {
            const auto number = static_cast<std::int64_t>(taken);
            segment.reshape({"<i8", {segment.size_bytes() / 8}}).value();
            std::ranges::fill(segment.as<std::int64_t>(), number);
            if (!context_->send(command.to, vault::Keep{std::move(segment), number})) break;
            ++taken;
        }
        occupied_.clear();
        return taken;
    }
    baton::Segment on(vault::MarkEnds command) {
        const auto elements = command.item.as<std::int64_t>();
        elements.front() = elements.back() = command.value;
        return std::move(command.item);
    }

private:
    struct Kept {
        baton::Segment item;
        std::optional<std::int64_t> number;
    };
    void wait_in(std::string_view place) {
        if (!waiting_ || waiting_->place != place) return;
        const vault::WaitIn wait = *std::exchange(waiting_, std::nullopt);
        if (wait.how == "reclaim") {
            baton::Loan lent = context_->lend(make(1, 1)).value();
            auto lease = context_->request(wait.other, vault::KeepLease{lent.lease().value()}).value();
            auto dropped = context_->request(wait.other, vault::Block{wait.fifo}).value();
            context_->send(wait.other, vault::Drop{}).value();
            static_cast<void>(lent.reclaim(60s).value());
        } else if (wait.how == "wait_for") {
            auto blocked = context_->request(wait.other, vault::Block{wait.fifo}).value();
            context_->wait_for([&] { return blocked.is_settled(); }, 60s).value();
        } else {
            static_cast<void>(context_->ask(wait.other, vault::Block{wait.fifo}, 60s));
        }
    }
    void keep(baton::Segment item, std::optional<std::int64_t> number = {}) {
        kept_.push_back({std::move(item), number});
    }
    baton::Segment make(std::uint64_t elements, std::int64_t value) {
        baton::Segment segment = context_->create_array<std::int64_t>({elements}).value();
        std::ranges::fill(segment.as<std::int64_t>(), value);
        return segment;
    }
    baton::Context* context_;
    std::vector<Kept> kept_;
    std::vector<baton::Segment> occupied_;
    std::vector<baton::Lease> leases_;
    std::vector<baton::Slice> slices_;
    baton::Loan lent_;
    std::vector<std::int64_t> bounced_;
    std::vector<std::string> exited_;
    std::optional<vault::WaitIn> waiting_;
    baton::Deadline due_ = baton::Deadline::never();
};

}  // namespace

int main(int argc, char** argv) { return baton::run_actor<Vault, vault::Protocol>(argc, argv); }
