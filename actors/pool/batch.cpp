#include <baton/detail/pool/batch.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include <baton/detail/pool/tempo.hpp>

namespace baton::detail::pool {
namespace {

// What a Run needs beside its arguments.
constexpr std::size_t run_bytes = std::size_t{4} << 10;

}  // namespace

std::size_t tasks_in(const Batch& batch) {
    std::size_t count = 0;
    for (const Stretch& stretch : batch) count += stretch.count;
    return count;
}

std::size_t tasks_in(const Done& done) { return done.moments.size() / sizeof(std::uint32_t); }

Result<Run> pack(const Batch& batch) {
    const Signature& function = *batch.front().job->function;
    const std::size_t tasks = tasks_in(batch);
    Run run{function.name, static_cast<std::uint32_t>(tasks), {}, {}, Tempo::budget, 0};
    Buffer head;
    Encoder{head}.array(tasks * function.parameters.size());
    std::size_t bytes = head.size();
    const auto piece = [](const Stretch& stretch) {
        const Job& job = *stretch.job;
        const std::size_t begin = job.begin_of(stretch.first);
        return std::as_bytes(std::span(job.arguments))
            .subspan(begin, job.ends[stretch.first + stretch.count - 1] - begin);
    };
    for (const Stretch& stretch : batch) bytes += piece(stretch).size();
    run.arguments.reserve(bytes);
    const auto add = [&](std::span<const std::byte> from) {
        run.arguments.insert(run.arguments.end(), from.begin(), from.end());
    };
    add(std::as_bytes(std::span(head)));
    for (const Stretch& stretch : batch) add(piece(stretch));

    Job& job = *batch.front().job;
    if (job.held.empty()) return run;
    std::vector<HeldArgument>& held = job.held[batch.front().first];
    run.carried.resize(held.size());
    // Leases first: as long as one may be refused, what can only be given once stays where it is.
    for (std::size_t index = 0; index < held.size(); ++index) {
        Result<void> made;
        const auto keep = [&](auto result) {
            if (result) run.carried[index] = std::move(*result);
            else made = result.error();
        };
        if (const auto* lease = std::get_if<LeaseOf>(&held[index]))
            keep(lease->count ? lease->lender.lease(lease->first, *lease->count) : lease->lender.lease());
        if (const auto* slice = std::get_if<SliceOf>(&held[index]))
            keep(slice->lender.slice(slice->first, slice->count));
        if (!made) return made.error();
    }
    for (std::size_t index = 0; index < held.size(); ++index)
        std::visit([&]<class T>(T& one) {
            if constexpr (Held<T>) run.carried[index] = std::move(one);
        }, held[index]);
    return run;
}

std::vector<Stretch> split(Batch& batch, std::size_t keep) {
    std::vector<Stretch> rest;
    for (Stretch& stretch : batch) {
        const std::size_t here = std::min(stretch.count, keep);
        keep -= here;
        if (here == stretch.count) continue;
        rest.push_back({stretch.job, stretch.first + here, stretch.count - here, stretch.is_alone, stretch.deaths});
        stretch.count = here;
    }
    std::erase_if(batch, [](const Stretch& stretch) { return stretch.count == 0; });
    return rest;
}

void unpack(const Batch& batch, Run& run) {
    Job& job = *batch.front().job;
    if (job.held.empty()) return;
    std::vector<HeldArgument>& held = job.held[batch.front().first];
    for (std::size_t index = 0; index < std::min(held.size(), run.carried.size()); ++index)
        std::visit([&]<class T>(T& one) {
            if constexpr (Held<T>)
                if (auto* back = std::get_if<T>(&run.carried[index])) one = std::move(*back);
        }, held[index]);
}

Error not_begun() { return Error{ErrorKind::refused, "the task was cancelled before it began"}; }

Result<void> require_fit(const Job& job) {
    if (job.arguments.size() > std::numeric_limits<std::uint32_t>::max())
        return Error{ErrorKind::refused,
                     fmt::format("the arguments of {} tasks of {} take {} bytes, more than 4 GiB: give them in parts",
                                 job.size(), job.function->name, job.arguments.size())};
    for (std::size_t task = 0; task < job.size(); ++task)
        if (const std::size_t bytes = job.ends[task] - job.begin_of(task);
            bytes + run_bytes > limits::message_bytes_max)
            return Error{ErrorKind::refused,
                         fmt::format("the arguments of a task of {} have {} bytes, a message holds at most {} "
                                     "(limits::message_bytes_max): give large ones as a segment",
                                     job.function->name, bytes, limits::message_bytes_max)};
    return {};
}

bool is_whole(const Job& job, std::size_t task) {
    if (job.held.empty()) return true;
    return std::ranges::all_of(job.held[task], [](const HeldArgument& held) {
        return std::visit([]<class T>(const T& one) {
            if constexpr (Held<T>) return static_cast<bool>(one);
            else return true;
        }, held);
    });
}

bool makes_sense(const Done& done, std::size_t tasks) {
    const std::size_t count = tasks_in(done);
    if ((count == 0 && tasks > 0) || count > tasks || done.moments.size() % sizeof(std::uint32_t) != 0) return false;
    constexpr Duration longest = timestamp_max / 2;  // their sum is a point in time too
    if (done.took < Duration::zero() || done.took > longest) return false;
    if (done.started < Timestamp{-longest} || done.started > Timestamp{longest}) return false;
    std::size_t next = 0;
    for (const FailedTask& failure : done.failures) {
        if (failure.index < next || failure.index >= count) return false;
        next = failure.index + 1;
    }
    return done.segments.empty() || tasks == 1;
}

}  // namespace baton::detail::pool
