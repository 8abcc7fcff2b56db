#include <baton/detail/pool/job.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include <baton/json.hpp>

namespace baton::detail::pool {

// ---- Delivery, Reader ------------------------------------------------------------------------------

Timestamp Delivery::ended(std::size_t index) const {
    if (index + 1 >= count()) return done.started + done.took;
    std::uint32_t moment = 0;
    std::memcpy(&moment, done.moments.data() + index * sizeof moment, sizeof moment);
    return done.started + std::chrono::nanoseconds{moment};
}

Error Delivery::error_of(std::size_t index) const {
    if (error) return *error;
    const auto found = std::ranges::lower_bound(done.failures, index, {}, &FailedTask::index);
    if (found == done.failures.end() || found->index != index)
        return Error{ErrorKind::corrupt, fmt::format("{} has sent something that can't be read as a result", worker)};
    const ErrorBody& body = found->error;
    return Error{error_kind_of(body.kind).value_or(ErrorKind::failed), body.text, body.type, body.frames};
}

std::optional<Value> Reader::value(const Delivery& from, std::size_t index) {
    if (from_ != &from) {
        from_ = &from;
        values_.reset();
        unpacker_.clear();
        const std::string_view bytes{reinterpret_cast<const char*>(from.done.results.data()), from.done.results.size()};
        std::size_t offset = 0;
        const Result<Value> values = unpacker_.next(bytes, offset);
        if (values && values->kind() == ValueKind::array && values->size() == from.count()) values_ = *values;
    }
    return values_ ? std::optional(values_->at(index)) : std::nullopt;
}

// ---- Job -------------------------------------------------------------------------------------------

void Job::settle(std::size_t task, State state, std::size_t delivery, std::size_t index) {
    Fate& fate = fates[task];
    fate.state = state;
    fate.delivery = static_cast<std::uint32_t>(delivery);
    fate.index = static_cast<std::uint32_t>(index);
    --unsettled;
    tell(task);
    if (!tally) return;
    --tally->open;
    tally->last = this;
    if (state == State::done || tally->failed != nullptr) return;
    tally->failed = this;
    tally->failed_task = task;
}

void Job::end(std::size_t task, State state, Error why, std::string worker, std::optional<Timestamp> started) {
    auto delivery = std::make_shared<Delivery>();
    delivery->worker = std::move(worker);
    const Timestamp now = std::chrono::system_clock::now();
    delivery->done.started = started.value_or(now);
    delivery->done.took = now - delivery->done.started;
    delivery->error = std::move(why);
    deliveries.push_back(std::move(delivery));
    settle(task, state, deliveries.size() - 1, 0);
}

void Job::fail(std::size_t task, Error why, std::string worker, std::optional<Timestamp> started) {
    end(task, State::failed, std::move(why), std::move(worker), started);
}

void Job::cancel(std::size_t task, Error why, std::string worker, std::optional<Timestamp> started) {
    end(task, State::cancelled, std::move(why), std::move(worker), started);
}

void Job::release(std::size_t task) {
    fates[task].state = State::released;
    --unsettled;
    tell(task);
    if (tally) --tally->open;
}

void Job::tell(std::size_t task) {
    for (const std::weak_ptr<Finished>& listener : listeners)
        if (const std::shared_ptr<Finished> finished = listener.lock()) finished->tasks.emplace_back(this, task);
}

std::string Job::arguments_text(std::size_t task) const {
    Unpacker unpacker;
    std::size_t offset = 0;
    const Result<Value> list = unpacker.next(arguments_of(task), offset);
    if (!list || list->kind() != ValueKind::array) return "...";
    std::string text;
    for (std::size_t index = 0; index < list->size(); ++index) {
        const TypeDescription& type = function->parameters[index].type;
        if (index > 0) text += ", ";
        if (handle_kind_of(type.kind)) {
            text += type.kind;
            continue;
        }
        const Result<dynamic::Value> value = value_from(type, list->at(index));
        text += value ? to_json(*value, JsonLayout::compact) : "...";
    }
    return text;
}

Result<dynamic::Value::List> Job::argument_values(std::size_t task) const {
    dynamic::Type row{"tuple", "", 0, {}};
    for (const PartDescription& parameter : function->parameters) {
        const bool is_held = handle_kind_of(parameter.type.kind).has_value();
        row.parts.push_back({"", is_held ? dynamic::Type{"nothing", "", 0, {}} : parameter.type});
    }
    Result<dynamic::Value> read = dynamic::from_bytes(row, std::as_bytes(std::span(arguments_of(task))));
    if (!read) return read.error();
    return std::move(*read->as<dynamic::Value::List>());
}

void Job::append_arguments(std::span<const Bytes> row) {
    Encoder encoder{arguments, Encoder::unbounded};
    encoder.array(row.size());
    for (const Bytes& one : row) {
        if (one.empty()) encoder.nil();
        else encoder.encoded({reinterpret_cast<const char*>(one.data()), one.size()});
    }
}

}  // namespace baton::detail::pool
