#include <baton/detail/pool/job.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include <baton/json.hpp>

namespace baton::detail::pool {
namespace {

// Results that an Unpacker has room for as it is.
constexpr std::size_t short_results_bytes = 512;
// It takes no longer to read these anew than to keep them.
constexpr std::size_t few_results = 16;

}  // namespace

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

void Reader::read(const Delivery& from) {
    from_ = &from;
    is_readable_ = false;
    const std::string_view bytes{reinterpret_cast<const char*>(from.done.results.data()), from.done.results.size()};
    if (unpacker_) unpacker_->clear();
    else if (bytes.size() < short_results_bytes) unpacker_.emplace();
    else unpacker_.emplace(batch_unpacked_bytes);
    std::size_t offset = 0;
    const Result<Value> values = unpacker_->next(bytes, offset);
    if (!values || values->kind() != ValueKind::array || values->size() != from.count()) return;
    values_ = *values;
    is_readable_ = true;
}

Reader& reader_for(Delivery& from, Reader& own) {
    if (from.count() <= few_results) return own;
    if (!from.reader) from.reader = std::make_unique<Reader>();
    return *from.reader;
}

// ---- Job -------------------------------------------------------------------------------------------

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
    std::string text;
    for (const PartDescription& parameter : function->parameters) {
        const Result<Value> argument = unpacker.next(arguments_of(task), offset);
        if (!argument) return "...";
        if (!text.empty()) text += ", ";
        if (handle_kind_of(parameter.type.kind)) {
            text += parameter.type.kind;
            continue;
        }
        const Result<dynamic::Value> value = value_from(parameter.type, *argument);
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
    Buffer list;
    Encoder encoder{list, Encoder::unbounded};
    encoder.array(row.parts.size());
    encoder.encoded(arguments_of(task));
    Result<dynamic::Value> read = dynamic::from_bytes(row, std::as_bytes(std::span(list)));
    if (!read) return read.error();
    return std::move(*read->as<dynamic::Value::List>());
}

void Job::append_arguments(std::span<const Bytes> row) {
    Encoder encoder{arguments, Encoder::unbounded};
    for (const Bytes& one : row) {
        if (one.empty()) encoder.nil();
        else encoder.encoded({reinterpret_cast<const char*>(one.data()), one.size()});
    }
}

}  // namespace baton::detail::pool
