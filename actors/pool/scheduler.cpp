#include <baton/detail/pool/scheduler.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <baton/progress.hpp>

namespace baton::detail::pool {

using baton::pool::Cancelled;
using baton::pool::CancelledTasks;
using baton::pool::Errors;

namespace {

constexpr Duration look_interval = std::chrono::milliseconds{1};

// True as long as this lives.
class Flag {
public:
    explicit Flag(bool& flag) : flag_(&flag) { flag = true; }
    ~Flag() { *flag_ = false; }
    Flag(const Flag&) = delete;
    Flag& operator=(const Flag&) = delete;

private:
    bool* flag_;
};

}  // namespace

Scheduler::Scheduler(Context& context, Options options)
    : context_(&context), options_(std::move(options)), crew_(context, options_), hands_(context, crew_, queue_) {}

Scheduler::~Scheduler() { static_cast<void>(stop(limits::stop_timeout)); }

// ---- start and stop --------------------------------------------------------------------------------

Result<void> Scheduler::start() {
    if (is_ready()) return {};
    if (is_stopping_)
        return Error{ErrorKind::stopping, "the pool is being stopped: start it again when stop() has returned"};
    if (!is_started_) {  // else an exception has left the wait below
        is_started_ = true;
        crew_.open();
        hands_.open();
    }
    std::optional<Progress> progress;
    if (options_.shows_progress) progress.emplace("workers ready", crew_.seats().size(), "workers");
    const auto all_decided = [&] {
        if (progress) progress->reach(crew_.ready());
        return std::ranges::all_of(crew_.seats(), [](const Crew::Seat& seat) {
            return seat.state == Crew::Seat::State::ready || seat.state == Crew::Seat::State::given_up;
        });
    };
    const Result<void> waited = wait(all_decided, options_.start_timeout);
    if (crew_.ready() > 0) return {};
    const std::optional<Error> hopeless = crew_.hopeless();
    progress.reset();
    static_cast<void>(stop(limits::stop_timeout));
    if (hopeless) return *hopeless;
    return Error{waited ? ErrorKind::timed_out : waited.error().kind,
                 fmt::format("no worker of '{}' was ready in time (Options::start_timeout)", options_.program)};
}

std::vector<Ended> Scheduler::stop(Within within) {
    if (!is_started_ || is_stopping_) return {};
    const Flag stopping{is_stopping_};
    end_all_tasks();
    return crew_.stop(within);
}

void Scheduler::abandon() {
    if (!is_started_) return;
    continuations_.clear();
    attendance_.reset();
    end_all_tasks();
    crew_.abandon();
}

void Scheduler::end_all_tasks() {
    is_started_ = false;
    const Error why{ErrorKind::stopping, "the pool was stopped before this task was done"};
    queue_.fail_all(why);
    hands_.fail_all(why);
    queue_.forget_tempos();
}

// ---- tasks in, tasks out ---------------------------------------------------------------------------

Result<void> Scheduler::enqueue(const std::shared_ptr<Job>& job) {
    if (!is_started_) return Error{ErrorKind::refused, "the pool is not started"};
    return queue_.push(job);
}

Cancelled Scheduler::cancel(Job& job, std::size_t task) {
    if (!job.is_settled(task)) look_outside();  // its outcome may have come
    if (job.is_settled(task)) return Cancelled::too_late;
    if (job.fates[task].state == Job::State::in_hand) {
        const Cancelled how = hands_.cancel(job, task);
        step();  // what shared its worker's hands goes on
        return how;
    }
    queue_.withdraw(job, task);
    job.cancel(task, not_begun());
    return Cancelled::withdrawn;
}

CancelledTasks Scheduler::cancel_all(Job& job) {
    CancelledTasks all;
    if (job.unsettled > 0) look_outside();
    // Those that wait first: none of them may take the place of one that is ended.
    queue_.withdraw(job);
    std::vector<std::size_t> in_hand;
    for (std::size_t task = 0; task < job.size(); ++task) {
        if (job.fates[task].state == Job::State::in_hand) {
            in_hand.push_back(task);
        } else if (job.is_settled(task)) {
            ++all.too_late;
        } else {
            ++all.withdrawn;
            job.cancel(task, not_begun());
        }
    }
    for (const std::size_t task : in_hand) {
        // One that shared the hands of a worker that has been ended waits again by now.
        if (job.fates[task].state == Job::State::waiting) {
            queue_.withdraw(job, task);
            job.cancel(task, not_begun());
            ++all.withdrawn;
            continue;
        }
        const Cancelled how = job.is_settled(task) ? Cancelled::too_late : hands_.cancel(job, task);
        ++(how == Cancelled::ended ? all.ended : how == Cancelled::withdrawn ? all.withdrawn : all.too_late);
    }
    step();
    return all;
}

// ---- moving ----------------------------------------------------------------------------------------

void Scheduler::look_outside() {
    // A wait for what is so already would not look outside.
    static_cast<void>(context_->wait_for([this] { return has_news(); }, Duration::zero()));
    looked_ = context_->now();
    step();
}

void Scheduler::move() {
    if (context_->now() - looked_ >= look_interval) return look_outside();
    step();
}

Result<void> Scheduler::wait(const std::function<bool()>& done, Within within) {
    const Deadline deadline = context_->deadline(within);
    for (bool is_last = false;;) {
        step();
        if (done()) return {};
        if (is_last) return Error{ErrorKind::timed_out, "the tasks were not done in time"};
        const Instant before = context_->now();
        is_last = before >= deadline.at();
        const Result<void> waited = context_->wait_for([this] { return has_news(); }, deadline.or_earlier(next_look()));
        looked_ = context_->now();
        if (!waited && waited.error().kind == ErrorKind::stopping) return waited;
    }
}

void Scheduler::step() {
    if (!is_started_ || is_stepping_) return;
    const Flag stepping{is_stepping_};
    crew_.look();
    for (std::size_t seat = 0; seat < crew_.seats().size(); ++seat) hands_.look(seat);
    hands_.fill();
    hands_.share_out();
    if (const std::optional<Error> why = crew_.hopeless(); why && queue_.size() > 0) queue_.fail_all(*why);
}

// ---- between commands ------------------------------------------------------------------------------

void Scheduler::then(std::shared_ptr<Job> job, Errors errors, std::function<void()> take) {
    continuations_.push_back({std::move(job), errors, std::move(take)});
    if (!attendance_) attendance_ = context_->between_commands([this] { return continue_settled(); });
}

Deadline Scheduler::continue_settled() {
    if (is_stepping_) return Deadline::never();  // within a wait of ours; asked again when that is over
    const std::shared_ptr<Scheduler> alive = shared_from_this();  // whatever the functions do
    for (;;) {
        step();
        const auto settled = std::ranges::find_if(continuations_, [this](const Continuation& one) {
            if (one.errors == Errors::stop_at_first && one.job->tally->failed != nullptr) queue_.release(*one.job);
            return one.job->unsettled == 0;
        });
        if (settled == continuations_.end()) break;
        const Continuation now = std::move(*settled);
        continuations_.erase(settled);
        now.take();
    }
    if (continuations_.empty()) attendance_.reset();
    return is_started_ ? next_look() : Deadline::never();
}

}  // namespace baton::detail::pool
