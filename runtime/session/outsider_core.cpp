#include "runtime/session/outsider_core.hpp"

#include <fmt/format.h>

#include "runtime/holdings/arrivals.hpp"
#include "runtime/inbox/access.hpp"
#include "runtime/wire/dynamic.hpp"

namespace baton::dynamic {
namespace {

using detail::Access;
using detail::AnswerSlot;
using detail::Arrivals;
using detail::AskId;
using detail::Buffer;
using detail::Departing;
using detail::Holding;
using detail::Loop;
using detail::ReplyFrame;

Holding* holding_of(const Value::Held& held) {
    if (held.memory == nullptr) return nullptr;
    return std::visit(
        [](const auto& memory) -> Holding* { return memory ? Access::holding(memory) : nullptr; }, *held.memory);
}

// What the values carry, so that it lives as long as the message.
void collect_memory(const Value& value, std::vector<std::shared_ptr<Memory>>& out) {
    if (const auto* const held = value.as<Value::Held>()) out.push_back(held->memory);
    if (const auto* const list = value.as<Value::List>())
        for (const Value& one : *list) collect_memory(one, out);
    if (const auto* const map = value.as<Value::Map>())
        for (const Value::Entry& one : *map) {
            collect_memory(one.first, out);
            collect_memory(one.second, out);
        }
}

// Puts what came with the message into the values that refer to it.
class Unpacking {
public:
    Unpacking(Arrivals* arrivals, bool is_typed) : arrivals_(arrivals), is_typed_(is_typed) {}

    Result<void> fill(Value& value) {
        if (auto* const held = value.as<Value::Held>()) return fill_held(*held);
        if (auto* const list = value.as<Value::List>())
            for (Value& one : *list)
                if (Result<void> done = fill(one); !done) return done;
        if (auto* const map = value.as<Value::Map>())
            for (Value::Entry& one : *map)
                if (Result<void> done = fill(one.second); !done) return done;
        return {};
    }

private:
    Result<void> fill_held(Value::Held& held) {
        std::string why = "refers to a segment that did not come with it";
        Holding* holding = nullptr;
        if (arrivals_ != nullptr) {
            Buffer encoded;  // as the body says it
            detail::Encoder{encoded}.handle(held.index);
            detail::Unpacker unpacker;
            std::size_t offset = 0;
            const detail::Value handle = unpacker.next(encoded, offset).value();
            const std::optional<HeldKind> kind = is_typed_ ? held.kind : arrivals_->kind_of(handle);
            if (kind) holding = arrivals_->take(handle, *kind, why);
        }
        if (holding == nullptr) return Error{ErrorKind::corrupt, "the message " + why};
        held.kind = holding->kind();
        detail::Holdings& book = *arrivals_->holdings();
        switch (held.kind) {
            case HeldKind::segment: held.memory = std::make_shared<Memory>(Segment{book, *holding}); break;
            case HeldKind::lease: held.memory = std::make_shared<Memory>(Lease{book, *holding}); break;
            case HeldKind::slice: held.memory = std::make_shared<Memory>(Slice{book, *holding}); break;
        }
        return {};
    }

    Arrivals* arrivals_;
    bool is_typed_;
};

Error session_has_ended() {
    return Error{ErrorKind::gone, "the session is closed: nothing can be done with it any more"};
}

}  // namespace

Error no_reply(std::string_view command) {
    return Error{ErrorKind::refused, fmt::format("{} has no reply: it can be sent, not asked", command)};
}

// ---- OutsiderCore ----------------------------------------------------------------------------------

OutsiderCore::~OutsiderCore() {
    if (session == nullptr) return;
    loop().thread().adopt();  // the thread that ends it is its last user
    answers.clear();
    signals.reset();
    session.reset();
    holdings->release_all();  // of a session that was killed
}

std::uint64_t OutsiderCore::keep(AnswerSlot slot) {
    answers.emplace(++last_answer, std::move(slot));
    return last_answer;
}

Result<Value> OutsiderCore::read(const Type* type, std::string_view bytes, std::size_t offset,
                                 Arrivals* arrivals) const {
    detail::Unpacker unpacker;
    const Result<detail::Value> body = unpacker.next(bytes, offset);
    if (!body) return body.error();
    Result<Value> value = type == nullptr ? Result<Value>{detail::decode_untyped(*body)}
                                          : detail::decode_dynamic(*type, *body, loop().session());
    if (!value) return value;
    if (Result<void> filled = Unpacking{arrivals, type != nullptr}.fill(*value); !filled) return filled.error();
    return value;
}

Result<void> OutsiderCore::wait_for(const std::function<bool()>& done, Within within) {
    if (!loop().thread().is_this()) return loop().thread().refusal();
    switch (loop().serve(nullptr, done, within.deadline(loop().clock()))) {
        case Loop::Waited::done: return {};
        case Loop::Waited::deadline:
            return Error{ErrorKind::timed_out, "what was waited for had not come by the deadline"};
        case Loop::Waited::gone: return loop().coordinator_lost();
        case Loop::Waited::stopping: break;
    }
    return Error{ErrorKind::stopping, fmt::format("{} is stopping", loop().name())};
}

// ---- EncodedCommand --------------------------------------------------------------------------------

Result<EncodedCommand> EncodedCommand::of(std::shared_ptr<const Protocol> protocol, std::string_view command,
                                          const Value::Map& fields) {
    EncodedCommand out;
    out.parcel_.type = command_parcel;
    const Departing departing{&out.parcel_.holdings, &holding_of};
    Result<Buffer> body = detail::encode_command(*protocol, command, fields, &departing);
    if (!body) return body.error();
    if (!out.parcel_.holdings.empty()) collect_memory(Value{fields}, out.memory_);
    out.name_ = command;
    out.body_ = std::move(*body);
    if (const Command* const known = protocol->find(command); known->reply) out.reply_ = &*known->reply;
    out.protocol_ = std::move(protocol);
    return out;
}

// ---- Pending ---------------------------------------------------------------------------------------

Pending::Pending(Pending&& other) noexcept
    : core_(std::move(other.core_)),
      protocol_(std::move(other.protocol_)),
      reply_(other.reply_),
      ask_(std::exchange(other.ask_, 0)),
      was_answered_(other.was_answered_) {}

Pending& Pending::operator=(Pending&& other) noexcept {
    if (this == &other) return *this;
    cancel();
    core_ = std::move(other.core_);
    protocol_ = std::move(other.protocol_);
    reply_ = other.reply_;
    ask_ = std::exchange(other.ask_, 0);
    was_answered_ = other.was_answered_;
    return *this;
}

Pending::~Pending() { cancel(); }

bool Pending::is_settled() const {
    const auto core = core_.lock();
    return ask_ == 0 || core == nullptr || core->loop().is_settled(ask_);
}

Result<void> Pending::wait(Within within) {
    if (ask_ == 0) return Error{ErrorKind::refused, "the outcome of this request has been taken already"};
    const auto core = core_.lock();
    if (core == nullptr) return session_has_ended();
    return core->wait_for([&] { return core->loop().is_settled(ask_); }, within);
}

Result<Value> Pending::get(Within within) {
    if (ask_ == 0) return Error{ErrorKind::refused, "the outcome of this request has been taken already"};
    const auto core = core_.lock();
    if (core == nullptr) return session_has_ended();
    Loop& loop = core->loop();
    if (!loop.thread().is_this()) return loop.thread().refusal();
    const Result<ReplyFrame> reply = loop.await(ask_, within.deadline(loop.clock()));
    was_answered_ = !loop.abandon(std::exchange(ask_, 0), [](const Result<ReplyFrame>&) {});
    if (!reply) return reply.error();
    return core->read(reply_, reply->frame, reply->offset, reply->arrivals.get());
}

bool Pending::cancel() noexcept {
    const AskId ask = std::exchange(ask_, 0);
    const auto core = core_.lock();
    return ask != 0 && core != nullptr && core->loop().abandon(ask) == detail::Fate::withdrawn;
}

// ---- Answer ----------------------------------------------------------------------------------------

Answer::Answer(Answer&& other) noexcept
    : core_(std::move(other.core_)), key_(std::exchange(other.key_, 0)), command_(std::move(other.command_)) {}

Answer& Answer::operator=(Answer&& other) noexcept {
    if (this == &other) return *this;
    drop();
    core_ = std::move(other.core_);
    key_ = std::exchange(other.key_, 0);
    command_ = std::move(other.command_);
    return *this;
}

Answer::~Answer() { drop(); }

void Answer::drop() noexcept {
    if (const auto core = core_.lock(); core != nullptr && key_ != 0) core->answers.erase(key_);
    key_ = 0;
}

Result<std::shared_ptr<OutsiderCore>> Answer::core() const {
    auto core = core_.lock();
    if (core == nullptr) return session_has_ended();
    if (!core->loop().thread().is_this()) return core->loop().thread().refusal();
    if (key_ == 0 || !core->answers.contains(key_))
        return Error{ErrorKind::refused, fmt::format("{} has been answered already", command_)};
    return core;
}

Result<void> Answer::reply(const Value& value) {
    const Result<std::shared_ptr<OutsiderCore>> found = core();
    if (!found) return found.error();
    OutsiderCore& core = **found;
    const std::string what = "the reply to " + command_;
    detail::Parcel parcel{reply_parcel, {}};
    const Departing departing{&parcel.holdings, &holding_of};
    const Command* const known = core.protocol == nullptr ? nullptr : core.protocol->find(command_);
    if (known != nullptr && !known->reply) return no_reply(command_);
    const Result<Buffer> body = known == nullptr ? detail::encode_untyped(value, what, &departing)
                                                 : detail::encode_dynamic(*known->reply, value, what, &departing);
    if (!body) return body.error();
    if (body->size() > limits::message_bytes_max)
        return Error{ErrorKind::refused,
                     fmt::format("{} has {} bytes, a message holds at most {} (limits::message_bytes_max)", what,
                                 body->size(), limits::message_bytes_max)};
    const auto slot = core.answers.extract(std::exchange(key_, 0));
    slot.mapped().reply(*body, &parcel);
    core.loop().outbox().flush();
    return {};
}

Result<void> Answer::fail(const Error& error) {
    const Result<std::shared_ptr<OutsiderCore>> found = core();
    if (!found) return found.error();
    const auto slot = (*found)->answers.extract(std::exchange(key_, 0));
    slot.mapped().fail(error);
    (*found)->loop().outbox().flush();
    return {};
}

// A command that nobody has looked at may be what was waited for, whether it is there or comes next.
Result<void> Answer::waits_for(const AnyRef& whom) {
    const Result<std::shared_ptr<OutsiderCore>> found = core();
    if (!found) return found.error();
    OutsiderCore& core = **found;
    core.session->before_mail([&core] {
        for (auto& [other, slot] : core.answers) slot.waits_for({});
    });
    if (!core.session->has_mail()) core.answers.at(key_).waits_for(whom.id);
    return {};
}

}  // namespace baton::dynamic
