#include <baton/detail/pool/scheduler.hpp>

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/progress.hpp"

namespace baton::pool {

using namespace detail;
namespace {

constexpr Duration look_interval = std::chrono::milliseconds{1};
// A batch that is in hand for so long holds a task that takes longer than anybody thought, or its worker does not get to run.
constexpr Duration long_batch = 5 * Tempo::budget;
// A worker that is in a long task is looked at again after this at the latest.
constexpr Duration look_pause_max = std::chrono::seconds{1};

std::string call_text(const Job& job, std::size_t task) {
    return fmt::format("{}({})", job.function->name, job.arguments_text(task));
}

}  // namespace

Scheduler::Scheduler(Context& context, Options options)
    : context_(&context), options_(std::move(options)), crew_(context, options_) {}

// ---- start and stop --------------------------------------------------------------------------------

Result<void> Scheduler::start() {
    if (is_ready()) return {};
    if (!is_started_) {  // else somebody was torn out of the wait below
        is_started_ = true;
        crew_.open();
        flights_.clear();
        flights_.resize(crew_.seats().size());
    }
    std::optional<Progress> progress;
    if (options_.shows_progress) progress.emplace("workers ready", crew_.seats().size(), "workers");
    const auto all_decided = [&] {
        if (progress) progress->reach(crew_.ready());
        return std::ranges::all_of(crew_.seats(), [](const Seat& seat) {
            return seat.state == Seat::State::ready || seat.state == Seat::State::given_up;
        });
    };
    const Result<void> waited = wait(all_decided, context_->deadline(options_.start_deadline));
    if (crew_.ready() > 0) return {};
    const std::optional<Error> hopeless = crew_.hopeless();
    progress.reset();
    static_cast<void>(stop(limits::stop_timeout));
    if (hopeless) return *hopeless;
    return Error{waited ? ErrorKind::timed_out : waited.error().kind,
                 fmt::format("no worker of '{}' was ready before the deadline", options_.program)};
}

std::vector<Ended> Scheduler::stop(Duration deadline) {
    if (!is_started_) return {};
    end_all_tasks();
    return crew_.stop(deadline);
}

void Scheduler::abandon() {
    if (!is_started_) return;
    end_all_tasks();
    crew_.abandon();
}

void Scheduler::end_all_tasks() {
    is_started_ = false;
    const Error why{ErrorKind::stopping, "the pool was stopped before this task was done"};
    fail_all(why);
    for (std::vector<Flight>& flights : flights_)
        for (const Flight& flight : std::exchange(flights, {}))
            for_each_task(flight.tasks, [&](Job& job, std::size_t task) {
                if (!job.is_settled(task)) job.fail(task, why);
            });
    tempos_.clear();  // of functions that may look different when it starts again
}

// ---- tasks in --------------------------------------------------------------------------------------

Result<void> Scheduler::enqueue(const std::shared_ptr<Job>& job) {
    if (!is_started_) return Error{ErrorKind::refused, "the pool is not started"};
    if (Result<void> fits = require_fit(*job); !fits) return fits;
    if (job->size() == 0) return {};
    if (waiting_ + job->size() > limits::tasks_waiting_max)
        return Error{ErrorKind::overloaded, fmt::format("{} tasks wait already, {} more are too many (limits::tasks_waiting_max): wait for "
                                                        "some first, or let imap() do so", waiting_, job->size())};
    job->is_queued = true;
    queue_.push_back({job, 0, job->size(), job->is_alone(), 0});
    waiting_ += job->size();
    return {};
}

void Scheduler::cancel(Job& job) {
    if (job.unsettled == 0) return;
    for (std::size_t task = 0; task < job.size(); ++task) {
        if (job.is_settled(task)) continue;
        if (job.is_queued && job.fates[task].state == Job::State::waiting) --waiting_;
        job.cancel(task);
    }
}

// ---- moving ----------------------------------------------------------------------------------------

void Scheduler::move() {
    if (context_->now() - looked_ >= look_interval) {
        // A wait for what is so already would not look outside.
        static_cast<void>(context_->wait_for([this] { return has_news(); }, Duration::zero()));
        looked_ = context_->now();
    }
    step();
}

Result<void> Scheduler::wait(const std::function<bool()>& done, Deadline deadline) {
    const Clock& clock = context_->clock();
    for (bool is_last = false;;) {
        step();
        if (done()) return {};
        if (is_last) return Error{ErrorKind::timed_out, "the tasks were not done before the deadline"};
        is_last = deadline.has_passed(clock);
        const Result<void> waited = context_->wait_for([this] { return has_news(); }, deadline.or_earlier(next_look()).left(clock));
        looked_ = context_->now();
        if (!waited && waited.error().kind == ErrorKind::stopping) return waited;
    }
}

void Scheduler::step() {
    if (!is_started_) return;
    crew_.look();
    for (std::size_t seat = 0; seat < flights_.size(); ++seat) {
        take_answers(seat);
        take_early(seat);
        give_up_late(seat);
    }
    fill();
    take_back_waiting();
    if (const std::optional<Error> why = crew_.hopeless(); why && waiting_ > 0) fail_all(*why);
}

bool Scheduler::has_news() const {
    return crew_.has_news() || std::ranges::any_of(flights_, [](const std::vector<Flight>& flights) {
               return !flights.empty() && flights.front().answer.is_settled();
           });
}

Deadline Scheduler::next_look() const {
    Deadline next = crew_.next_start();
    const bool is_anybody_idle = idle() > 0;
    for (const std::vector<Flight>& flights : flights_) {
        if (flights.empty()) continue;
        next = next.or_earlier(flights.front().deadline);
        if (flights.front().batch != 0) next = next.or_earlier(flights.front().next_look);
        if (is_anybody_idle)
            for (const Flight& flight : flights)
                if (flight.batch != 0 && flight.is_whole) next = next.or_earlier(flight.is_long);
    }
    return next;
}

// ---- what comes back -------------------------------------------------------------------------------

void Scheduler::take_answers(std::size_t seat) {
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
            take_gifts_back(crew_.seats()[seat].worker, alone);
            for_each_task(alone.front().tasks, [&](Job& job, std::size_t task) {
                if (!job.is_settled(task)) job.fail(task, done.error(), crew_.seats()[seat].name, alone.front().sent);
            });
        }
    }
}

void Scheduler::take_done(std::size_t seat, Flight flight, Done done) {
    Seat& from = crew_.seats()[seat];
    const std::size_t count = tasks_in(done);
    if (!makes_sense(done, flight.count) || count < flight.told) {
        const Error why{ErrorKind::corrupt, fmt::format("{} has answered what is no answer to {} tasks", from.name, flight.count)};
        static_cast<void>(context_->kill(from.worker));
        flights_[seat].insert(flights_[seat].begin(), std::move(flight));
        return lose(seat, why, Cause::tasks);
    }
    Crew::praise(from);
    if (flight.count == flight.told) return;  // the rest has been taken back
    tempos_[flight.tasks.front().job->function.get()].note(count, done.took);
    const std::size_t told = flight.told;
    settle(flight, std::move(done), from.name, told);
    for (auto left = flight.tasks.rbegin(); left != flight.tasks.rend(); ++left) bring_back(*left, left->is_alone);
}

// A worker that is in a long task has told nothing of those before it.
void Scheduler::take_early(std::size_t seat) {
    if (flights_[seat].empty()) return;
    Flight& flight = flights_[seat].front();
    if (flight.batch == 0 || !flight.next_look.has_passed(context_->clock())) return;
    read_board(seat, flight);
    // Its worker may have been kept from running until now, so it is looked at again.
    flight.pause = std::min(2 * flight.pause, look_pause_max);
    flight.next_look = context_->deadline(flight.pause);
}

// It is the first that its worker has in hand from now on.
void Scheduler::begin(Flight& flight) {
    flight.is_long = context_->deadline(long_batch);
    flight.pause = long_batch;
    flight.next_look = flight.is_long;
}

void Scheduler::read_board(std::size_t seat, Flight& flight) {
    std::optional<Done> done = crew_.board().read(seat, flight.batch, flight.told, flight.count);
    if (!done || !makes_sense(*done, flight.count - flight.told)) return;
    const std::size_t count = tasks_in(*done);
    settle(flight, std::move(*done), crew_.seats()[seat].name, 0);
    flight.told += count;
}

// The first tasks of the flight came to what the results behind the first `skipped` say; the others are left.
void Scheduler::settle(Flight& flight, Done done, const std::string& worker, std::size_t skipped) {
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
            if (job.is_settled(task)) continue;  // cancelled meanwhile
            job.settle(task, has_failed ? Job::State::failed : Job::State::done, job.deliveries.size() - 1, index);
        }
        stretch.first += here;
        stretch.count -= here;
    }
    std::erase_if(flight.tasks, [](const Stretch& stretch) { return stretch.count == 0; });
}

void Scheduler::give_up_late(std::size_t seat) {
    if (flights_[seat].empty() || !flights_[seat].front().deadline.has_passed(context_->clock())) return;
    const std::vector<Flight> flights = std::exchange(flights_[seat], {});
    Seat& from = crew_.seats()[seat];
    const std::string worker = from.name;
    for_each_task(flights.front().tasks, [&](Job& job, std::size_t task) {
        if (job.is_settled(task)) return;
        job.fail(task, Error{ErrorKind::timed_out, fmt::format("{} took longer than its deadline: its worker {} was killed and is "
                                                               "replaced", call_text(job, task), worker)},
                 worker, flights.front().sent);
    });
    crew_.kill(from, Error{ErrorKind::timed_out, "it was killed, as its task took longer than its deadline"});
    Crew::praise(from);
}

// ---- deaths ----------------------------------------------------------------------------------------

void Scheduler::lose(std::size_t seat, const Error& why, Cause cause) {
    std::vector<Flight> flights = std::exchange(flights_[seat], {});
    for (Flight& flight : flights) read_board(seat, flight);
    std::erase_if(flights, [](const Flight& flight) { return flight.count == flight.told; });  // taken back, or known
    Seat& dead = crew_.seats()[seat];
    take_gifts_back(dead.worker, flights);
    std::size_t in_hand = 0;
    for (const Flight& flight : flights) in_hand += flight.count - flight.told;
    crew_.lose(dead, why, in_hand > 0 && cause == Cause::tasks ? Crew::Hands::full : Crew::Hands::empty);
    if (in_hand == 1 && cause == Cause::tasks) return count_death(seat, flights.front(), why);
    for (auto flight = flights.rbegin(); flight != flights.rend(); ++flight)
        for (auto stretch = flight->tasks.rbegin(); stretch != flight->tasks.rend(); ++stretch)
            bring_back(*stretch, stretch->is_alone || cause == Cause::tasks);
}

// The only task that the worker had in hand is why it died, as far as anybody can know.
void Scheduler::count_death(std::size_t seat, const Flight& flight, const Error& why) {
    Stretch stretch = flight.tasks.front();
    Job& job = *stretch.job;
    if (job.is_settled(stretch.first)) return;
    Seat& dead = crew_.seats()[seat];
    const std::uint32_t deaths = ++stretch.deaths;
    if (deaths > job.rules.retries) {
        job.fail(stretch.first, Error{why.kind, fmt::format("worker gone: {} (tried {} time{})", why.text, deaths, deaths == 1 ? "" : "s")},
                 dead.name, flight.sent);
        return Crew::praise(dead);
    }
    if (!is_whole(job, stretch.first)) {
        job.fail(stretch.first, Error{why.kind, fmt::format("worker gone: {}; the segment that {} was given is lost with it, so it "
                                                            "can't be tried again: lend what must survive", why.text,
                                                            call_text(job, stretch.first))},
                 dead.name, flight.sent);
        return Crew::praise(dead);
    }
    bring_back(std::move(stretch), true);
}

// What a task that is alone in hand was given and its worker had not accepted.
void Scheduler::take_gifts_back(const Ref<Protocol>& worker, const std::vector<Flight>& flights) {
    if (flights.size() != 1 || tasks_in(flights.front().tasks) != 1) return;
    const Stretch& stretch = flights.front().tasks.front();
    if (stretch.job->held.empty()) return;
    while (std::optional<Bounced<Run>> bounced = context_->next_bounced<Run>(worker)) unpack(flights.front().tasks, bounced->command);
}

void Scheduler::bring_back(Stretch stretch, bool is_alone) {
    if (stretch.count == 0 || stretch.job->is_settled(stretch.first)) return;  // a cancelled job is cancelled whole
    for (std::size_t task = stretch.first; task < stretch.first + stretch.count; ++task)
        stretch.job->fates[task].state = Job::State::waiting;
    stretch.is_alone = is_alone;
    waiting_ += stretch.count;
    queue_.push_front(std::move(stretch));
}

void Scheduler::fail_all(const Error& why) {
    for (const Stretch& stretch : std::exchange(queue_, {}))
        for_each_task({stretch}, [&](Job& job, std::size_t task) {
            if (!job.is_settled(task)) job.fail(task, why);
        });
    waiting_ = 0;
}

// ---- what goes out ---------------------------------------------------------------------------------

void Scheduler::fill() {
    if (waiting_ == 0) return;
    // What waits is shared evenly among all hands that are free, but not so few of them that others get nothing.
    std::size_t free = 2 * crew_.ready();
    for (const std::vector<Flight>& flights : flights_) free -= std::min(free, flights.size());
    const std::size_t hands = std::max<std::size_t>({free, crew_.ready(), 1});
    share_ = (waiting_ + hands - 1) / hands;
    idle_ = idle();
    // Who has nothing in hand comes first.
    for (const std::size_t in_hand : {std::size_t{0}, std::size_t{1}})
        for (std::size_t seat = 0; seat < flights_.size() && waiting_ > 0; ++seat)
            if (flights_[seat].size() == in_hand && has_room(seat)) give(seat);
}

std::size_t Scheduler::idle() const {
    std::size_t count = 0;
    for (std::size_t seat = 0; seat < flights_.size(); ++seat)
        if (crew_.seats()[seat].state == Seat::State::ready && flights_[seat].empty()) ++count;
    return count;
}

// Somebody has nothing to do, and nothing waits but what others have in hand and have not begun.
void Scheduler::take_back_waiting() {
    if (waiting_ > 0 || idle() == 0) return;
    const Clock& clock = context_->clock();
    for (std::size_t seat = 0; seat < flights_.size(); ++seat)
        for (Flight& flight : flights_[seat]) {
            if (flight.batch == 0 || !flight.is_whole || !flight.is_long.has_passed(clock)) continue;
            flight.is_whole = false;
            const std::size_t begun = std::max(crew_.board().take_back(seat, flight.batch, flight.count), flight.told);
            if (begun >= flight.count) continue;
            std::vector<Stretch> back = split(flight.tasks, begun - flight.told);
            flight.count = begun;
            for (auto stretch = back.rbegin(); stretch != back.rend(); ++stretch) bring_back(*stretch, stretch->is_alone);
        }
    fill();
}

bool Scheduler::has_room(std::size_t seat) const {
    if (crew_.seats()[seat].state != Seat::State::ready) return false;
    if (flights_[seat].empty()) return true;
    if (flights_[seat].front().tasks.empty()) return false;  // all of it was taken back: its worker does not get to run
    const Stretch& in_hand = flights_[seat].front().tasks.front();
    const auto tempo = tempos_.find(in_hand.job->function.get());
    return !in_hand.is_alone && tempo != tempos_.end() && tempo->second.is_quick();
}

void Scheduler::drop_cancelled() {
    while (!queue_.empty() && queue_.front().job->is_settled(queue_.front().first)) queue_.pop_front();
}

// The next batch, which is nobody's yet. Nothing where it would have to be alone, or is too long, for a worker that has
// one in hand already.
Batch Scheduler::cut(bool is_second) {
    Batch batch;
    drop_cancelled();
    if (queue_.empty()) return batch;
    const Signature* const function = queue_.front().job->function.get();
    const Tempo tempo = tempos_[function];
    if (is_second && (queue_.front().is_alone || !tempo.is_quick())) return batch;
    std::size_t wanted = queue_.front().is_alone ? 1 : std::min(tempo.batch(share_), Board::tasks_max);
    // However short they seem: nothing waits behind another task while somebody has nothing to do.
    if (idle_ > 0) wanted = std::min(wanted, (waiting_ + idle_ - 1) / idle_);
    std::size_t bytes_left = limits::batch_arguments_bytes_max;
    while (wanted > 0 && !queue_.empty() && queue_.front().job->function.get() == function) {
        Stretch& front = queue_.front();
        if (front.is_alone && !batch.empty()) break;
        const std::vector<std::uint32_t>& ends = front.job->ends;
        const std::size_t begin = front.job->begin_of(front.first);
        const auto first = ends.begin() + static_cast<std::ptrdiff_t>(front.first);
        const auto fitting = static_cast<std::size_t>(
            std::upper_bound(first, first + static_cast<std::ptrdiff_t>(std::min(wanted, front.count)), begin + bytes_left) - first);
        const std::size_t count = std::max<std::size_t>(fitting, batch.empty() ? 1 : 0);
        if (count == 0) break;
        batch.push_back({front.job, front.first, count, front.is_alone, front.deaths});
        bytes_left -= std::min(bytes_left, ends[front.first + count - 1] - begin);
        wanted -= count;
        front.first += count;
        front.count -= count;
        const bool is_used_up = front.count == 0;
        if (is_used_up) queue_.pop_front();
        if (batch.front().is_alone || !is_used_up) break;
        drop_cancelled();
    }
    waiting_ -= tasks_in(batch);
    for_each_task(batch, [](Job& job, std::size_t task) { job.fates[task].state = Job::State::in_hand; });
    return batch;
}

void Scheduler::give(std::size_t seat) {
    Batch batch = cut(!flights_[seat].empty());
    if (flights_[seat].empty() && idle_ > 0) --idle_;
    if (batch.empty()) return;
    const auto fail_batch = [&](const Error& why) {
        for_each_task(batch, [&](Job& job, std::size_t task) { job.fail(task, why); });
    };
    Result<Run> run = pack(batch);
    if (!run) return fail_batch(run.error());
    const Timestamp sent = std::chrono::system_clock::now();
    const bool may_be_split = !batch.front().is_alone;
    run->batch = may_be_split ? crew_.board().lay(seat, tasks_in(batch)) : 0;
    const std::uint16_t number = run->batch;
    const auto take_back = [&] {
        unpack(batch, *run);
        for (auto stretch = batch.rbegin(); stretch != batch.rend(); ++stretch) bring_back(*stretch, stretch->is_alone);
    };
    Result<Pending<Done>> answer = Error{};
    try {
        answer = context_->request(crew_.seats()[seat].worker, std::move(*run));
    } catch (...) {  // out of a wait within
        if (number != 0) crew_.board().forget_last(seat);
        take_back();
        throw;
    }
    if (answer) {
        const Deadline deadline = context_->deadline(batch.front().job->rules.deadline);
        const std::size_t count = tasks_in(batch);
        flights_[seat].push_back({std::move(*answer), std::move(batch), count, deadline, sent, number});
        begin(flights_[seat].back());
        return;
    }
    if (number != 0) crew_.board().forget_last(seat);
    const ErrorKind kind = answer.error().kind;
    if (kind != ErrorKind::gone && kind != ErrorKind::stopping) {
        unpack(batch, *run);
        return fail_batch(answer.error());
    }
    take_back();  // it was gone before it was given this
    if (kind == ErrorKind::gone) lose(seat, answer.error(), Cause::tasks);
}

}  // namespace baton::pool
