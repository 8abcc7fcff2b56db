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
    record(all, deadline, drain);
    jobs_.push_back(std::make_unique<Job>(Job{StopLadder{loop_->clock(), std::move(all), deadline}, std::move(named),
                                              std::move(lived), drain, std::move(answer)}));
    climb(*jobs_.back());
}

// First the rows of all, then the word that makes them count: a stop of which not all rows tell is none. One that is to
// stop earlier already, or then, stays as it is; so a stop that goes on after a take-over changes nothing.
void Stopping::record(const std::vector<StopLadder::Climber>& climbers, Deadline deadline, bool drain) {
    const std::uint64_t number = records_->next_stop();
    for (const StopLadder::Climber& climber : climbers) {
        Member* const member = members_->find(climber.actor);
        if (member == nullptr || member->stop.until.at() <= deadline.at()) continue;
        member->stop_before = std::exchange(member->stop, StopOrder{deadline, drain});
        member->stop_number = number;
        records_->write(*member);
        pass_crash_point(CrashPoint::stop_said);
    }
    pass_crash_point(CrashPoint::stop_recorded);
    records_->commit_stop(number);
    pass_crash_point(CrashPoint::stop_committed);
}

void Stopping::climb(Job& job) {
    for (const StopLadder::Step& step : job.ladder.due()) take_step(step);
}

void Stopping::take_step(const StopLadder::Step& step) {
    using Rung = StopLadder::Rung;
    const int signal = step.rung == Rung::terminate ? SIGTERM : SIGKILL;
    if (step.actor == scenario) {  // as a member it is asked, too
        if (step.rung == Rung::ask) static_cast<void>(begin_time_of(scenario));
        else signal_scenario_(signal);
        return;
    }
    Member* member = members_->find(step.actor);
    if (member == nullptr) return;
    if (step.rung == Rung::ask) {
        if (!std::exchange(member->was_asked_to_stop, true)) records_->write(*member);
        return ask(*member);
    }
    if (member->is_outsider()) {  // an outsider is not ours to kill
        exited(step.actor);
        return;
    }
    loop_->log().warn(step.rung == Rung::terminate ? "actor.terminated" : "actor.killed",
                      "name={} it did not stop when asked", member->name);
    static_cast<void>(member->send_signal(signal));
}

// One that has been asked before is asked again if it has less time now.
void Stopping::ask(Member& member) {
    // It has not joined, so it can't be asked. One that is about to rejoin is asked then.
    const bool is_here = member.link.is_some();
    if (!is_here && (member.is_outsider() || member.has_joined)) return;
    const Deadline until = begin_time_of(member.id);
    if (member.stop_told && member.stop_told->at() <= until.at()) return;
    const bool is_first = !std::exchange(member.stop_told, until);
    if (is_here) notify(*loop_, member, notice::Stop{member.stop.drains, until_of(until)});
    else if (is_first) static_cast<void>(member.send_signal(SIGTERM));
    pass_crash_point(CrashPoint::stop_asked);
}

// Until when it has time, by the stop that gives it least.
Deadline Stopping::begin_time_of(ActorId actor) {
    Deadline until = Deadline::never();
    for (const auto& job : jobs_) until = until.or_earlier(job->ladder.asked(actor));
    return until;
}

void Stopping::climb() {
    for (const auto& job : jobs_) climb(*job);
}

void Stopping::exited(ActorId actor) {
    for (const auto& job : jobs_) job->ladder.exited(actor);
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
