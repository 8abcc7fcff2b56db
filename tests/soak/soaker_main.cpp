#include <dirent.h>

#include <csignal>
#include <cstdio>
#include <deque>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>

#include <baton/sync/condition.hpp>
#include <baton/sync/lock.hpp>
#include <baton/actor.hpp>
#include "tests/soak/journal.hpp"
#include "tests/soak/soaker.hpp"

namespace {

using namespace std::chrono_literals;
using soaker::Event;

// Where in the user's code a wait happens; judge.py knows the numbers.
enum class Place : std::uint32_t { constructor = 1, on, on_deadline, on_bounced, on_exited };

// The thread of ZeroMQ that writes to sockets sleeps, so all that was sent over open connections has left the process.
bool has_left() {
    const std::unique_ptr<DIR, int (*)(DIR*)> tasks{::opendir("/proc/self/task"), &::closedir};
    if (tasks == nullptr) return false;
    while (const dirent* entry = ::readdir(tasks.get())) {
        std::ifstream file{std::string("/proc/self/task/") + entry->d_name + "/stat"};
        std::string text;
        std::getline(file, text);
        const std::size_t name = text.find("ZMQbg/IO");
        if (name != std::string::npos && text.find(") S", name) == std::string::npos) return false;
    }
    return true;
}

class Soaker {
    // Every wait stands in the journal with its deadline, before and after.
    template <class Wait>
    auto waited(const Wait& wait) {
        const auto deadline = std::chrono::milliseconds{1 + below(one_in(4) ? 600 : 60)};
        return waited_for(deadline, wait);
    }
    template <class Wait>
    auto waited_for(baton::Duration deadline, const Wait& wait) {
        const std::uint64_t number = ++waits_;
        journal_.write(Event::waiting, number, static_cast<std::uint32_t>(place_),
                       static_cast<std::uint64_t>(soaker::Journal::now() + deadline.count()));
        auto result = wait(deadline);
        journal_.write(Event::waited, number, static_cast<std::uint32_t>(place_),
                       result.ok() ? 0 : 1 + static_cast<std::uint64_t>(result.error().kind));
        return result;
    }

public:
    explicit Soaker(baton::Context& context)
        : context_(&context),
          index_(static_cast<std::uint32_t>(std::stoul(context.arguments()[0]))),
          journal_(context.arguments()[2], index_),
          chance_(std::stoull(context.arguments()[1])) {
        context.on_bounced([this](baton::Bounced<soaker::Give> bounced) {
            const At at{*this, Place::on_bounced};
            came_back(std::move(bounced.command.item), bounced.command.token, bounced.command.hop);
            wait_somehow(2);
        });
        context.on_exited([this](const baton::Ended& exited) {
            const At at{*this, Place::on_exited};
            std::erase_if(others_, [&](const soaker::Acquaintance& one) { return one.address == exited.actor; });
            wait_somehow(2);
        });
        // An actor may wait before it is ready.
        if (one_in(2)) {
            static_cast<void>(waited([&](baton::Duration) {
                return context_->find<soaker::Protocol>("soaker-" + std::to_string(below(index_ + 1)));
            }));
        }
        make();
        place_ = Place::on_deadline;
        next_ = baton::Deadline{context.now()};
    }

    [[nodiscard]] baton::Deadline next_deadline() const { return is_quiet_ ? baton::Deadline::never() : next_; }
    void on_deadline() {
        const At at{*this, Place::on_deadline};
        next_ = baton::Deadline{context_->now() + std::chrono::microseconds{below(8'000)}};
        move();
    }

    void on(soaker::Meet command) {
        others_.clear();
        for (soaker::Acquaintance& other : command.others)
            if (other.index != index_) others_.push_back(other);
        if (!lock_) {
            lock_ = std::make_unique<baton::sync::Lock<>>(*context_, command.lock);
            condition_ = std::make_unique<baton::sync::Condition<>>(*context_, command.condition, *lock_);
        }
    }
    void on(soaker::Give command) {
        take(std::move(command.item), command.token, command.hop, command.from);
        const At at{*this, Place::on};
        wait_somehow(40);
    }
    std::uint64_t on(soaker::GiveAsked command) {
        const std::uint64_t hop = command.hop;
        take(std::move(command.item), command.token, hop, command.from);
        return hop;
    }
    bool on(soaker::Look command) {
        const std::span<const std::uint64_t> words = command.item.as<std::uint64_t>();
        return words[0] == command.token && words[1] == command.hop && words.back() == command.token;
    }
    std::uint64_t on(soaker::Fill command) {
        std::ranges::fill(command.part.as<std::uint64_t>(), command.value);
        return command.part.as<std::uint64_t>().size();
    }
    void on(const soaker::Note& command) {
        journal_.write(Event::noted, 0, command.from, command.number);
        const At at{*this, Place::on};
        wait_somehow(200);
    }
    std::uint64_t on(const soaker::Ping& command) {
        const At at{*this, Place::on};
        if (command.depth > 0) ping(command.depth - 1);
        return command.number + 1;
    }
    std::monostate on(const soaker::Quiet&) {
        is_quiet_ = true;
        pending_.clear();
        const At at{*this, Place::on};
        reclaim_all(2s);
        journal_.write(Event::quiet, 0);
        return {};
    }
    baton::Result<std::monostate> on(const soaker::Settle& command) {
        for (const soaker::Acquaintance& other : command.others) {
            if (other.index == index_) continue;
            const auto answered = context_->ask(other.address, soaker::Ping{}, 30s);
            if (!answered && answered.error().kind != baton::ErrorKind::gone) return answered.error();
        }
        return std::monostate{};
    }
    std::uint64_t on(const soaker::Report&) {
        reclaim_all(2s);
        for (const Held& held : held_) {
            verify(held);
            journal_.write(Event::holds, held.token, 0, held.hop);
        }
        for (const auto& [token, lent] : lent_) journal_.write(Event::holds, token, 0, lent.hop);
        return held_.size() + lent_.size();
    }

private:
    struct Held {
        baton::Segment item;
        std::uint64_t token = 0;
        std::uint64_t hop = 0;
    };
    struct LentOut {
        baton::Loan lent;
        std::uint64_t hop = 0;
    };
    struct At {
        At(Soaker& soaker, Place place) : soaker_(soaker), before_(std::exchange(soaker.place_, place)) {}
        ~At() { soaker_.place_ = before_; }
        At(const At&) = delete;
        At& operator=(const At&) = delete;

    private:
        Soaker& soaker_;
        Place before_;
    };

    std::uint64_t below(std::uint64_t bound) {
        return std::uniform_int_distribution<std::uint64_t>{0, bound - 1}(chance_);
    }
    bool one_in(std::uint64_t bound) { return below(bound) == 0; }
    const soaker::Acquaintance* somebody() { return others_.empty() ? nullptr : &others_[below(others_.size())]; }

    // ---- segments

    void stamp(baton::Segment& item, std::uint64_t token, std::uint64_t hop) {
        const std::span<std::uint64_t> words = item.as<std::uint64_t>();
        words[0] = token;
        words[1] = hop;
        words.back() = token;
    }
    void verify(const Held& held) {
        const std::span<const std::uint64_t> words = held.item.as<std::uint64_t>();
        if (words[0] != held.token || words[1] != held.hop || words.back() != held.token)
            journal_.write(Event::torn, held.token, 0, words[0] != held.token ? words[0] : words[1]);
    }
    void make() {
        const std::uint64_t elements = std::uint64_t{8} << below(12);
        auto item = waited(
            [&](baton::Duration deadline) { return context_->create_array<std::uint64_t>({elements}, deadline); });
        if (!item) return;
        const std::uint64_t token = std::uint64_t{index_} << 32 | ++made_;
        stamp(*item, token, 1);
        journal_.write(Event::made, token, 0, 1);
        held_.push_back({std::move(*item), token, 1});
    }
    void take(baton::Segment item, std::uint64_t token, std::uint64_t hop, std::uint32_t from) {
        Held held{std::move(item), token, hop};
        journal_.write(Event::took, token, from, hop);
        verify(held);
        held_.push_back(std::move(held));
    }
    void came_back(baton::Segment item, std::uint64_t token, std::uint64_t hop) {
        journal_.write(Event::back, token, 0, hop);
        held_.push_back({std::move(item), token, hop});
        verify(held_.back());
    }
    std::optional<Held> hand() {
        if (held_.empty()) return std::nullopt;
        std::swap(held_[below(held_.size())], held_.back());
        Held held = std::move(held_.back());
        held_.pop_back();
        verify(held);
        stamp(held.item, held.token, ++held.hop);
        return held;
    }
    void keep(baton::Segment item, std::uint64_t token, std::uint64_t hop) {
        journal_.write(Event::kept, token, 0, hop);
        held_.push_back({std::move(item), token, hop});
    }
    void give(const soaker::Acquaintance& to) {
        std::optional<Held> held = hand();
        if (!held) return;
        soaker::Give command{std::move(held->item), held->token, held->hop, index_};
        journal_.write(Event::giving, held->token, to.index, held->hop);
        const auto sent =
            waited([&](baton::Duration deadline) { return context_->send(to.address, std::move(command), deadline); });
        if (sent) return journal_.write(Event::gave, held->token, to.index, held->hop);
        keep(std::move(command.item), held->token, held->hop);
    }
    void give_asked(const soaker::Acquaintance& to) {
        std::optional<Held> held = hand();
        if (!held) return;
        soaker::GiveAsked command{std::move(held->item), held->token, held->hop, index_};
        journal_.write(Event::giving, held->token, to.index, held->hop);
        static_cast<void>(
            waited([&](baton::Duration deadline) { return context_->ask(to.address, std::move(command), deadline); }));
        if (!command.item) return journal_.write(Event::gave, held->token, to.index, held->hop);
        keep(std::move(command.item), held->token, held->hop);
    }
    void burst() {
        const soaker::Acquaintance* chosen = somebody();
        if (chosen == nullptr) return;
        const soaker::Acquaintance to = *chosen;
        // Only over a connection that has been used is what was sent known to have left.
        const bool is_connected =
            waited([&](baton::Duration deadline) { return context_->ask(to.address, soaker::Ping{}, deadline); }).ok();
        const std::uint64_t count = 2 + below(50);
        for (std::uint64_t number = 0; number < count; ++number) {
            make();
            give(to);
        }
        if (!one_in(3)) return;
        if (is_connected && has_left()) journal_.write(Event::settled, 0, to.index);
        journal_.write(Event::dying, 0);
        ::kill(::getpid(), SIGKILL);
    }
    void lend() {
        std::optional<Held> held = hand();
        if (!held) return;
        auto lent = context_->lend(std::move(held->item));
        if (!lent) return keep(std::move(held->item), held->token, held->hop);
        LentOut& out = lent_[held->token] = {std::move(*lent), held->hop};
        std::vector<baton::Pending<bool>> looks;
        for (std::uint64_t reader = 1 + below(3); reader > 0; --reader) {
            const soaker::Acquaintance* to = somebody();
            baton::Result<baton::Lease> lease = out.lent.lease();
            if (to == nullptr || !lease) break;
            auto look = context_->request(to->address, soaker::Look{std::move(*lease), held->token, held->hop}, 20ms);
            if (look) looks.push_back(std::move(*look));
        }
        for (baton::Pending<bool>& look : looks) {
            const auto seen = waited([&](baton::Duration deadline) { return look.get(deadline); });
            if (seen && !*seen) journal_.write(Event::torn, held->token);
        }
        reclaim(held->token, 20ms);
    }
    void slice() {
        std::optional<Held> held = hand();
        if (!held) return;
        const std::uint64_t elements = held->item.shape()[0];
        auto lent = context_->lend(std::move(held->item));
        if (!lent) return keep(std::move(held->item), held->token, held->hop);
        LentOut& out = lent_[held->token] = {std::move(*lent), held->hop};
        // The stamp stays: the first two elements and the last.
        const std::uint64_t half = elements / 2;
        std::vector<baton::Pending<std::uint64_t>> fills;
        for (const auto& [first, count] :
             {std::pair{std::uint64_t{2}, half - 2}, std::pair{half, elements - half - 1}}) {
            const soaker::Acquaintance* to = somebody();
            baton::Result<baton::Slice> part = out.lent.slice(first, count);
            if (to == nullptr || !part) break;
            auto fill = context_->request(to->address, soaker::Fill{std::move(*part), held->token}, 20ms);
            if (fill) fills.push_back(std::move(*fill));
        }
        for (baton::Pending<std::uint64_t>& fill : fills)
            static_cast<void>(waited([&](baton::Duration deadline) { return fill.get(deadline); }));
        reclaim(held->token, 20ms);
    }
    void reclaim(std::uint64_t token, baton::Duration deadline) {
        const auto found = lent_.find(token);
        if (found == lent_.end()) return;
        auto whole = waited_for(deadline, [&](baton::Duration at_most) { return found->second.lent.reclaim(at_most); });
        if (!whole) return;
        held_.push_back({std::move(*whole), token, found->second.hop});
        verify(held_.back());
        lent_.erase(found);
    }
    void reclaim_all(baton::Duration deadline) {
        std::vector<std::uint64_t> tokens;
        for (const auto& [token, lent] : lent_) tokens.push_back(token);
        for (const std::uint64_t token : tokens) reclaim(token, deadline);
    }
    void release() {
        std::optional<Held> held = hand();
        if (held) journal_.write(Event::ended, held->token);
    }

    // ---- messages and waits

    void ping(std::uint32_t depth) {
        const soaker::Acquaintance* to = somebody();
        if (to == nullptr) return;
        const soaker::Address address = to->address;
        static_cast<void>(
            waited([&](baton::Duration deadline) { return context_->ask(address, soaker::Ping{1, depth}, deadline); }));
    }
    void notes() {
        const soaker::Acquaintance* chosen = somebody();
        if (chosen == nullptr) return;
        const soaker::Acquaintance to = *chosen;
        std::uint64_t& last = notes_[to.index];
        const std::uint64_t end = last + 1 + below(300);
        while (last < end) {
            journal_.write(Event::sending_notes, 0, to.index, last + 1);
            if (!context_->send(to.address, soaker::Note{last + 1, index_}, 50ms)) return;
            ++last;
            journal_.write(Event::sent_notes, 0, to.index, last);
        }
    }
    void lock() {
        if (!lock_) return;
        auto hold = waited([&](baton::Duration deadline) { return lock_->acquire(deadline); });
        if (!hold) return;
        journal_.write(Event::locked, 1);
        switch (below(4)) {
            case 0: ping(0); break;
            case 1: static_cast<void>(condition_->notify_all()); break;
            case 2:
                journal_.write(Event::unlocking, 1);
                if (waited([&](baton::Duration deadline) { return condition_->wait(deadline); }) || lock_->is_held())
                    journal_.write(Event::locked, 1);
                break;
            default: break;
        }
        if (lock_->is_held()) journal_.write(Event::unlocking, 1);
        static_cast<void>(hold->release());
    }
    void pause() {
        static_cast<void>(
            waited([&](baton::Duration deadline) { return context_->wait_for([] { return false; }, deadline); }));
    }
    void wait_somehow(std::uint64_t one_of) {
        if (is_quiet_ || !one_in(one_of)) return;
        if (one_in(2)) ping(static_cast<std::uint32_t>(below(2)));
        else pause();
    }
    void request_later() {
        const soaker::Acquaintance* to = somebody();
        if (to == nullptr) return;
        auto asked = context_->request(to->address, soaker::Ping{2, 0}, 20ms);
        if (asked) pending_.push_back(std::move(*asked));
        if (pending_.size() < 4) return;
        if (one_in(2))
            static_cast<void>(waited([&](baton::Duration deadline) { return pending_.front().get(deadline); }));
        pending_.pop_front();  // or nobody hears the answer
    }

    void move() {
        if (held_.size() > 60) return release();
        const soaker::Acquaintance* to = somebody();
        switch (below(16)) {
            case 0: return make();
            case 1:
            case 2:
            case 3:
                if (to != nullptr) give(soaker::Acquaintance{*to});
                return;
            case 4:
                if (to != nullptr) give_asked(soaker::Acquaintance{*to});
                return;
            case 5:
                if (one_in(6)) burst();
                return;
            case 6: return lend();
            case 7: return slice();
            case 8:
            case 9: return ping(static_cast<std::uint32_t>(below(3)));
            case 10: return notes();
            case 11:
            case 12: return lock();
            case 13: return release();
            case 14: return pause();
            default: return request_later();
        }
    }

    baton::Context* context_;
    std::uint32_t index_;
    soaker::Journal journal_;
    std::mt19937_64 chance_;
    Place place_ = Place::constructor;
    baton::Deadline next_;
    bool is_quiet_ = false;
    std::vector<soaker::Acquaintance> others_;
    std::vector<Held> held_;
    std::map<std::uint64_t, LentOut> lent_;
    std::deque<baton::Pending<std::uint64_t>> pending_;
    std::map<std::uint32_t, std::uint64_t> notes_;  // the last one sent, by whom it went to
    std::unique_ptr<baton::sync::Lock<>> lock_;
    std::unique_ptr<baton::sync::Condition<>> condition_;
    std::uint64_t made_ = 0;
    std::uint64_t waits_ = 0;
};

}  // namespace

// SOAKER INDEX SEED FOLDER
int main(int argc, char** argv) { return baton::run_actor<Soaker, soaker::Protocol>(argc, argv); }
