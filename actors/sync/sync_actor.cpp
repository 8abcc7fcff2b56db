#include "actors/sync/sync_actor.hpp"

#include <algorithm>

#include "actors/sync/kept/barrier.hpp"
#include "actors/sync/kept/channel.hpp"
#include "actors/sync/kept/condition.hpp"
#include "actors/sync/kept/event.hpp"
#include "actors/sync/kept/latch.hpp"
#include "actors/sync/kept/queue.hpp"
#include "actors/sync/kept/semaphore.hpp"

namespace baton::sync {

using kept::Party;
using kept::Wakes;

SyncActor::SyncActor(Context& context) : context_(&context), cells_(context), clients_(context) {
    context.on_exited([this](const Ended& exited) { bury(exited); });
}

SyncActor::~SyncActor() {
    const Error stopping{ErrorKind::stopping,
                         fmt::format("{} is stopping: what it keeps ends with it", context_->name())};
    for (auto& [id, client] : clients_.all())
        if (client.waiting) client.waiting->answer.fail(stopping);
}

// ---- from commands to primitives -------------------------------------------------------------------

Result<SyncActor::Kept*> SyncActor::find(std::uint32_t number) {
    if (const auto found = kept_.find(number); found != kept_.end()) return &found->second;
    if (number >= 1 && number <= last_number_)
        return Error{ErrorKind::gone, removed_text(number)};
    return Error{ErrorKind::refused, fmt::format("{} keeps nothing of number {}: its primitives are 1 to {}",
                                                 context_->name(), number, last_number_)};
}

template <class Kind, class Begin>
void SyncActor::wait_at(std::uint32_t number, Answer<Granted> answer, Begin begin) {
    Result<Kind*> kept = find_as<Kind>(number);
    if (!kept) return answer.fail(kept.error());
    Result<Client*> client = clients_.meet(context_->sender());
    if (!client) return answer.fail(client.error());
    if ((*client)->waiting)
        end_wait(**client, Error{ErrorKind::refused, "another wait of the same client took its place"});
    if (next_look_.is_never()) next_look_ = Deadline{context_->now() + limits::look_interval};
    (*client)->waiting = Client::Waiting{number, std::move(answer), ++turns_, context_->now()};
    Wakes wakes;
    begin(**kept, (*client)->party, wakes);
    deliver(wakes);
}

template <class Kind, class Step>
auto SyncActor::step_at(std::uint32_t number, Step step) -> std::invoke_result_t<Step, Kind&, const Party&, Wakes&> {
    Result<Kind*> kept = find_as<Kind>(number);
    if (!kept) return kept.error();
    Result<Client*> client = clients_.meet(context_->sender());
    if (!client) return client.error();
    Wakes wakes;
    auto outcome = step(**kept, (*client)->party, wakes);
    deliver(wakes);
    return outcome;
}

void SyncActor::deliver(Wakes& wakes) {
    for (Wakes::Wake& wake : wakes.take()) {
        Client* client = clients_.find(wake.who);
        if (client == nullptr || !client->waiting) continue;
        Client::Waiting waiting = std::move(*client->waiting);
        client->waiting.reset();
        const bool is_item = wake.outcome && !wake.outcome->item.empty();
        client->last = {waiting.number, is_item        ? kept::Given::item
                                        : wake.outcome ? kept::Given::grant
                                                       : kept::Given::nothing};
        if (wake.outcome && !wake.outcome->dead_owner.empty())
            context_->log().warn("lock.inherited", "{} of {}, who died, by {}",
                                 kept_.at(waiting.number).primitive->to_text(), wake.outcome->dead_owner,
                                 client->party.name);
        if (wake.outcome) waiting.answer.reply(*wake.outcome);
        else waiting.answer.fail(wake.outcome.error());
    }
}

void SyncActor::end_wait(Client& client, const Error& why) {
    Client::Waiting waiting = std::move(*client.waiting);
    client.waiting.reset();
    client.last = {};
    Wakes wakes;
    kept_.at(waiting.number).primitive->withdraw(client.party, kept::Given::nothing, wakes);
    waiting.answer.fail(why);
    deliver(wakes);
}

void SyncActor::on(const Withdraw& command) {
    Client* client = clients_.find(context_->sender().id);
    if (client == nullptr || command.number == 0) return;
    if (client->waiting && client->waiting->number == command.number)
        return end_wait(*client, Error{ErrorKind::refused, "the wait was withdrawn"});
    if (client->last.number != command.number) return;
    const kept::Given given = std::exchange(client->last, {}).given;
    Wakes wakes;
    kept_.at(command.number).primitive->withdraw(client->party, given, wakes);
    deliver(wakes);
}

// The dead client is removed first, so that it gets nothing of what is passed on.
void SyncActor::bury(const Ended& exited) {
    const std::optional<Client> dead = clients_.remove(exited.actor.id);
    if (!dead) return;
    const std::string how = fmt::format("{} has exited: {}", dead->party.name, to_text(exited.exit));
    Wakes wakes;
    // Conditions look at their locks, which were made before them.
    for (auto kept = kept_.rbegin(); kept != kept_.rend(); ++kept)
        kept->second.primitive->bury(dead->party, how, wakes);
    deliver(wakes);
}

Result<Attached> SyncActor::on(const Attach& command) {
    Result<Kept*> kept = find(command.number);
    if (!kept) return kept.error();
    if (!(*kept)->cell)
        return Error{ErrorKind::refused, fmt::format("{} has no memory to attach to", (*kept)->primitive->to_text())};
    if (Result<Client*> client = clients_.meet(context_->sender()); !client) return client.error();
    Result<Slice> cell = cells_.share(*(*kept)->cell);
    if (!cell) return cell.error();
    Attached attached{std::move(*cell), {}};
    if ((*kept)->elements) {
        Loan& lent = *(*kept)->elements;
        Result<Slice> elements = lent.share(0, lent.shape().front());
        if (!elements) return elements.error();
        attached.elements = std::move(*elements);
    }
    return attached;
}

Result<Looked> SyncActor::on(const Look& command) {
    Result<Kept*> kept = find(command.number);
    if (!kept) return kept.error();
    const kept::Primitive& primitive = *(*kept)->primitive;
    const auto waiting = std::ranges::count_if(clients_.all(), [&](const auto& entry) {
        return entry.second.waiting && entry.second.waiting->number == command.number;
    });
    return Looked{std::string(primitive.kind()), primitive.name(), primitive.count(),
                  static_cast<std::uint64_t>(waiting)};
}

// ---- each command -----------------------------------------------------------------------------------

void SyncActor::on(const Acquire& command, Answer<Granted> answer) {
    wait_at<kept::Lock>(command.number, std::move(answer),
                        [](kept::Lock& lock, const Party& who, Wakes& wakes) { lock.acquire(who.id, wakes); });
}

namespace {

Result<Nothing> done(Result<void> outcome) {
    if (!outcome) return outcome.error();
    return Nothing{};
}

}  // namespace

Result<Nothing> SyncActor::on(const Release& command) {
    return step_at<kept::Lock>(command.number, [](kept::Lock& lock, const Party& who, Wakes& wakes) {
        return done(lock.release(who.id, wakes));
    });
}

void SyncActor::on(const WaitCondition& command, Answer<Granted> answer) {
    wait_at<kept::Condition>(
        command.number, std::move(answer),
        [](kept::Condition& condition, const Party& who, Wakes& wakes) { condition.wait(who.id, wakes); });
}

Result<std::uint64_t> SyncActor::on(const Notify& command) {
    return step_at<kept::Condition>(command.number, [&](kept::Condition& condition, const Party& who, Wakes& wakes) {
        return condition.notify(who.id, command.count, wakes);
    });
}

Result<Nothing> SyncActor::on(const SetEvent& command) {
    return step_at<kept::Event>(command.number, [&](kept::Event& event, const Party&, Wakes& wakes) -> Result<Nothing> {
        event.set(command.is_set, wakes);
        return Nothing{};
    });
}

void SyncActor::on(const WaitEvent& command, Answer<Granted> answer) {
    wait_at<kept::Event>(command.number, std::move(answer),
                         [](kept::Event& event, const Party& who, Wakes& wakes) { event.wait(who.id, wakes); });
}

void SyncActor::on(const AcquirePermit& command, Answer<Granted> answer) {
    wait_at<kept::Semaphore>(
        command.number, std::move(answer),
        [](kept::Semaphore& semaphore, const Party& who, Wakes& wakes) { semaphore.acquire(who.id, wakes); });
}

Result<Nothing> SyncActor::on(const ReleasePermit& command) {
    return step_at<kept::Semaphore>(command.number, [](kept::Semaphore& semaphore, const Party& who, Wakes& wakes) {
        return done(semaphore.release(who.id, wakes));
    });
}

void SyncActor::on(const WaitBarrier& command, Answer<Granted> answer) {
    wait_at<kept::Barrier>(command.number, std::move(answer),
                           [](kept::Barrier& barrier, const Party& who, Wakes& wakes) { barrier.arrive(who, wakes); });
}

Result<Nothing> SyncActor::on(const ActionDone& command) {
    return step_at<kept::Barrier>(command.number, [&](kept::Barrier& barrier, const Party& who, Wakes& wakes) {
        return done(barrier.action_done(who, command.error, wakes));
    });
}

Result<Nothing> SyncActor::on(const ResetBarrier& command) {
    return step_at<kept::Barrier>(command.number,
                                  [](kept::Barrier& barrier, const Party& who, Wakes& wakes) -> Result<Nothing> {
                                      barrier.reset(who, wakes);
                                      return Nothing{};
                                  });
}

Result<Nothing> SyncActor::on(const AbortBarrier& command) {
    return step_at<kept::Barrier>(command.number,
                                  [](kept::Barrier& barrier, const Party& who, Wakes& wakes) -> Result<Nothing> {
                                      barrier.abort(who, wakes);
                                      return Nothing{};
                                  });
}

Result<std::uint64_t> SyncActor::on(const CountDown& command) {
    return step_at<kept::Latch>(command.number, [&](kept::Latch& latch, const Party&, Wakes& wakes) {
        return latch.count_down(command.by, wakes);
    });
}

void SyncActor::on(const WaitLatch& command, Answer<Granted> answer) {
    wait_at<kept::Latch>(command.number, std::move(answer),
                         [](kept::Latch& latch, const Party& who, Wakes& wakes) { latch.wait(who.id, wakes); });
}

void SyncActor::on(Put command, Answer<Granted> answer) {
    wait_at<kept::Queue>(command.number, std::move(answer), [&](kept::Queue& queue, const Party& who, Wakes& wakes) {
        queue.put(who.id, std::move(command.item), wakes);
    });
}

void SyncActor::on(const Get& command, Answer<Granted> answer) {
    wait_at<kept::Queue>(command.number, std::move(answer),
                         [](kept::Queue& queue, const Party& who, Wakes& wakes) { queue.get(who, wakes); });
}

Result<Nothing> SyncActor::on(const TaskDone& command) {
    return step_at<kept::Queue>(command.number, [](kept::Queue& queue, const Party& who, Wakes& wakes) {
        return done(queue.task_done(who, wakes));
    });
}

void SyncActor::on(const Join& command, Answer<Granted> answer) {
    wait_at<kept::Queue>(command.number, std::move(answer),
                         [](kept::Queue& queue, const Party& who, Wakes& wakes) { queue.join(who.id, wakes); });
}

void SyncActor::on(Send command, Answer<Granted> answer) {
    wait_at<kept::ChannelEnd>(
        command.number, std::move(answer),
        [&](kept::ChannelEnd& end, const Party& who, Wakes& wakes) { end.send(who, std::move(command.item), wakes); });
}

void SyncActor::on(const Receive& command, Answer<Granted> answer) {
    wait_at<kept::ChannelEnd>(command.number, std::move(answer),
                              [](kept::ChannelEnd& end, const Party& who, Wakes& wakes) { end.receive(who, wakes); });
}

void SyncActor::on(const Poll& command, Answer<Granted> answer) {
    wait_at<kept::ChannelEnd>(command.number, std::move(answer),
                              [](kept::ChannelEnd& end, const Party& who, Wakes& wakes) { end.poll(who, wakes); });
}

Result<Nothing> SyncActor::on(const Close& command) {
    return step_at<kept::ChannelEnd>(command.number, [](kept::ChannelEnd& end, const Party& who, Wakes& wakes) {
        return done(end.close(who, wakes));
    });
}

// ---- what happens by itself --------------------------------------------------------------------------

void SyncActor::on_deadline() {
    urge_rested();
    if (next_look_.is_never() || context_->now() < next_look_.at()) return;
    look();
    next_look_ = clients_.any_waiting() ? Deadline{context_->now() + limits::look_interval} : Deadline::never();
}

void SyncActor::urge_rested() {
    Wakes wakes;
    while (!resting_.empty() && resting_.front().until <= context_->now()) {
        kept::Lock* lock = resting_.front().lock;
        resting_.pop_front();
        lock->urge(wakes);
    }
    deliver(wakes);
}

}  // namespace baton::sync
