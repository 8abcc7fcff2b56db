#include "tests/simulation/seeded/player.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "tests/simulation/seeded/world.hpp"

namespace seeded {
namespace {

constexpr std::uint64_t words_per_segment = 8;
constexpr unsigned players_max = 8;

}  // namespace

Player::Player(World& world, Context& context)
    : world_(world), context_(context), actions_left_(world.dice.between(4, 24)) {
    world_.players.ready.push_back(AnyRef{context.self<PlayerProtocol>()});
    world_.players.busy.insert(context.id());
    next_ = Deadline::in(context.clock(), world_.dice.microseconds(0, 3'000));
    context_.on_bounced([this](Bounced<Gift> back) {
        world_.judge.returned(back.command.letter, context_.id());
        const std::uint64_t stamp = back.command.segment.as<std::uint64_t>()[0];
        world_.judge.holds(stamp, context_.id());
        mine_.push_back({stamp, std::move(back.command.segment)});
    });
    context_.on_bounced([this](Bounced<Loaned> back) { world_.judge.returned(back.command.letter, context_.id()); });
}

Player::~Player() {
    for (const Mine& one : mine_) world_.judge.releases(one.stamp, context_.id());
    world_.players.busy.erase(context_.id());
}

Player::Peer Player::somebody() {
    std::vector<AnyRef> others;
    for (const AnyRef& one : world_.players.ready)
        if (one.id != context_.id()) others.push_back(one);
    if (others.empty()) return {};
    const AnyRef& chosen = others[world_.dice.below(others.size())];
    return Peer{chosen.id, chosen.session};
}

// ---- what comes ------------------------------------------------------------------------------------

void Player::on(Note note) {
    world_.judge.handled(note.letter, context_.id());
    if (world_.dice.happens(5)) world_.kernel.pause();
}

std::uint64_t Player::on(Question question) {
    world_.judge.handled(question.letter, context_.id());
    if (world_.dice.happens(10)) world_.kernel.pause();
    return Judge::answer_to(question.letter);
}

void Player::on(Gift gift) {
    world_.judge.handled(gift.letter, context_.id());
    const std::span<std::uint64_t> words = gift.segment.as<std::uint64_t>();
    const std::uint64_t stamp = words[0];
    world_.judge.holds(stamp, context_.id());
    for (std::size_t index = 1; index < words.size(); ++index)
        if (words[index] != stamp * index)
            return world_.judge.breaks(fmt::format("segment {} has other content", stamp));
    mine_.push_back({stamp, std::move(gift.segment)});
}

void Player::on(Loaned loaned) {
    world_.judge.handled(loaned.letter, context_.id());
    if (loaned.lease.as<std::uint64_t>()[0] != loaned.stamp)
        world_.judge.breaks(fmt::format("the lease of segment {} has other content", loaned.stamp));
    if (actions_left_ > 0 && world_.dice.happens(50)) borrowed_.push_back(std::move(loaned.lease));
}

// ---- what it does ----------------------------------------------------------------------------------

void Player::on_deadline() {
    next_ = Deadline::never();
    if (actions_left_ > 0) {
        --actions_left_;
        act();
    }
    if (actions_left_ == 0) borrowed_.clear();
    if (actions_left_ > 0 || asked_ > 0 || !lent_.empty()) {
        next_ = Deadline::in(context_.clock(), world_.dice.microseconds(0, 4'000));
        if (actions_left_ == 0 && !lent_.empty()) take_back_loan();
    } else {
        world_.players.busy.erase(context_.id());
    }
}

void Player::act() {
    const std::uint64_t what = world_.dice.below(100);
    if (what < 30) write_notes();
    else if (what < 45) ask_later();
    else if (what < 52) ask_now();
    else if (what < 70) give();
    else if (what < 80) lend();
    else if (what < 86) take_back_loan();
    else if (what < 91) start_another();
    else if (what < 94) stop_somebody();
    else if (what < 96) end_something();
    else if (what < 99) do_nothing();
    else context_.stop();
}

void Player::write_notes() {
    const Peer to = somebody();
    if (!to.id.is_somebody()) return;
    for (std::uint64_t count = world_.dice.between(1, 4); count > 0; --count) {
        const std::uint64_t letter = world_.judge.sends(Judge::Kind::note, context_.id(), to.id);
        world_.judge.sent(letter, context_.send(to, Note{letter}).ok());
    }
    world_.mischief.may_strike();
}

void Player::ask_later() {
    const Peer to = somebody();
    if (!to.id.is_somebody()) return;
    const std::uint64_t letter = world_.judge.sends(Judge::Kind::question, context_.id(), to.id);
    Result<Pending<std::uint64_t>> pending = context_.request(to, Question{letter});
    world_.judge.sent(letter, pending.ok());
    if (!pending) return;
    ++asked_;
    pending->then(
        [this, letter](const Result<std::uint64_t>& reply) {
            --asked_;
            note_answer(letter, reply);
        },
        world_.dice.microseconds(1'000, 500'000));
}

void Player::ask_now() {
    const Peer to = somebody();
    if (!to.id.is_somebody()) return;
    const std::uint64_t letter = world_.judge.sends(Judge::Kind::question, context_.id(), to.id);
    const Result<std::uint64_t> reply = context_.ask(to, Question{letter}, world_.dice.microseconds(500, 200'000));
    world_.judge.sent(letter, true);
    note_answer(letter, reply);
}

void Player::note_answer(std::uint64_t letter, const Result<std::uint64_t>& reply) {
    world_.judge.answered(letter, reply.ok(), reply ? *reply : 0, reply ? ErrorKind::failed : reply.error().kind);
}

bool Player::make_segment() {
    Result<Segment> made = context_.create_array<std::uint64_t>(words_per_segment, Duration{});
    if (!made) return false;
    const std::uint64_t stamp = world_.judge.creates(context_.id());
    const std::span<std::uint64_t> words = made->as<std::uint64_t>();
    words[0] = stamp;
    for (std::size_t index = 1; index < words.size(); ++index) words[index] = stamp * index;
    mine_.push_back({stamp, std::move(*made)});
    return true;
}

void Player::give() {
    const Peer to = somebody();
    if (!to.id.is_somebody() || (mine_.empty() && !make_segment())) return;
    Mine one = std::move(mine_.back());
    mine_.pop_back();
    const std::uint64_t letter = world_.judge.sends(Judge::Kind::gift, context_.id(), to.id);
    world_.judge.departs(one.stamp, context_.id(), to.id);
    Gift gift{letter, std::move(one.segment)};
    const Result<void> sent = context_.send(to, std::move(gift));
    world_.judge.sent(letter, sent.ok());
    if (sent) return world_.mischief.may_strike();
    world_.judge.holds(one.stamp, context_.id());
    mine_.push_back({one.stamp, std::move(gift.segment)});
}

void Player::lend() {
    const Peer to = somebody();
    if (!to.id.is_somebody() || (mine_.empty() && !make_segment())) return;
    Mine one = std::move(mine_.back());
    mine_.pop_back();
    Result<Loan> loan = context_.lend(std::move(one.segment));
    if (!loan) return world_.judge.breaks(fmt::format("segment {} could not be lent", one.stamp));
    Result<Lease> lease = loan->lease();
    if (!lease) return world_.judge.breaks(fmt::format("segment {} could not be leased", one.stamp));
    const std::uint64_t letter = world_.judge.sends(Judge::Kind::loan, context_.id(), to.id);
    world_.judge.sent(letter, context_.send(to, Loaned{letter, one.stamp, std::move(*lease)}).ok());
    lent_.push_back({one.stamp, std::move(*loan)});
}

void Player::take_back_loan() {
    if (lent_.empty()) return;
    Result<Segment> back = lent_.back().loan.reclaim(world_.dice.microseconds(100, 20'000));
    if (!back) return;
    mine_.push_back({lent_.back().stamp, std::move(*back)});
    lent_.pop_back();
}

void Player::start_another() {
    if (world_.players.started >= players_max) return;
    const std::string name = fmt::format("p{}", ++world_.players.started);
    world_.judge.asks_for(name);
    Result<Pending<Peer>> spawning =
        context_.spawn_later<PlayerProtocol>({.program = "/bin/true", .name = name, .arguments = {name}});
    if (!spawning) return;
    ++asked_;
    spawning->then(
        [this, name](const Result<Peer>& spawned) {
            --asked_;
            world_.judge.told_of_spawn(name, spawned.ok(), spawned ? ErrorKind::failed : spawned.error().kind);
        },
        std::chrono::seconds{5});
}

void Player::stop_somebody() {
    const Peer whom = somebody();
    if (!whom.id.is_somebody()) return;
    Result<Pending<std::vector<Ended>>> stopping = context_.stop_later({AnyRef{whom}}, std::chrono::milliseconds{500});
    if (!stopping) return;
    ++asked_;
    stopping->then([this](const Result<std::vector<Ended>>&) { --asked_; }, std::chrono::seconds{5});
}

// Its own code waits, and looks at no inbox.
void Player::do_nothing() {
    static_cast<void>(context_.wait_for([] { return false; }, world_.dice.microseconds(1'000, 40'000)));
}

void Player::end_something() {
    if (!borrowed_.empty()) {
        borrowed_.pop_back();
    } else if (!mine_.empty()) {
        world_.judge.releases(mine_.back().stamp, context_.id());
        mine_.pop_back();
    }
}

}  // namespace seeded
