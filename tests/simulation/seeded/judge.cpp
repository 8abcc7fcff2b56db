#include "tests/simulation/seeded/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace seeded {
namespace {

const char* name_of(Judge::Kind kind) {
    switch (kind) {
        case Judge::Kind::note: return "Note";
        case Judge::Kind::question: return "Question";
        case Judge::Kind::gift: return "Gift";
        case Judge::Kind::loan: break;
    }
    return "Loaned";
}

}  // namespace

void Judge::breaks(std::string what) {
    story_->tell("judge", "says: {}", what);
    broken_.push_back(std::move(what));
}

std::string Judge::describe(std::uint64_t letter) const {
    const Letter& one = letters_[letter];
    return fmt::format("{} {} from {} to {}", name_of(one.kind), letter, to_string(one.from), to_string(one.to));
}

// ---- messages --------------------------------------------------------------------------------------

std::uint64_t Judge::sends(Kind kind, ActorId from, ActorId to) {
    const std::uint64_t letter = letters_.size();
    letters_.push_back({kind, from, to, {}});
    pairs_[{from, to}].push_back(letter);
    story_->tell(to_string(from), "sends {}", describe(letter));
    return letter;
}

void Judge::sent(std::uint64_t letter, bool was_accepted) {
    letters_[letter].was_accepted = was_accepted;
    story_->tell(to_string(letters_[letter].from), "{} {}", was_accepted ? "has sent" : "could not send", letter);
}

void Judge::handled(std::uint64_t letter, ActorId by) {
    if (letter >= letters_.size()) return breaks(fmt::format("letter {} was never written", letter));
    Letter& one = letters_[letter];
    story_->tell(to_string(by), "handles {}", describe(letter));
    if (one.to != by) breaks(fmt::format("{} was handled by {}", describe(letter), to_string(by)));
    if (std::exchange(one.was_handled, true)) breaks(fmt::format("{} was handled twice", describe(letter)));
    if (one.was_returned) breaks(fmt::format("{} was handled, and has come back", describe(letter)));
    // All that was accepted before it has been handled, but for what came back or was given up.
    const std::vector<std::uint64_t>& pair = pairs_[{one.from, one.to}];
    std::size_t& next = looked_at_[{one.from, one.to}];
    for (; next < pair.size() && pair[next] <= letter; ++next) {
        const Letter& before = letters_[pair[next]];
        const bool is_missing = before.was_accepted.value_or(false) && !before.was_handled && !before.was_returned &&
                                !before.was_given_up && before.kind != Kind::question;
        if (is_missing) breaks(fmt::format("{} was lost or overtaken: {} was handled", describe(pair[next]), letter));
    }
    if (next > 0 && pair[next - 1] > letter) breaks(fmt::format("{} was overtaken", describe(letter)));
}

void Judge::returned(std::uint64_t letter, ActorId to) {
    Letter& one = letters_[letter];
    story_->tell(to_string(to), "has {} back", describe(letter));
    if (one.from != to) breaks(fmt::format("{} has come back to {}", describe(letter), to_string(to)));
    if (std::exchange(one.was_returned, true)) breaks(fmt::format("{} has come back twice", describe(letter)));
    if (one.was_handled) breaks(fmt::format("{} has come back, and was handled", describe(letter)));
}

void Judge::answered(std::uint64_t letter, bool is_reply, std::uint64_t value, ErrorKind why) {
    Letter& one = letters_[letter];
    story_->tell(to_string(one.from), "hears of {}: {}", letter, is_reply ? "a reply" : baton::name_of(why));
    if (++one.outcomes > 1) breaks(fmt::format("{} has two outcomes", describe(letter)));
    if (!is_reply) {
        one.was_given_up = true;
        const bool is_known = why == ErrorKind::gone || why == ErrorKind::timed_out || why == ErrorKind::overloaded ||
                              why == ErrorKind::stopping || why == ErrorKind::deadlock;
        if (!is_known) breaks(fmt::format("{} ended as {}", describe(letter), static_cast<int>(why)));
        if (why == ErrorKind::gone && is_alive(one.to) && is_alive(one.from))
            breaks(fmt::format("{} ended as gone, and its receiver lives", describe(letter)));
        return;
    }
    if (!one.was_handled) breaks(fmt::format("{} was answered, and not handled", describe(letter)));
    if (value != answer_to(letter)) breaks(fmt::format("{} has the answer to another", describe(letter)));
}

// ---- segments --------------------------------------------------------------------------------------

std::uint64_t Judge::creates(ActorId who) {
    segments_.push_back({who, {}, {}});
    return segments_.size() - 1;
}

void Judge::departs(std::uint64_t stamp, ActorId from, ActorId to) { segments_[stamp] = {{}, from, to}; }

void Judge::holds(std::uint64_t stamp, ActorId who) {
    if (stamp >= segments_.size()) return breaks(fmt::format("a segment has the number {} in it", stamp));
    Held& one = segments_[stamp];
    if (one.has_ended) breaks(fmt::format("segment {} had ended, and {} has it", stamp, to_string(who)));
    else if (one.holder.is_somebody() && one.holder != who)
        breaks(fmt::format("segment {} is {}'s, and {} has it", stamp, to_string(one.holder), to_string(who)));
    else if (!one.holder.is_somebody() && one.from != who && one.to != who)
        breaks(fmt::format("segment {} was on its way to {}, and {} has it", stamp, to_string(one.to), to_string(who)));
    one.holder = who;
}

void Judge::releases(std::uint64_t stamp, ActorId who) {
    holds(stamp, who);
    segments_[stamp].holder = {};
    segments_[stamp].has_ended = true;
}

// ---- spawns ----------------------------------------------------------------------------------------

void Judge::starts(const std::string& name) {
    if (++spawns_[name].started > 1) breaks(fmt::format("{} was asked for once, and started twice", name));
}

void Judge::told_of_spawn(const std::string& name, bool is_ready, ErrorKind why) {
    Spawned& one = spawns_[name];
    if (++one.told > 1) breaks(fmt::format("the spawn of {} has two outcomes", name));
    if (is_ready && one.started == 0) breaks(fmt::format("{} is ready, and was never started", name));
    if (!is_ready && why == ErrorKind::refused) breaks(fmt::format("the spawn of {} was refused", name));
}

// ---- the end ---------------------------------------------------------------------------------------

void Judge::look_at_rest(const std::map<ActorId, Exit>& exits, const std::function<std::string(ActorId)>& name_of) {
    for (const auto& [pair, letters] : pairs_) {
        const auto& [from, to] = pair;
        std::uint64_t unread = 0;
        const bool goes_outside = without_lanes_.contains(from) || without_lanes_.contains(to);
        for (const std::uint64_t letter : letters) {
            const Letter& one = letters_[letter];
            if (one.kind == Kind::question && one.was_accepted.value_or(false) && one.outcomes == 0 && is_alive(from))
                breaks(fmt::format("{} has no outcome", describe(letter)));
            if (!one.was_accepted.value_or(false) || one.was_handled || one.was_returned || one.was_given_up) continue;
            if (is_alive(to) && (is_alive(from) || !goes_outside))
                breaks(fmt::format("{} was accepted, and nothing came of it", describe(letter)));
            else if (one.kind == Kind::note) ++unread;
        }
        const auto exit = exits.find(to);
        if (unread == 0 || is_alive(to)) continue;
        if (exit == exits.end()) {
            breaks(fmt::format("{} has ended, and nobody says how", to_string(to)));
            continue;
        }
        std::uint64_t told = 0;
        for (const DeadLetter& one : exit->second.dead_letters)
            if (one.from == name_of(from) || one.from.empty()) told += one.count;
        // One may have been in its hand.
        const bool was_cut_short = leaving_.contains(to) && exit->second.kind == ExitKind::signalled;
        if (told + 1 < unread && !goes_outside && !was_cut_short)
            breaks(fmt::format("{} has ended with {} unread of {}, and its exit tells of {}", to_string(to), unread,
                               to_string(from), told));
    }
}

}  // namespace seeded
