#include "actors/pool/worker.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/pool/work.hpp"
#include "runtime/actor.hpp"

namespace baton::pool {
namespace {

// A batch that has so many bytes of results is answered with what is done of it, ...
constexpr std::size_t results_bytes_enough = std::size_t{64} << 10;
constexpr std::size_t result_bytes_max = limits::message_bytes_max  // so that the largest result fits behind:
                                         - results_bytes_enough     // those before it
                                         - (std::size_t{16} << 10); // an error, and what a Done has beside its results

// What people can read of any bytes.
std::string readable(std::string text) {
    text.resize(std::min(text.size(), limits::error_text_bytes_max));
    if (!is_utf8(text)) std::ranges::replace_if(text, [](char letter) { return (letter & 0x80) != 0; }, '?');
    return text;
}

void encode_error(Encoder& encoder, const Error& error) {
    encode(encoder, ErrorBody{std::string(name_of(error.kind)), readable(error.text), readable(error.type), error.frames});
}

// The actor: runs one batch after the other.
class Bench {
public:
    Bench(Context& context, const Worker& worker) : context_(&context), worker_(&worker) {
        if (!worker.mistake().empty()) throw Failure(Error{ErrorKind::refused, worker.mistake()});
    }

    std::vector<Signature> on(const Describe&) {
        std::vector<Signature> all;
        for (const Worker::Task& task : worker_->tasks()) all.push_back(task.signature);
        return all;
    }

    Result<Done> on(Run run) {
        const auto task = std::ranges::find(worker_->tasks(), run.function, [](const Worker::Task& one) { return std::string_view(one.signature.name); });
        if (task == worker_->tasks().end())
            return Error{ErrorKind::refused, fmt::format("{} has no task '{}'", context_->name(), run.function)};
        unpacker_.clear();
        std::size_t offset = 0;
        const std::string_view bytes{reinterpret_cast<const char*>(run.arguments.data()), run.arguments.size()};
        const Result<Value> batch = unpacker_.next(bytes, offset);
        if (!batch) return batch.error();
        if (batch->kind() != ValueKind::array || batch->size() == 0 || (batch->size() > 1 && !run.carried.empty()))
            return Error{ErrorKind::refused, "the arguments of a batch are a list of lists, one of them where segments come along"};

        Done done;
        done.started = std::chrono::system_clock::now();
        const Instant begin = std::chrono::steady_clock::now();
        results_.clear();
        std::size_t count = 0;
        for (Duration passed{}; count < batch->size(); ++count) {
            if (count > 0 && (passed > run.budget || results_.size() > results_bytes_enough)) break;
            const Error* error = run_one(*task, batch->at(count), run.carried, done.segments);
            passed = std::chrono::steady_clock::now() - begin;
            Encoder encoder{results_};
            encoder.integer(passed.count());
            if (error != nullptr) {
                encode_error(encoder, *error);
                encoder.nil();
            } else {
                encoder.nil();
                encoder.encoded(value_);
            }
        }
        Buffer head;
        Encoder{head}.array(3 * count);
        const auto add = [&](const Buffer& from) {
            const auto part = std::as_bytes(std::span(from));
            done.results.insert(done.results.end(), part.begin(), part.end());
        };
        done.results.reserve(head.size() + results_.size());
        add(head);
        add(results_);
        return done;
    }

private:
    // Its value, or its error, until the next one is run.
    const Error* run_one(const Worker::Task& task, Value arguments, std::vector<Carried>& carried, std::vector<Segment>& segments) {
        value_.clear();
        Encoder result{value_};
        Worker::Call call{arguments, carried, result, segments};
        try {
            if (Result<void> done = task.call(*context_, call); !done) return &error_.emplace(done.error());
        } catch (...) {
            return &error_.emplace(error_of_current_exception());
        }
        if (value_.size() <= result_bytes_max) return nullptr;
        return &error_.emplace(Error{ErrorKind::refused,
                                     fmt::format("the result has {} bytes, at most {} fit into a message: return it as a Segment",
                                                 value_.size(), result_bytes_max)});
    }

    Context* context_;
    const Worker* worker_;
    Unpacker unpacker_;
    Buffer value_;
    Buffer results_;
    std::optional<Error> error_;
};

class BenchHandler final : public Handler {
public:
    BenchHandler(Context& context, const Worker& worker) : bench_(context, worker), dispatch_(context.loop(), bench_) {}
    void handle(const Command& command, AnswerSlot answer) override { dispatch_.handle(command, std::move(answer)); }

private:
    Bench bench_;
    Dispatch<Bench, Protocol> dispatch_;
};

}  // namespace

void Worker::add(Task task, std::size_t names) {
    const Signature& signature = task.signature;
    std::string mistake;
    if (signature.name.empty()) {
        mistake = "a task needs a name";
    } else if (std::ranges::any_of(tasks_, [&](const Task& one) { return one.signature.name == signature.name; })) {
        mistake = fmt::format("two tasks are called '{}'", signature.name);
    } else if (names != 0 && names != signature.parameters.size()) {
        mistake = fmt::format("'{}' has {} arguments, and names for {}", signature.name, signature.parameters.size(), names);
    }
    if (mistake_.empty()) mistake_ = std::move(mistake);
    tasks_.push_back(std::move(task));
}

int Worker::run(int argc, char** argv) {
    return run_actor_program(argc, argv, describe_protocol<Protocol>(),
                             [this](Context& context) { return std::make_unique<BenchHandler>(context, *this); });
}

}  // namespace baton::pool
