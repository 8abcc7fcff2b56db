#include "actors/pool/outcome.hpp"

#include <fmt/format.h>

#include "runtime/wire/json.hpp"
#include "runtime/wire/notices.hpp"

namespace baton::pool {
namespace {

Timestamp moment(const Delivery& delivery, std::size_t index) {
    std::int64_t nanoseconds = 0;
    static_cast<void>(delivery.values.at(3 * index).to_integer(nanoseconds));
    return delivery.started + std::chrono::nanoseconds{nanoseconds};
}

Error error_in(const std::string& function, Value value) {
    ErrorBody body;
    Decoding at{function};
    if (!decode(value, body, at)) return at.take_error();
    return Error{error_kind_of(body.kind).value_or(ErrorKind::failed), body.text, body.type, body.frames};
}

}  // namespace

const Delivery* AnyOutcome::delivery() const {
    const Job::Fate& fate = job_->fates[task_];
    const bool has_one = fate.state == Job::State::done || fate.state == Job::State::failed;
    return has_one ? job_->deliveries[fate.delivery].get() : nullptr;
}

Value AnyOutcome::value() const { return delivery()->values.at(3 * index() + 2); }

std::string AnyOutcome::worker() const {
    const Delivery* from = delivery();
    return from == nullptr ? std::string() : from->worker;
}

Timestamp AnyOutcome::started() const {
    const Delivery* from = delivery();
    if (from == nullptr) return {};
    return from->error || index() == 0 ? from->started : moment(*from, index() - 1);
}

Timestamp AnyOutcome::finished() const {
    const Delivery* from = delivery();
    if (from == nullptr) return {};
    return from->error ? from->ended : moment(*from, index());
}

Error AnyOutcome::error() const {
    const Delivery* from = delivery();
    if (from == nullptr) {
        const bool was_cancelled = job_->fates[task_].state == Job::State::cancelled;
        return was_cancelled ? Error{ErrorKind::refused, "the task was cancelled"}
                             : Error{ErrorKind::timed_out, "the task has not come to its end yet"};
    }
    return from->error ? *from->error : error_in(function(), from->values.at(3 * index() + 1));
}

Error AnyOutcome::error_in_call() const {
    Error why = error();
    why.text = fmt::format("{} (in {}({}){})", why.text, function(), arguments_text(), worker().empty() ? "" : ", worker " + worker());
    return why;
}

Result<Segment> AnyOutcome::take_segment(std::size_t index) const {
    Delivery& from = *job_->deliveries[job_->fates[task_].delivery];
    if (index >= from.segments.size() || !from.segments[index])
        return Error{ErrorKind::refused, fmt::format("the segment that {}({}) made has been taken already", function(), arguments_text())};
    return std::move(from.segments[index]);
}

std::string AnyOutcome::to_text() const {
    std::string text = fmt::format("Call to {}({}) --> ", function(), arguments_text());
    if (!ok()) {
        const Error why = error();
        return text + "Error: " + (why.type.empty() ? describe(why) : why.type + ": " + why.text);
    }
    const TypeDescription& type = job_->function->result;
    text += "Result: ";
    if (!delivery()->segments.empty()) return text + (segments() == 1 ? delivery()->segments[0].to_text() : fmt::format("{} segments", segments()));
    const Result<Dynamic> result = decode_dynamic(type, value());
    return text + (result ? to_json(*result, JsonLayout::compact) : describe(result.error()));
}

}  // namespace baton::pool
