#include "runtime/testing/stage.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <stdexcept>

namespace baton::detail {
namespace {

// One process may have several stages, one after the other or at once.
std::string fresh_id() {
    static std::atomic<unsigned> count = 0;
    return fmt::format("test{:04x}-{}", ++count & 0xFFFF, ::getpid());  // its first eight letters are what a Ref knows
}

}  // namespace

Stage::Stage(std::size_t link_frames_max)
    : network(link_frames_max), session_id_(fresh_id()), memory_(fmt::format("baton-{}-", session_id_)),
      vitals_(Vitals::create(session_id_).value()) {
    network.on_wait = [this](Duration at_most) { let_others_run(at_most); };
}

Stage::~Stage() = default;

void Stage::add_memory(std::uint64_t budget_bytes) {
    region.emplace(LedgerRegion::create(session_id_, budget_bytes).value());
    region->ledger().lives.give(coordinator_id, budget_bytes).value();
}

// ---- members ----------------------------------------------------------------------------------------

void Stage::enter(StageMember& member, Registrar::Row row) {
    member.loop.be_in(SessionTag::of(session_id_));
    member.loop.control().open("coordinator").value();
    vitals_->prepare(member.id).value();
    member.loop.attach(*vitals_, OwnVitals::open(*vitals_, member.id).value());
    if (region) {
        region->ledger().lives.give(member.id, ~std::uint64_t{0}).value();
        member.holdings = std::make_shared<Holdings>(LedgerRegion::open(session_id_).value(), session_id_, member.id,
                                                     clock, Store::Idle::accessible);
        member.loop.attach(*member.holdings);
    }
    member.transport.bind(address_of(member.id)).value();
    registrar_.rows().emplace(member.id, std::move(row));
    members_.push_back(&member);
    // So that the registrar knows its control lane.
    Buffer nothing;
    Encoder{nothing}.map(0);
    member.loop.send(coordinator_id, "Ready", nothing, std::chrono::seconds{1}, Loop::Urgency::now).value();
    registrar_.run();
}

StageMember* Stage::find(ActorId id) noexcept {
    const auto found = std::ranges::find(members_, id, &StageMember::id);
    return found == members_.end() ? nullptr : *found;
}

std::vector<DeadLetter> Stage::unread_of(ActorId id) const {
    std::vector<DeadLetter> unread;
    for (const StageMember* other : members_)
        if (const std::uint64_t count = other->id == id ? 0 : vitals_->waiting(other->id, id); count > 0)
            unread.push_back({other->loop.name(), "", count});
    return unread;
}

void Stage::end(ActorId id, Exit exit) {
    StageMember* member = find(id);
    if (member == nullptr) return;
    std::vector<ActorId> children;
    for (const auto& [child, row] : registrar_.rows())
        if (row.parent == id && !row.program.empty()) children.push_back(child);
    for (auto child = children.rbegin(); child != children.rend(); ++child)
        end(*child, Exit{ExitKind::signalled, SIGKILL, "", "", {}, {}});

    const bool was_killed = exit.kind != ExitKind::stopped && exit.kind != ExitKind::left;
    if (was_killed && exit.dead_letters.empty()) exit.dead_letters = unread_of(id);
    if (was_killed && exit.in_hand.empty()) exit.in_hand = vitals_->in_hand(id).value_or("");
    registrar_.rows().at(id).exit = std::move(exit);
    std::erase(members_, member);
    member->is_dead = true;
    member->transport.cut();  // what it has sent stays on its way
    if (!member->is_busy) member->on_end();
    if (member->holdings) {
        member->holdings->release_all();
        region->ledger().lives.take(id);
    }
    vitals_->note_exit(id);
    registrar_.tell_exit(id);
}

// ---- turns and time -----------------------------------------------------------------------------------

void Stage::run(StageMember& member) {
    if (member.is_busy || member.is_frozen || member.is_dead) return;
    Loop::Waited waited = Loop::Waited::deadline;
    {
        const BusyMember busy{member};
        member.is_running = true;
        try {
            waited = member.loop.serve(&member.handler(), [] { return false; }, Deadline{clock.now()});
        } catch (const MemberKilled&) {
        } catch (...) {
            member.on_throw();
        }
        member.is_running = false;
    }
    if (member.is_dead) member.on_end();
    else if (waited == Loop::Waited::stopping) member.on_stop();
}

void Stage::run_others() {
    registrar_.run();
    const std::vector<StageMember*> all = members_;  // one may end or enter during this
    for (StageMember* member : all)
        if (std::ranges::find(members_, member) != members_.end()) run(*member);
    registrar_.run();
}

void Stage::run_until_idle() {
    for (std::uint64_t before = progress() + 1; before != progress();) {
        before = progress();
        run_others();
    }
}

Deadline Stage::next_timer() {
    Deadline next = registrar_.next_deadline();
    std::vector<int> ignored;
    for (StageMember* member : members_) {
        if (member->is_busy || member->is_frozen) continue;
        for (const Deadline one :
             {member->loop.would_wait_for(&member->handler(), ignored), member->handler().next_deadline()})
            if (!one.has_passed(clock)) next = next.or_earlier(one);
    }
    return next;
}

void Stage::let_others_run(Duration at_most) {
    if (at_most == Duration::zero()) return;  // only a look, and what is there is there already
    const std::uint64_t before = progress();
    run_others();
    if (progress() != before) return;
    const Deadline next = next_timer().or_earlier(Deadline::in(clock, at_most));
    if (next.is_never()) throw std::logic_error("a wait that nothing can end");
    clock.advance(next.left(clock));
}

void Stage::advance(Duration by) {
    const Deadline end = Deadline::in(clock, by);
    for (;;) {
        run_until_idle();
        const Deadline next = next_timer();
        if (next.is_never() || next.at() > end.at()) break;
        clock.advance(next.left(clock));
    }
    clock.advance(end.left(clock));
    run_until_idle();
}

void Stage::rethrow_kept() {
    if (kept_ != nullptr) std::rethrow_exception(std::exchange(kept_, nullptr));
}

}  // namespace baton::detail
