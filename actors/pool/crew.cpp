#include <baton/detail/pool/crew.hpp>

#include <fmt/ranges.h>

#include <algorithm>

#include <baton/program.hpp>
#include <baton/progress.hpp>

namespace baton::detail::pool {
namespace {

constexpr Duration first_pause = std::chrono::milliseconds{20};
constexpr Duration longest_pause = std::chrono::seconds{5};
constexpr std::uint32_t useless_max = 5;
// StopActors under way at once, of limits::stops_max that all of the session share.
constexpr std::size_t stops_at_once = 64;

bool are_sound(const std::vector<Signature>& functions) {
    return std::ranges::all_of(functions, [](const Signature& one) {
        return is_sound(one.result) &&
               std::ranges::all_of(one.parameters, [](const PartDescription& part) { return is_sound(part.type); });
    });
}

}  // namespace

void Crew::open() {
    std::size_t count = options_->workers;
    if (count == 0) count = program::usable_cores();
    seats_.clear();
    seats_.resize(std::min<std::size_t>(count, limits::actors_max));
    board_.open(*context_, seats_.size());
}

void Crew::look() {
    for (Seat& seat : seats_) {
        if (seat.spawned && seat.spawned->is_settled()) take_spawned(seat);
        if (seat.described && seat.described->is_settled()) take_described(seat);
        if (seat.state == Seat::State::empty && is_due(seat)) start(seat);
    }
}

bool Crew::has_news() const {
    return std::ranges::any_of(seats_, [](const Seat& seat) {
        return (seat.spawned && seat.spawned->is_settled()) || (seat.described && seat.described->is_settled());
    });
}

Deadline Crew::next_start() const {
    Deadline next = Deadline::never();
    for (const Seat& seat : seats_)
        if (seat.state == Seat::State::empty) next = next.or_earlier(seat.due);
    return next;
}

std::size_t Crew::ready() const {
    return static_cast<std::size_t>(std::ranges::count(seats_, Seat::State::ready, &Seat::state));
}

std::optional<Error> Crew::hopeless() const {
    for (const Seat& seat : seats_)
        if (seat.state != Seat::State::given_up) return std::nullopt;
    if (seats_.empty()) return Error{ErrorKind::refused, "the pool has no workers: it was not started, or was stopped"};
    return Error{seats_.front().why->kind,
                 fmt::format("no worker of '{}' can be started: {}", options_->program, seats_.front().why->text)};
}

Result<std::shared_ptr<const Signature>> Crew::function(std::string_view name) const {
    for (const std::shared_ptr<const Signature>& one : functions_)
        if (one->name == name) return one;
    std::vector<std::string> known;
    for (const std::shared_ptr<const Signature>& one : functions_) known.push_back(to_text(*one));
    return Error{ErrorKind::refused, fmt::format("'{}' has no task '{}'; it has {}", options_->program, name,
                                                 known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", ")))};
}

// ---- filling a seat --------------------------------------------------------------------------------

void Crew::start(Seat& seat) {
    SpawnOptions program{options_->program, {}, options_->arguments, options_->start_timeout, 0, options_->folders};
    if (!options_->name.empty()) program.name = fmt::format("{}-{}", options_->name, ++started_);
    Result<Pending<Ref<Protocol>>> spawned = context_->spawn_later<Protocol>(program);
    if (!spawned) return fail_start(seat, spawned.error());
    seat.name = program.name.empty() ? options_->program : program.name;  // until it says its own
    seat.state = Seat::State::starting;
    seat.spawned.emplace(std::move(*spawned));
}

void Crew::take_spawned(Seat& seat) {
    Result<Ref<Protocol>> spawned = seat.spawned->get(Duration::zero());
    seat.spawned.reset();
    if (!spawned) return fail_start(seat, spawned.error());
    seat.worker = *spawned;
    Result<Pending<Described>> described =
        context_->request(seat.worker, Describe{board_.share(static_cast<std::size_t>(&seat - seats_.data()))});
    if (!described) return fail_start(seat, described.error());
    seat.state = Seat::State::asked;
    seat.described.emplace(std::move(*described));
}

void Crew::take_described(Seat& seat) {
    Result<Described> described = seat.described->get(Duration::zero());
    seat.described.reset();
    if (!described) return fail_start(seat, described.error());
    seat.name = std::move(described->name);
    std::vector<Signature>& tasks = described->tasks;
    if (!are_sound(tasks))
        return fail_start(seat, Error{ErrorKind::refused,
                                      fmt::format("{} describes its tasks in a way that makes no sense", seat.name)});
    if (functions_.empty())
        for (Signature& one : tasks) functions_.push_back(std::make_shared<const Signature>(std::move(one)));
    else if (!std::ranges::equal(functions_, tasks,
                                 [](const auto& known, const Signature& one) { return *known == one; }))
        return fail_start(
            seat, Error{ErrorKind::refused, fmt::format("{} has other tasks than the workers before it: the program "
                                                        "has been changed since",
                                                        seat.name)});
    seat.state = Seat::State::ready;
}

void Crew::fail_start(Seat& seat, Error why) {
    // It may have joined and be of no use all the same; one that has ended can't be killed, and need not.
    if (seat.worker) {
        static_cast<void>(context_->kill(seat.worker));
        static_cast<void>(context_->next_bounced<Describe>(seat.worker));  // its place, which is ours again
    }
    give_up_or_rest(seat, std::move(why), true);
}

void Crew::give_up_or_rest(Seat& seat, Error why, bool is_useless) {
    const bool is_final = is_useless && (why.kind == ErrorKind::refused || why.kind == ErrorKind::stopping ||
                                         ++seat.useless >= useless_max);
    seat.why = std::move(why);
    seat.state = is_final ? Seat::State::given_up : Seat::State::empty;
    seat.worker = {};
    const std::uint32_t before = std::min(seat.failures++, 16U);
    const Duration pause = before == 0 ? Duration::zero() : std::min(first_pause * (1 << (before - 1)), longest_pause);
    seat.due = context_->deadline(pause);
}

// ---- the end of a worker ---------------------------------------------------------------------------

void Crew::lose(Seat& seat, Error why, Had had) {
    context_->log().warn("worker.lost", "{}: {}", seat.name, to_text(why));
    give_up_or_rest(seat, std::move(why), had == Had::nothing);
}

void Crew::kill(Seat& seat, Error why) {
    static_cast<void>(context_->kill(seat.worker));
    lose(seat, std::move(why), Had::tasks);
}

void Crew::replace(Seat& seat, Error why) {
    context_->log().info("worker.replaced", "{}: {}", seat.name, why.text);
    const Ref<Protocol> worker = seat.worker;
    praise(seat);
    give_up_or_rest(seat, std::move(why), false);
    praise(seat);
    static_cast<void>(context_->kill(worker));
}

std::vector<Ended> Crew::stop(Within within) {
    if (context_->is_stopping()) return abandon(), std::vector<Ended>{};
    // Workers that are still starting are waited for, and stopped too.
    const auto nobody_starts = [this] {
        return std::ranges::none_of(seats_,
                                    [](const Seat& seat) { return seat.spawned && !seat.spawned->is_settled(); });
    };
    static_cast<void>(context_->wait_for(nobody_starts, options_->start_timeout));
    const Deadline deadline = context_->deadline(within);
    std::vector<AnyRef> workers;
    for (Seat& seat : seats_) {
        if (seat.spawned && seat.spawned->is_settled()) take_spawned(seat);
        if (seat.worker) workers.push_back(seat.worker);
    }
    abandon();

    std::optional<Progress> progress;
    if (options_->shows_progress) progress.emplace("workers stopping", workers.size(), "workers");
    // The coordinator tells of a worker that it had to kill a little later.
    const bool is_far = deadline.at() > Instant::max() - limits::coordinator_timeout;
    const Deadline last = is_far ? Deadline::never() : Deadline{deadline.at() + limits::coordinator_timeout};
    std::vector<Ended> ended;
    std::vector<Pending<std::vector<Ended>>> stopping;
    std::size_t next = 0;
    std::size_t stopped = 0;
    while (next < workers.size() || !stopping.empty()) {
        while (next < workers.size() && stopping.size() < stops_at_once) {
            auto one = context_->stop_later({workers[next++]}, deadline);
            if (one) stopping.push_back(std::move(*one));
            else ++stopped;
        }
        const auto any_stopped = [&] {
            return std::ranges::any_of(stopping, [](const auto& one) { return one.is_settled(); });
        };
        if (!stopping.empty() && !context_->wait_for(any_stopped, last)) break;
        std::erase_if(stopping, [&](auto& one) {
            if (!one.is_settled()) return false;
            if (auto exits = one.get(Duration::zero()); exits) ended.insert(ended.end(), exits->begin(), exits->end());
            ++stopped;
            return true;
        });
        if (progress) progress->reach(stopped);
    }
    return ended;
}

}  // namespace baton::detail::pool
