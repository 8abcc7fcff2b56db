#include <baton/observer.hpp>

#include <algorithm>
#include <map>

#include "runtime/holdings/region.hpp"
#include "runtime/inbox/access.hpp"
#include "runtime/inbox/call.hpp"
#include "runtime/lanes/bells.hpp"
#include "runtime/process/process_facts.hpp"
#include "runtime/vitals/vitals.hpp"

namespace baton {

using namespace detail;

struct Observer::Memory {
    Vitals vitals;
    LedgerRegion region;
    Bells bells;
};

namespace {

// The coordinator keeps no row of itself. It has answered a moment ago, so it is not frozen.
RosterRow row_of_coordinator(pid_t pid, SessionTag session) {
    RosterRow row;
    row.actor = AnyRef{coordinator_id, session};
    row.name = "coordinator";
    row.pid = static_cast<std::uint64_t>(pid);
    row.state = "ready";
    return row;
}

// By the number of the owner. Any process of the session may write there: it is a figure, and no more.
std::map<ActorNumber, std::uint64_t> bytes_held(const Ledger& ledger) {
    std::map<ActorNumber, std::uint64_t> bytes;
    for (Slot slot = 0; slot < ledger.segment_blocks.rows_used(); ++slot)
        if (const SegmentWord word = ledger.segments.word_of(slot); word.is_live())
            bytes[word.owner] += ledger.segments.row(slot).used_bytes.load(std::memory_order_relaxed);
    return bytes;
}

void look_at(MemberSight& sight, const Vitals& vitals, SessionTag session) {
    const ActorId id = sight.row.actor.id;
    if (sight.row.pid != 0) sight.process = process_sight(static_cast<pid_t>(sight.row.pid));
    if (sight.process) {
        sight.since = sight.process->age;
        if (sight.row.ppid == 0) sight.row.ppid = static_cast<std::uint64_t>(sight.process->parent);
    }
    const VitalsRow* const own = vitals.row_of(id);
    if (own != nullptr) sight.spun = Duration{own->work.spun.load(std::memory_order_relaxed)};
    if (own != nullptr)
        if (const std::int64_t begun = own->work.in_hand_since.load(std::memory_order_relaxed); begun > 0)
            sight.since = std::max(Duration::zero(), SystemClock{}.now() - Instant{Duration{begun}});
    const std::optional<Vitals::Wait> room = vitals.room_wait_of(id);
    const std::optional<Vitals::Wait> wait = room ? room : vitals.wait_of(id);
    if (!wait) return;
    sight.waits_for = AnyRef{wait->whom, session};
    sight.waits_for_room = room.has_value();
}

}  // namespace

std::optional<ProcessSight> process_sight(pid_t pid) {
    const std::optional<ProcessFacts> facts = facts_of(pid);
    if (!facts) return std::nullopt;
    return ProcessSight{facts->pid, facts->ppid, facts->state, age_of(*facts), facts->cpu, facts->resident_bytes};
}

Observer::Observer(Outsider& outsider, std::unique_ptr<Memory> memory)
    : outsider_(&outsider), memory_(std::move(memory)) {}
Observer::Observer(Observer&&) noexcept = default;
Observer& Observer::operator=(Observer&&) noexcept = default;
Observer::~Observer() = default;

Result<Observer> Observer::of(Outsider& outsider) {
    Result<Vitals> vitals = Vitals::open(outsider.session_id());
    if (!vitals) return vitals.error();
    Result<LedgerRegion> region = LedgerRegion::open(outsider.session_id());
    if (!region) return region.error();
    Result<Bells> bells = Bells::open(outsider.session_id());
    if (!bells) return bells.error();
    return Observer{outsider,
                    std::make_unique<Memory>(Memory{std::move(*vitals), std::move(*region), std::move(*bells)})};
}

Result<std::vector<MemberSight>> Observer::members(bool with_exited) const {
    Context& context = outsider_->context();
    Result<std::vector<RosterRow>> rows = context.roster(with_exited);
    if (!rows) return rows.error();
    const SessionTag session = outsider_->ref().session;
    rows->insert(rows->begin(), row_of_coordinator(outsider_->coordinator_pid(), session));
    const std::map<ActorNumber, std::uint64_t> held = bytes_held(memory_->region.ledger());
    std::map<ActorId, std::string> names;
    for (const RosterRow& row : *rows) names[row.actor.id] = row.name;
    std::vector<MemberSight> sights;
    for (RosterRow& row : *rows) {
        MemberSight& sight = sights.emplace_back(MemberSight{std::move(row)});
        if (sight.row.exit.has_ended()) continue;
        look_at(sight, memory_->vitals, session);
        if (const auto bytes = held.find(sight.row.actor.id.number); bytes != held.end())
            sight.held_bytes = bytes->second;
        if (const BellPage* const bell = memory_->bells.page_of(sight.row.actor.id); bell != nullptr)
            sight.lane_bytes = bell->lane_bytes.load(std::memory_order_relaxed);
        if (!sight.waits_for.id.is_somebody()) continue;
        const auto name = names.find(sight.waits_for.id);
        sight.waits_for_name = name == names.end() ? to_string(sight.waits_for.id) : name->second;
    }
    return sights;
}

Result<SegmentsSight> Observer::segments(std::uint64_t rows_max) const {
    Result<coordinator::SegmentList> list =
        call(Access::loop(outsider_->context()), coordinator::Segments{rows_max}, limits::coordinator_timeout);
    if (!list) return list.error();
    SegmentsSight sight{{}, list->alive, list->bytes, list->budget_bytes};
    for (coordinator::SegmentInfo& row : list->rows)
        sight.rows.push_back({row.slot, row.epoch, std::move(row.state), row.owner, row.heir, row.bytes, row.leases,
                              row.age, std::move(row.name), std::move(row.heirs), std::move(row.label)});
    return sight;
}

LanesSight Observer::lanes() const { return {memory_->bells.lane_bytes(), memory_->bells.lane_bytes_max()}; }

Result<std::vector<std::string>> Observer::audit() const {
    return call(Access::loop(outsider_->context()), coordinator::Audit{}, limits::coordinator_timeout);
}

}  // namespace baton
