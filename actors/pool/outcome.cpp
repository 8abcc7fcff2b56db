#include <baton/pool/outcome.hpp>

#include <fmt/format.h>

#include <baton/json.hpp>

namespace baton::pool {

using detail::TypeDescription;
using detail::Value;
using detail::pool::Delivery;
using detail::pool::Job;
using detail::pool::Reader;

const Delivery* AnyOutcome::delivery() const {
    const Job::Fate& fate = job_->fates[task_];
    const bool has_one = fate.state == State::done || fate.state == State::failed || fate.state == State::cancelled;
    return has_one ? job_->deliveries[fate.delivery].get() : nullptr;
}

Reader& AnyOutcome::reader(Reader& own) const {
    return reader_for(*job_->deliveries[job_->fates[task_].delivery], own);
}

Result<Value> AnyOutcome::value(Reader& reader) const {
    Value value;
    if (find(reader, value)) return value;
    return Error{ErrorKind::corrupt,
                 fmt::format("{} has sent something that can't be read as a result", delivery()->worker)};
}

std::string AnyOutcome::worker() const {
    const Delivery* from = delivery();
    return from == nullptr ? std::string() : from->worker;
}

Timestamp AnyOutcome::started() const {
    const Delivery* from = delivery();
    return from == nullptr ? Timestamp{} : from->started(job_->fates[task_].index);
}

Timestamp AnyOutcome::finished() const {
    const Delivery* from = delivery();
    return from == nullptr ? Timestamp{} : from->ended(job_->fates[task_].index);
}

Error AnyOutcome::error() const {
    const Delivery* from = delivery();
    if (from == nullptr) {
        return was_cancelled() ? Error{ErrorKind::refused, "the task was cancelled: nobody holds it any more"}
                               : Error{ErrorKind::timed_out, "the task has no outcome yet"};
    }
    return from->error_of(job_->fates[task_].index);
}

Error AnyOutcome::error_in_call() const {
    Error why = error();
    why.text = fmt::format("{} (in {}({}){})", why.text, function(), arguments_text(),
                           worker().empty() ? "" : ", worker " + worker());
    return why;
}

Result<Segment> AnyOutcome::take_segment(std::size_t index) const {
    Delivery& from = *job_->deliveries[job_->fates[task_].delivery];
    std::vector<Segment>& segments = from.done.segments;
    if (index >= segments.size() || !segments[index])
        return Error{ErrorKind::refused,
                     fmt::format("the segment that {}({}) made has been taken already", function(), arguments_text())};
    return std::move(segments[index]);
}

std::string AnyOutcome::to_text() const {
    std::string text = fmt::format("Call to {}({}) --> ", function(), arguments_text());
    if (!ok()) {
        const Error why = error();
        return text + "Error: " + (why.type.empty() ? baton::to_text(why) : why.type + ": " + why.text);
    }
    const TypeDescription& type = job_->function->result;
    text += "Result: ";
    if (segments() == 1) return text + delivery()->done.segments[0].to_text();
    if (segments() > 1) return fmt::format("{}{} segments", text, segments());
    if (type.kind == "nothing") return text + "nothing";
    Reader own;
    const Result<Value> from = value(reader(own));
    const Result<dynamic::Value> result =
        from ? detail::value_from(type, *from) : Result<dynamic::Value>{from.error()};
    return text + (result ? to_json(*result, JsonLayout::compact) : baton::to_text(result.error()));
}

}  // namespace baton::pool
