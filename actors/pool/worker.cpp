#include <baton/worker.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include <baton/detail/pool/board.hpp>
#include <baton/detail/pool/work.hpp>
#include <baton/actor.hpp>
#include <baton/text.hpp>

namespace baton::detail::pool {
namespace {

using baton::pool::Worker;

// A batch whose results have this size is answered with what is done of it, ...
constexpr std::size_t results_bytes_enough = std::size_t{64} << 10;
constexpr std::size_t result_bytes_max = limits::message_bytes_max  // so that the largest result fits behind:
                                         - results_bytes_enough     // those before it
                                         - (std::size_t{16} << 10); // an error, and what a Done has beside its results

// When tasks are done. Short ones share a look at the clock, which takes as long as they do.
class Stopwatch {
public:
    // How long it has been running, when one more task is done; looked at when a few quick ones have been, and in any
    // case when the coarse clock has moved, which costs nothing to look at.
    Duration lap() {
        ++tasks_;
        const std::int64_t coarse = read(CLOCK_MONOTONIC_COARSE);
        if (tasks_ < together_ && coarse == coarse_) return passed_;
        coarse_ = coarse;
        const Duration passed{read(CLOCK_MONOTONIC) - begin_};
        const bool are_quick = (passed - passed_) / tasks_ < quick;
        together_ = are_quick ? std::min(2 * together_, together_max) : 1;
        tasks_ = 0;
        return passed_ = passed;
    }
    // To the last look, if the last task has had one; else now.
    Duration end() { return tasks_ == 0 ? passed_ : Duration{read(CLOCK_MONOTONIC) - begin_}; }

private:
    static constexpr Duration quick = std::chrono::nanoseconds{250};
    static constexpr int together_max = 16;
    static std::int64_t read(clockid_t clock) {
        timespec time{};
        ::clock_gettime(clock, &time);
        return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
    }
    std::int64_t begin_ = read(CLOCK_MONOTONIC);
    std::int64_t coarse_ = read(CLOCK_MONOTONIC_COARSE);
    Duration passed_{};
    int tasks_ = 0;     // since the last look
    int together_ = 1;  // tasks that share one look
};

// The actor: runs one batch after the other.
class Bench {
public:
    Bench(Context& context, const Worker& worker) : context_(&context), worker_(&worker) {
        if (!worker.mistake().empty()) throw ErrorException(Error{ErrorKind::refused, worker.mistake()});
    }

    Described on(Describe command) {
        place_.take(std::move(command.place));
        Described out{context_->name(), {}};
        for (const Worker::Task& task : worker_->tasks()) out.tasks.push_back(task.signature);
        return out;
    }

    Result<Done> on(Run run) {
        const auto task = std::ranges::find(worker_->tasks(), run.function, [](const Worker::Task& one) {
            return std::string_view(one.signature.name);
        });
        if (task == worker_->tasks().end())
            return Error{ErrorKind::refused, fmt::format("{} has no task '{}'", context_->name(), run.function)};
        unpacker_.clear();
        std::size_t offset = 0;
        const std::string_view bytes{reinterpret_cast<const char*>(run.arguments.data()), run.arguments.size()};
        const Result<Value> batch = unpacker_.next(bytes, offset);
        if (!batch) return batch.error();
        const std::uint64_t parameters = task->signature.parameters.size();
        if (batch->kind() != ValueKind::array || batch->size() != run.tasks * parameters || run.tasks == 0 ||
            run.tasks > batch_tasks_max || (run.tasks > 1 && !run.carried.empty()))
            return Error{ErrorKind::refused, fmt::format("the arguments of a batch of {} are a list, {} for each task; "
                                                         "there is one task where segments come along",
                                                         run.function, parameters)};

        Done done;
        done.started = std::chrono::system_clock::now();
        Stopwatch watch;
        Duration passed{};
        results_.clear();
        moments_.clear();
        Notes notes = place_.open(run.batch, done.started);
        bool may_go_on = true;
        while (may_go_on && moments_.size() < run.tasks) {
            const std::size_t index = moments_.size();
            if (!place_.begin(index)) break;
            const std::size_t before = results_.size();
            run_one(*task, *batch, run.carried, done, static_cast<std::uint32_t>(index));
            passed = watch.lap();
            const auto moment = static_cast<std::uint32_t>(std::min<std::int64_t>(passed.count(), UINT32_MAX));
            moments_.push_back(moment);
            const bool has_failed = !done.failures.empty() && done.failures.back().index == index;
            may_go_on = passed <= run.budget && results_.size() <= results_bytes_enough &&
                        (has_failed ? notes.note(moment, done.failures.back().error)
                                    : notes.note(moment, std::string_view(results_).substr(before)));
        }
        done.took = watch.end();
        Buffer head;
        Encoder{head}.array(moments_.size());
        done.results.reserve(head.size() + results_.size());
        for (const std::string_view part : {std::string_view(head), std::string_view(results_)}) {
            const auto bytes_of = std::as_bytes(std::span(part));
            done.results.insert(done.results.end(), bytes_of.begin(), bytes_of.end());
        }
        const auto moments = std::as_bytes(std::span(moments_));
        done.moments.assign(moments.begin(), moments.end());
        return done;
    }

private:
    // Its value goes behind the results, or nothing and its error to the failures.
    void run_one(const Worker::Task& task, Value batch, std::vector<Carried>& carried, Done& done,
                 std::uint32_t index) {
        const std::size_t before = results_.size();
        Encoder result{results_};
        Worker::Call call{batch, index * task.signature.parameters.size(), carried, result, done.segments};
        std::optional<Error> error;
        try {
            if (Result<void> run = task.call(*context_, call); !run) error = std::move(run.error());
        } catch (...) {
            error = error_of_current_exception();
        }
        const std::size_t bytes = results_.size() - before;
        if (!error && std::string_view(results_).substr(before) == nested_too_deep)
            error =
                Error{ErrorKind::refused, fmt::format("the result is nested deeper than {} (limits::message_depth_max)",
                                                      limits::message_depth_max)};
        if (!error && bytes > result_bytes_max)
            error = Error{ErrorKind::refused,
                          fmt::format("the result has more than the {} bytes that fit into a message: return it as "
                                      "a Segment",
                                      result_bytes_max)};
        if (!error) return;
        results_.resize(before);
        result.nil();
        done.segments.clear();
        done.failures.push_back(
            {index,
             {std::string(name_of(error->kind)), readable(error->text, limits::error_text_bytes_max),
              readable(error->type, limits::error_frame_bytes_max), error->frames}});
    }

    Context* context_;
    const Worker* worker_;
    Place place_;
    Unpacker unpacker_{batch_unpacked_bytes};
    // Reused from batch to batch.
    Buffer results_;
    std::vector<std::uint32_t> moments_;
};

}  // namespace
}  // namespace baton::detail::pool

namespace baton::pool {

void Worker::add(Task task, std::size_t names) {
    const detail::pool::Signature& signature = task.signature;
    std::string mistake;
    if (signature.name.empty()) {
        mistake = "a task needs a name";
    } else if (std::ranges::any_of(tasks_, [&](const Task& one) { return one.signature.name == signature.name; })) {
        mistake = fmt::format("two tasks are called '{}'", signature.name);
    } else if (names != 0 && names != signature.parameters.size()) {
        mistake =
            fmt::format("'{}' has {} arguments, and names for {}", signature.name, signature.parameters.size(), names);
    }
    if (mistake_.empty()) mistake_ = std::move(mistake);
    tasks_.push_back(std::move(task));
}

int Worker::run(int argc, char** argv) {
    return run_actor<detail::pool::Bench, detail::pool::Protocol>(argc, argv, *this);
}

}  // namespace baton::pool
