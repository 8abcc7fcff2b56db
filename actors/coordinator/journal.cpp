#include "actors/coordinator/journal.hpp"

#include "actors/coordinator/decoded.hpp"
#include "runtime/base/text.hpp"

namespace baton::detail::coordinator {
namespace {

constexpr std::uint32_t exit_record = 1;
constexpr std::uint32_t left_record = 2;
constexpr std::uint32_t unclaimed_record = 4;
constexpr std::uint32_t lost_record = 5;

struct ExitRecord {
    RosterRow row;
    AnyRef parent;
    AnyRef asker;
    std::uint64_t ask = 0;
};
struct LeftRecord {
    AnyRef actor;
    std::vector<DeadLetter> letters;
};
struct LostRecord {
    AnyRef dead;
    AnyRef receiver;
    std::string name;
    std::uint64_t count = 0;
};
struct UnclaimedRecord {
    std::uint32_t slot = 0;
    std::uint64_t epoch = 0;
    AnyRef owner;
    std::string label;
    std::uint64_t bytes = 0;
};

}  // namespace

bool Journal::write_left(ActorId id, const std::vector<DeadLetter>& letters) {
    return roster_->append(left_record, encoded_body(LeftRecord{AnyRef{id}, letters}));
}

bool Journal::write_unclaimed(const LeftSegments::Unclaimed& unclaimed) {
    return roster_->append(unclaimed_record, encoded_body(UnclaimedRecord{unclaimed.slot, unclaimed.epoch,
                                                                         AnyRef{unclaimed.owner}, unclaimed.label,
                                                                         unclaimed.bytes}));
}

bool Journal::write_exit(const Past& past) {
    const ExitRecord record{past.row, AnyRef{past.parent}, AnyRef{past.spawn_request.asker}, past.spawn_request.ask};
    return roster_->append(exit_record, encoded_body(record));
}

bool Journal::write_lost(const Lost& lost) {
    const LostRecord record{AnyRef{lost.dead}, AnyRef{lost.receiver}, lost.name, lost.count};
    return roster_->append(lost_record, encoded_body(record));
}

Journal::Kept Journal::read() const {
    Kept kept;
    roster_->read_journal([&](std::uint32_t kind, std::string_view record) {
        kept.in_doubt.reset();
        if (kind == exit_record) {
            if (std::optional<ExitRecord> exit = decoded<ExitRecord>(record, session_);
                exit && exit->row.actor.id.number <= limits::actors_max)
                kept.past.push_back({std::move(exit->row), exit->parent.id, {exit->asker.id, exit->ask}});
        } else if (kind == left_record) {
            if (std::optional<LeftRecord> left = decoded<LeftRecord>(record, session_); left)
                kept.left.emplace_back(left->actor.id, std::move(left->letters));
        } else if (kind == lost_record) {
            std::optional<LostRecord> lost = decoded<LostRecord>(record, session_);
            if (!lost) return;
            for (Past& past : kept.past)
                if (past.row.actor.id == lost->dead.id) past.add_lost(lost->name, lost->count);
            kept.in_doubt = Lost{lost->dead.id, lost->receiver.id, lost->name, lost->count};
        } else if (kind == unclaimed_record) {
            if (const std::optional<UnclaimedRecord> one = decoded<UnclaimedRecord>(record, session_); one)
                kept.unclaimed.push_back({one->slot, one->epoch, one->owner.id,
                                          readable(one->label, limits::heir_label_bytes_max), one->bytes});
        }
    });
    return kept;
}

}  // namespace baton::detail::coordinator
