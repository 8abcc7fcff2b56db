#include "actors/coordinator/stopping.hpp"

#include <csignal>
#include <limits>

#include "actors/coordinator/notify.hpp"
#include "runtime/base/crash_point.hpp"

namespace baton::detail::coordinator {
namespace {

// The scenario and other outsiders stop before all actors, which they use.
constexpr std::uint64_t last_wave = std::numeric_limits<std::uint64_t>::max();

constexpr std::size_t answer_rest_bytes = 1024;  // what an answer has beside the exits in it

}  // namespace

void Stopping::begin(std::vector<ActorId> named, Deadline deadline, bool drain,
                     Answer<std::vector<Ended>> answer) {
    std::map<ActorId, StopLadder::Climber> climbers;  // an actor may be named, and of the family of another
    for (const ActorId id : named) {
        if (id == scenario) climbers[id] = {id, {}, last_wave};
        for (const Member* member : members_->family_of(id))
            climbers[member->id] = {member->id, member->parent, member->is_outsider() ? last_wave : member->wave};
    }
    std::vector<StopLadder::Climber> all;
    for (const auto& [id, climber] : climbers) all.push_back(climber);
    std::set<ActorId> lived;
    for (const ActorId id : named)
        if (members_->find(id) != nullptr) lived.insert(id);
    for (const auto& [id, climber] : climbers)
        if (Member* member = members_->find(id); member != nullptr) {
            member->stop_deadline = member->stop_deadline.or_earlier(deadline);
            member->stop_drains = drain;
            records_->write(*member);
        }
    pass_crash_point(CrashPoint::stop_recorded);
    jobs_.push_back(std::make_unique<Job>(Job{StopLadder{loop_->clock(), std::move(all), deadline}, std::move(named),
                                              std::move(lived), drain, std::move(answer)}));
    climb(*jobs_.back());
}

void Stopping::climb(Job& job) {
    for (const StopLadder::Step& step : job.ladder.due()) take_step(step, job);
}

void Stopping::take_step(const StopLadder::Step& step, const Job& job) {
    using Rung = StopLadder::Rung;
    const int signal = step.rung == Rung::terminate ? SIGTERM : SIGKILL;
    if (step.actor == scenario) {
        if (step.rung != Rung::ask) signal_scenario_(signal);
        return;
    }
    Member* member = members_->find(step.actor);
    if (member == nullptr) return;
    if (step.rung == Rung::ask) {
        if (std::exchange(member->was_asked_to_stop, true)) return;
        records_->write(*member);
        if (member->link.is_some())
            return notify(*loop_, *member, notice::Stop{job.drain, until_of(job.ladder.asks_until())});
        // It has not joined, so it can't be asked. One that is about to rejoin is asked then.
        if (!member->is_outsider() && !member->has_joined) static_cast<void>(member->send_signal(SIGTERM));
        return;
    }
    if (member->is_outsider()) {  // an outsider is not ours to kill
        exited(step.actor);
        return;
    }
    loop_->log().warn(step.rung == Rung::terminate ? "actor.terminated" : "actor.killed",
                      "name={} it did not stop when asked", member->name);
    static_cast<void>(member->send_signal(signal));
}

void Stopping::climb() {
    for (const auto& job : jobs_) climb(*job);
}

void Stopping::exited(ActorId actor) {
    for (const auto& job : jobs_) job->ladder.exited(actor);
}

Deadline Stopping::asked_until(ActorId actor) const {
    Deadline until = Deadline::never();
    for (const auto& job : jobs_)
        if (job->ladder.has(actor)) until = until.or_earlier(job->ladder.asks_until());
    return until;
}

void Stopping::hurry() {
    for (const auto& job : jobs_) job->ladder.hurry();
}

Deadline Stopping::next() const {
    Deadline next = Deadline::never();
    for (const auto& job : jobs_) next = next.or_earlier(job->ladder.next());
    return next;
}

// As one message holds them: first of all those that were stopped now, then what there is room for of those that had
// ended before. If there are very many each says less.
std::vector<Ended> Stopping::exits_of(const Job& job) const {
    std::size_t bytes = 0;
    std::map<ActorId, Ended> told;
    for (const bool lived : {true, false})
        for (const ActorId id : job.named) {
            const Past* past = members_->find_past(id);
            if (past == nullptr || job.lived.contains(id) != lived || told.contains(id)) continue;
            Ended ended{past->row.actor, past->row.name, past->row.exit};
            if (bytes > limits::roster_page_bytes) ended.exit.dead_letters.clear();
            const std::size_t more = encoded_body(ended).size();
            if (bytes + more > limits::message_bytes_max - answer_rest_bytes) break;
            bytes += more;
            told.emplace(id, std::move(ended));
        }
    std::vector<Ended> exits;
    for (const ActorId id : job.named)
        if (const auto found = told.extract(id); !found.empty()) exits.push_back(std::move(found.mapped()));
    return exits;
}

void Stopping::finish() {
    for (std::size_t index = 0; index < jobs_.size();) {
        Job& job = *jobs_[index];
        climb(job);  // the next wave, when one has just ended
        if (!job.ladder.is_done()) {
            ++index;
            continue;
        }
        job.answer.reply(exits_of(job));
        jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(index));
    }
}

}  // namespace baton::detail::coordinator
