#include <baton/detail/pool/hands.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace baton::detail::pool {
namespace {

using baton::pool::Cancelled;

// A batch that has been in hand for this long holds a task that takes longer than anybody thought, or its worker does
// not get to run.
constexpr Duration long_batch = 5 * Tempo::budget;
// A worker that is in a long task is looked at again after this at the latest.
constexpr Duration look_pause_max = std::chrono::seconds{1};

std::string call_text(const Job& job, std::size_t task) {
    return fmt::format("{}({})", job.function->name, job.arguments_text(task));
}

}  // namespace

void Hands::open() {
    flights_.clear();
    flights_.resize(crew_->seats().size());
}

void Hands::fail_all(const Error& why) {
    for (std::vector<Flight>& flights : flights_)
        for (const Flight& flight : std::exchange(flights, {}))
            for_each_task(flight.tasks, [&](Job& job, std::size_t task) {
                if (!job.is_settled(task)) job.fail(task, why);
            });
}

void Hands::look(std::size_t seat) {
    take_answers(seat);
    take_early(seat);
    give_up_late(seat);
}

bool Hands::has_news() const {
    return std::ranges::any_of(flights_, [](const std::vector<Flight>& flights) {
        return !flights.empty() && flights.front().answer.is_settled();
    });
}

Deadline Hands::next_look() const {
    Deadline next = Deadline::never();
    const bool is_anybody_idle = idle() > 0;
    for (const std::vector<Flight>& flights : flights_) {
        if (flights.empty()) continue;
        next = next.or_earlier(flights.front().deadline);
        if (flights.front().is_on_board()) next = next.or_earlier(flights.front().next_look);
        if (is_anybody_idle)
            for (const Flight& flight : flights)
                if (flight.is_on_board() && flight.is_whole) next = next.or_earlier(flight.is_long);
    }
    return next;
}

// ---- what comes back -------------------------------------------------------------------------------

void Hands::take_answers(std::size_t seat) {
    std::vector<Flight>& flights = flights_[seat];
    while (!flights.empty() && flights.front().answer.is_settled()) {
        Result<Done> done = flights.front().answer.get(Duration::zero());
        if (!done && done.error().kind == ErrorKind::gone) return lose(seat, done.error(), Cause::tasks);
        // It ends, and leaves unread what it has not begun.
        if (!done && done.error().kind == ErrorKind::stopping) return lose(seat, done.error(), Cause::others);
        Flight flight = std::move(flights.front());
        flights.erase(flights.begin());
        if (!flights.empty()) begin(flights.front());
        if (done) {
            take_done(seat, std::move(flight), std::move(*done));
        } else {
            std::vector<Flight> alone;
            alone.push_back(std::move(flight));
            take_gifts_back(crew_->seats()[seat].worker, alone);
            for_each_task(alone.front().tasks, [&](Job& job, std::size_t task) {
                if (!job.is_settled(task)) job.fail(task, done.error(), crew_->seats()[seat].name, alone.front().sent);
            });
        }
    }
}

void Hands::take_done(std::size_t seat, Flight flight, Done done) {
    Seat& from = crew_->seats()[seat];
    const std::size_t count = tasks_in(done);
    if (!makes_sense(done, flight.count) || count < flight.told) {
        const Error why{ErrorKind::corrupt, fmt::format("{} has sent an answer that does not fit a batch of {} tasks",
                                                        from.name, flight.count)};
        static_cast<void>(context_->kill(from.worker));
        flights_[seat].insert(flights_[seat].begin(), std::move(flight));
        return lose(seat, why, Cause::tasks);
    }
    Crew::praise(from);
    if (flight.count == flight.told) return;  // the rest has been taken back
    queue_->note(*flight.tasks.front().job->function, count, done.took, flight.count - count);
    const std::size_t told = flight.told;
    settle(flight, std::move(done), from.name, told);
    queue_->bring_back(flight.tasks);
}

// A worker that is in a long task has told nothing of those before it.
void Hands::take_early(std::size_t seat) {
    if (flights_[seat].empty()) return;
    Flight& flight = flights_[seat].front();
    if (!flight.is_on_board() || !has_passed(flight.next_look)) return;
    read_board(seat, flight);
    // Its worker may have been kept from running until now, so it is looked at again.
    flight.pause = std::min(2 * flight.pause, look_pause_max);
    flight.next_look = context_->deadline(flight.pause);
}

// It is the first that its worker has in hand from now on.
void Hands::begin(Flight& flight) {
    flight.is_long = context_->deadline(long_batch);
    flight.pause = long_batch;
    flight.next_look = flight.is_long;
}

void Hands::read_board(std::size_t seat, Flight& flight) {
    if (!flight.is_on_board()) return;
    std::optional<Done> done = crew_->board().read(seat, flight.batch, flight.told, flight.count);
    if (!done || !makes_sense(*done, flight.count - flight.told)) return;
    const std::size_t count = tasks_in(*done);
    settle(flight, std::move(*done), crew_->seats()[seat].name, 0);
    flight.told += count;
}

// The first tasks of the flight came to what the results behind the first `skipped` say; the others are left.
void Hands::settle(Flight& flight, Done done, const std::string& worker, std::size_t skipped) {
    const auto delivery = std::make_shared<Delivery>(Delivery{worker, std::move(done), std::nullopt});
    const std::size_t count = delivery->count();
    std::size_t index = skipped;
    const std::vector<FailedTask>& failures = delivery->done.failures;
    auto failure = std::ranges::lower_bound(failures, index, {}, &FailedTask::index);
    for (Stretch& stretch : flight.tasks) {
        Job& job = *stretch.job;
        const std::size_t here = std::min(stretch.count, count - index);
        if (here > 0) job.deliveries.push_back(delivery);
        for (std::size_t task = stretch.first; task < stretch.first + here; ++task, ++index) {
            const bool has_failed = failure != failures.end() && failure->index == index;
            if (has_failed) ++failure;
            if (job.is_settled(task)) continue;  // cancelled in the meantime
            job.settle(task, has_failed ? Job::State::failed : Job::State::done, job.deliveries.size() - 1, index);
        }
        stretch.first += here;
        stretch.count -= here;
    }
    std::erase_if(flight.tasks, [](const Stretch& stretch) { return stretch.count == 0; });
}

void Hands::give_up_late(std::size_t seat) {
    if (flights_[seat].empty() || !has_passed(flights_[seat].front().deadline)) return;
    const std::vector<Flight> flights = std::exchange(flights_[seat], {});
    Seat& from = crew_->seats()[seat];
    const std::string worker = from.name;
    for_each_task(flights.front().tasks, [&](Job& job, std::size_t task) {
        if (job.is_settled(task)) return;
        job.fail(
            task,
            Error{ErrorKind::timed_out, fmt::format("{} took longer than its timeout: its worker {} was killed and is "
                                                    "replaced",
                                                    call_text(job, task), worker)},
            worker, flights.front().sent);
    });
    crew_->kill(from, Error{ErrorKind::timed_out, "it was killed, as its task took longer than its timeout"});
    Crew::praise(from);
}

// ---- deaths ----------------------------------------------------------------------------------------

void Hands::lose(std::size_t seat, const Error& why, Cause cause) {
    std::vector<Flight> flights = std::exchange(flights_[seat], {});
    for (Flight& flight : flights) read_board(seat, flight);
    std::erase_if(flights, [](const Flight& flight) { return flight.count == flight.told; });  // taken back, or known
    Seat& dead = crew_->seats()[seat];
    take_gifts_back(dead.worker, flights);
    std::size_t in_hand = 0;
    for (const Flight& flight : flights) in_hand += flight.count - flight.told;
    crew_->lose(dead, why, in_hand > 0 && cause == Cause::tasks ? Crew::Had::tasks : Crew::Had::nothing);
    if (in_hand == 1 && cause == Cause::tasks) return count_death(seat, flights.front(), why);
    for (auto flight = flights.rbegin(); flight != flights.rend(); ++flight)
        for (auto stretch = flight->tasks.rbegin(); stretch != flight->tasks.rend(); ++stretch)
            queue_->bring_back(*stretch, stretch->is_alone || cause == Cause::tasks);
}

// The only task that the worker had in hand is why it died, as far as anybody can know.
void Hands::count_death(std::size_t seat, const Flight& flight, const Error& why) {
    Stretch stretch = flight.tasks.front();
    Job& job = *stretch.job;
    if (job.is_settled(stretch.first)) return;
    Seat& dead = crew_->seats()[seat];
    const std::uint32_t deaths = ++stretch.deaths;
    if (deaths > job.rules.retries) {
        job.fail(
            stretch.first,
            Error{why.kind, fmt::format("worker gone: {} (tried {} time{})", why.text, deaths, deaths == 1 ? "" : "s")},
            dead.name, flight.sent);
        return Crew::praise(dead);
    }
    if (!is_whole(job, stretch.first)) {
        job.fail(stretch.first,
                 Error{why.kind, fmt::format("worker gone: {}; the segment that {} was given is lost with it, so it "
                                             "can't be tried again: lend what must survive",
                                             why.text, call_text(job, stretch.first))},
                 dead.name, flight.sent);
        return Crew::praise(dead);
    }
    queue_->bring_back(stretch, true);
}

// What a task that is alone in hand was given and its worker had not accepted.
void Hands::take_gifts_back(const Ref<Protocol>& worker, const std::vector<Flight>& flights) {
    if (flights.size() != 1 || tasks_in(flights.front().tasks) != 1) return;
    const Stretch& stretch = flights.front().tasks.front();
    if (stretch.job->held.empty()) return;
    while (std::optional<Bounced<Run>> bounced = context_->next_bounced<Run>(worker))
        unpack(flights.front().tasks, bounced->command);
}

// ---- cancelled -------------------------------------------------------------------------------------

// What its worker has not begun waits again.
void Hands::take_back(std::size_t seat, Flight& flight) {
    if (flight.batch == 0 || !flight.is_whole) return;
    flight.is_whole = false;
    const std::size_t begun = std::max(crew_->board().take_back(seat, flight.batch, flight.count), flight.told);
    if (begun >= flight.count) return;
    const Batch back = split(flight.tasks, begun - flight.told);
    flight.count = begun;
    queue_->bring_back(back);
}

Hands::Flight* Hands::flight_of(const Job& job, std::size_t task, std::size_t& seat) {
    const auto has_it = [&](const Stretch& one) {
        return one.job.get() == &job && one.first <= task && task < one.first + one.count;
    };
    for (seat = 0; seat < flights_.size(); ++seat)
        for (Flight& flight : flights_[seat])
            if (std::ranges::any_of(flight.tasks, has_it)) return &flight;
    return nullptr;
}

Cancelled Hands::cancel(Job& job, std::size_t task) {
    std::size_t seat = 0;
    Flight* const flight = flight_of(job, task, seat);
    if (flight == nullptr) return Cancelled::too_late;
    for (Flight& one : flights_[seat]) read_board(seat, one);
    if (job.is_settled(task)) return Cancelled::too_late;
    take_back(seat, *flight);
    if (job.fates[task].state == Job::State::waiting) {
        queue_->withdraw(job, task);
        job.cancel(task, not_begun());
        return Cancelled::withdrawn;
    }
    // It runs, and only the end of its worker ends it. Nothing is waited for before all is in order again.
    Seat& from = crew_->seats()[seat];
    job.cancel(
        task,
        Error{ErrorKind::refused,
              fmt::format("the task was cancelled while it ran: its worker {} was killed and is replaced", from.name)},
        from.name, flight->sent);
    const std::vector<Flight> flights = std::exchange(flights_[seat], {});
    for (auto other = flights.rbegin(); other != flights.rend(); ++other) queue_->bring_back(other->tasks);
    crew_->replace(from, Error{ErrorKind::gone, fmt::format("it was killed, as {} was cancelled while it ran there",
                                                            call_text(job, task))});
    return Cancelled::ended;
}

// ---- what goes out ---------------------------------------------------------------------------------

void Hands::fill() {
    if (queue_->size() == 0) return;
    // What waits is shared evenly among all hands that are free, but not so few of them that others get nothing.
    const std::size_t workers = std::max<std::size_t>(crew_->ready(), 1);
    std::size_t free = 2 * crew_->ready();
    for (const std::vector<Flight>& flights : flights_) free -= std::min(free, flights.size());
    const auto share = [this](std::size_t among) { return (queue_->size() + among - 1) / among; };
    Queue::For worker{.share = {share(std::max(free, workers)), share(workers)}, .idle = idle(), .is_second = false};
    // Workers that have nothing in hand come first.
    for (const std::size_t in_hand : {std::size_t{0}, std::size_t{1}})
        for (std::size_t seat = 0; seat < flights_.size() && queue_->size() > 0; ++seat) {
            if (flights_[seat].size() != in_hand || !has_room(seat)) continue;
            worker.is_second = in_hand > 0;
            give(seat, worker);
            if (!worker.is_second && worker.idle > 0) --worker.idle;
        }
}

std::size_t Hands::idle() const {
    std::size_t count = 0;
    for (std::size_t seat = 0; seat < flights_.size(); ++seat)
        if (crew_->seats()[seat].state == Seat::State::ready && flights_[seat].empty()) ++count;
    return count;
}

// A worker has nothing to do, and nothing waits but what others have in hand and have not begun.
void Hands::share_out() {
    if (queue_->size() > 0 || idle() == 0) return;
    for (std::size_t seat = 0; seat < flights_.size(); ++seat)
        for (Flight& flight : flights_[seat])
            if (flight.is_on_board() && has_passed(flight.is_long)) take_back(seat, flight);
    fill();
}

bool Hands::has_room(std::size_t seat) const {
    if (crew_->seats()[seat].state != Seat::State::ready) return false;
    if (flights_[seat].empty()) return true;
    if (flights_[seat].front().tasks.empty()) return false;  // all of it was taken back: its worker does not get to run
    const Stretch& in_hand = flights_[seat].front().tasks.front();
    return !in_hand.is_alone && queue_->is_quick(*in_hand.job->function);
}

void Hands::give(std::size_t seat, const Queue::For& worker) {
    Batch batch = queue_->cut(worker);
    if (batch.empty()) return;
    const auto fail_batch = [&](const Error& why) {
        for_each_task(batch, [&](Job& job, std::size_t task) { job.fail(task, why); });
    };
    Result<Run> run = pack(batch);
    if (!run) return fail_batch(run.error());
    const Timestamp sent = std::chrono::system_clock::now();
    const std::size_t count = tasks_in(batch);
    run->batch = crew_->board().lay(seat, count);
    const std::uint16_t number = run->batch;
    const auto undo = [&] {
        if (number != 0) crew_->board().forget_last(seat);
        unpack(batch, *run);
    };
    Result<Pending<Done>> answer = Error{};
    try {
        answer = context_->request(crew_->seats()[seat].worker, std::move(*run));
    } catch (...) {  // out of a wait within
        undo();
        queue_->bring_back(batch);
        throw;
    }
    if (!answer) {
        undo();
        const ErrorKind kind = answer.error().kind;
        if (kind != ErrorKind::gone && kind != ErrorKind::stopping) return fail_batch(answer.error());
        queue_->bring_back(batch);  // the worker was gone before it was given this
        if (kind == ErrorKind::gone) lose(seat, answer.error(), Cause::tasks);
        return;
    }
    const Deadline deadline = context_->deadline(batch.front().job->rules.timeout);
    const bool is_alone = batch.front().is_alone;
    flights_[seat].push_back({std::move(*answer), std::move(batch), count, deadline, sent, number, is_alone});
    begin(flights_[seat].back());
}

}  // namespace baton::detail::pool
