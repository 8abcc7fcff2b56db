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
    context.on_exited([this](const PeerExited& exited) { bury(exited); });
}

SyncActor::~SyncActor() {
    const Error stopping{ErrorKind::stopping, fmt::format("{} is stopping: what it keeps ends with it", context_->name())};
    for (auto& [id, client] : clients_.all())
        if (client.waiting) client.waiting->answer.fail(stopping);
}

// ---- making ----------------------------------------------------------------------------------------

Result<void> SyncActor::require_room(std::string_view kind, const std::string& name, std::size_t count) const {
    if (name.size() > limits::name_bytes_max)
        return Error{ErrorKind::refused, fmt::format("the name of a {} has at most {} bytes (limits::name_bytes_max), this has {}",
                                                     kind, limits::name_bytes_max, name.size())};
    if (kept_.size() + count <= limits::primitives_max) return {};
    return Error{ErrorKind::overloaded, fmt::format("{} '{}' was not made: {} keeps {} primitives already "
                                                    "(limits::primitives_max); spawn another keeper",
                                                    kind, name, context_->name(), kept_.size())};
}

Address SyncActor::keep(Kept kept) {
    kept_.push_back(std::move(kept));
    return {context_->self<Protocol>(), static_cast<std::uint32_t>(kept_.size()), kept_.back().primitive->name()};
}

Result<SyncActor::Kept> SyncActor::with_lock(std::string_view kind, std::string name) {
    if (Result<void> room = require_room(kind, name); !room) return room.error();
    Result<Cells::Cell> cell = cells_.fresh();
    if (!cell) return cell.error();
    const kept::Lock::Outside outside{
        [this](ActorId who) { return clients_.contains(who); },
        [this](kept::Lock& lock) { resting_.push_back({&lock, context_->now() + limits::lock_rest}); }};
    return Kept{std::make_unique<kept::Lock>(std::move(name), cells_.word(*cell, lock_place), outside, kind), *cell};
}

Result<Address> SyncActor::on(MakeLock command) {
    Result<Kept> lock = with_lock(kept::Lock::kind_name, std::move(command.name));
    if (!lock) return lock.error();
    return keep(std::move(*lock));
}

Result<Address> SyncActor::on(MakeValue command) {
    Result<Kept> value = with_lock("value", std::move(command.name));
    if (!value) return value.error();
    cells_.word(*value->cell, value_place).store(command.initial);
    return keep(std::move(*value));
}

Result<Address> SyncActor::on(MakeArray command) {
    Result<Segment> elements = context_->create_as({command.type, {command.length}});
    if (!elements) return elements.error();
    std::ranges::fill(elements->bytes(), std::byte{0});
    Result<Lent> lent = context_->lend(std::move(*elements));
    if (!lent) return lent.error();
    Result<Kept> array = with_lock("array", std::move(command.name));
    if (!array) return array.error();
    array->elements = std::move(*lent);
    return keep(std::move(*array));
}

Result<Address> SyncActor::on(MakeCondition command) {
    if (Result<void> room = require_room("condition", command.name); !room) return room.error();
    Result<kept::Lock*> lock = find_as<kept::Lock>(command.lock);
    if (!lock) return lock.error();
    return keep({std::make_unique<kept::Condition>(std::move(command.name), **lock)});
}

Result<Address> SyncActor::on(MakeEvent command) {
    if (Result<void> room = require_room("event", command.name); !room) return room.error();
    return keep({std::make_unique<kept::Event>(std::move(command.name))});
}

Result<Address> SyncActor::on(MakeSemaphore command) {
    if (Result<void> room = require_room("semaphore", command.name); !room) return room.error();
    return keep({std::make_unique<kept::Semaphore>(std::move(command.name), command.permits, command.is_bounded)});
}

Result<Address> SyncActor::on(MakeBarrier command) {
    if (Result<void> room = require_room("barrier", command.name); !room) return room.error();
    if (command.parties == 0 && command.members.empty())
        return Error{ErrorKind::refused, fmt::format("barrier '{}' needs at least one party or member", command.name)};
    std::vector<Party> members;
    for (const AnyRef& one : command.members) {
        Result<Client*> member = clients_.meet(one);
        if (!member) return member.error();
        members.push_back((*member)->party);
    }
    return keep({std::make_unique<kept::Barrier>(std::move(command.name), command.parties, std::move(members), command.has_action)});
}

Result<Address> SyncActor::on(MakeLatch command) {
    if (Result<void> room = require_room("latch", command.name); !room) return room.error();
    return keep({std::make_unique<kept::Latch>(std::move(command.name), command.count)});
}

Result<Address> SyncActor::on(MakeQueue command) {
    if (Result<void> room = require_room("queue", command.name); !room) return room.error();
    if (command.bound == 0 || command.bound > limits::queue_items_max)
        return Error{ErrorKind::refused, fmt::format("queue '{}' holds 1 to {} items (limits::queue_items_max), not {}",
                                                     command.name, limits::queue_items_max, command.bound)};
    return keep({std::make_unique<kept::Queue>(std::move(command.name), command.bound)});
}

Result<Ends> SyncActor::on(MakeChannel command) {
    if (Result<void> room = require_room("channel", command.name, 2); !room) return room.error();
    if (command.bound == 0 || command.bound > limits::queue_items_max)
        return Error{ErrorKind::refused, fmt::format("channel '{}' holds 1 to {} items (limits::queue_items_max), not {}",
                                                     command.name, limits::queue_items_max, command.bound)};
    auto [first, second] = kept::ChannelEnd::make(command.name, command.bound);
    Ends ends;
    ends.first = keep({std::move(first)});
    ends.second = keep({std::move(second)});
    return ends;
}

// ---- from commands to primitives -------------------------------------------------------------------

Result<SyncActor::Kept*> SyncActor::find(std::uint32_t number) {
    if (number >= 1 && number <= kept_.size()) return &kept_[number - 1];
    return Error{ErrorKind::refused, fmt::format("{} keeps nothing of number {}: its primitives are 1 to {}", context_->name(),
                                                 number, kept_.size())};
}

template <class Kind>
Result<Kind*> SyncActor::find_as(std::uint32_t number) {
    Result<Kept*> kept = find(number);
    if (!kept) return kept.error();
    if (Kind* one = dynamic_cast<Kind*>((*kept)->primitive.get()); one != nullptr) return one;
    return Error{ErrorKind::refused, fmt::format("number {} of {} is {}, not a {}", number, context_->name(),
                                                 (*kept)->primitive->to_text(), Kind::kind_name)};
}

template <class Kind, class Begin>
void SyncActor::wait_at(std::uint32_t number, Answer<Granted> answer, Begin begin) {
    Result<Kind*> kept = find_as<Kind>(number);
    if (!kept) return answer.fail(kept.error());
    Result<Client*> client = clients_.meet(context_->sender());
    if (!client) return answer.fail(client.error());
    if ((*client)->waiting) end_wait(**client, Error{ErrorKind::refused, "another wait of the same client took its place"});
    if (!clients_.any_waiting()) next_look_ = Deadline{context_->now() + limits::look_interval};
    (*client)->waiting.emplace(number, std::move(answer), ++turns_, context_->now());
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
        client->last = {waiting.number, is_item ? kept::Given::item : wake.outcome ? kept::Given::grant : kept::Given::nothing};
        if (wake.outcome && !wake.outcome->dead_owner.empty())
            context_->log().warn("lock.inherited", "{} of {}, who died, by {}", kept_[waiting.number - 1].primitive->to_text(),
                                 wake.outcome->dead_owner, client->party.name);
        if (wake.outcome) waiting.answer.reply(*wake.outcome);
        else waiting.answer.fail(wake.outcome.error());
    }
}

void SyncActor::end_wait(Client& client, const Error& why) {
    Client::Waiting waiting = std::move(*client.waiting);
    client.waiting.reset();
    client.last = {};
    Wakes wakes;
    kept_[waiting.number - 1].primitive->withdraw(client.party, kept::Given::nothing, wakes);
    waiting.answer.fail(why);
    deliver(wakes);
}

void SyncActor::on(const Withdraw& command) {
    Client* client = clients_.find(context_->sender().id);
    if (client == nullptr) return;
    if (client->waiting && client->waiting->number == command.number)
        return end_wait(*client, Error{ErrorKind::refused, "the wait was withdrawn"});
    if (client->last.number != command.number) return;
    const kept::Given given = std::exchange(client->last, {}).given;
    Wakes wakes;
    kept_[command.number - 1].primitive->withdraw(client->party, given, wakes);
    deliver(wakes);
}

// The dead is no client any more when its things go on, so it gets none of them.
void SyncActor::bury(const PeerExited& exited) {
    const std::optional<Client> dead = clients_.remove(exited.actor.id);
    if (!dead) return;
    const std::string how = fmt::format("{} has exited: {}", dead->party.name, to_text(exited.exit));
    Wakes wakes;
    // Conditions look at their locks, which were made before them.
    for (auto kept = kept_.rbegin(); kept != kept_.rend(); ++kept) kept->primitive->bury(dead->party, how, wakes);
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
        Lent& lent = *(*kept)->elements;
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
    return Looked{std::string(primitive.kind()), primitive.name(), primitive.count(), static_cast<std::uint64_t>(waiting)};
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
    wait_at<kept::Condition>(command.number, std::move(answer), [](kept::Condition& condition, const Party& who, Wakes& wakes) {
        condition.wait(who.id, wakes);
    });
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

void SyncActor::on(const TakePermit& command, Answer<Granted> answer) {
    wait_at<kept::Semaphore>(command.number, std::move(answer),
                             [](kept::Semaphore& semaphore, const Party& who, Wakes& wakes) { semaphore.take(who.id, wakes); });
}

Result<Nothing> SyncActor::on(const ReturnPermit& command) {
    return step_at<kept::Semaphore>(command.number, [](kept::Semaphore& semaphore, const Party& who, Wakes& wakes) {
        return done(semaphore.give_back(who.id, wakes));
    });
}

void SyncActor::on(const Arrive& command, Answer<Granted> answer) {
    wait_at<kept::Barrier>(command.number, std::move(answer),
                           [](kept::Barrier& barrier, const Party& who, Wakes& wakes) { barrier.arrive(who, wakes); });
}

Result<Nothing> SyncActor::on(const ActionDone& command) {
    return step_at<kept::Barrier>(command.number, [&](kept::Barrier& barrier, const Party& who, Wakes& wakes) {
        return done(barrier.action_done(who, command.error, wakes));
    });
}

Result<Nothing> SyncActor::on(const ResetBarrier& command) {
    return step_at<kept::Barrier>(command.number, [](kept::Barrier& barrier, const Party& who, Wakes& wakes) -> Result<Nothing> {
        barrier.reset(who, wakes);
        return Nothing{};
    });
}

Result<Nothing> SyncActor::on(const AbortBarrier& command) {
    return step_at<kept::Barrier>(command.number, [](kept::Barrier& barrier, const Party& who, Wakes& wakes) -> Result<Nothing> {
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
                         [](kept::Queue& queue, const Party& who, Wakes& wakes) { queue.get(who.id, wakes); });
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

void SyncActor::on(Say command, Answer<Granted> answer) {
    wait_at<kept::ChannelEnd>(command.number, std::move(answer), [&](kept::ChannelEnd& end, const Party& who, Wakes& wakes) {
        end.say(who, std::move(command.item), wakes);
    });
}

void SyncActor::on(const Hear& command, Answer<Granted> answer) {
    wait_at<kept::ChannelEnd>(command.number, std::move(answer),
                              [](kept::ChannelEnd& end, const Party& who, Wakes& wakes) { end.hear(who, wakes); });
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

// ---- looking for circles ----------------------------------------------------------------------------

void SyncActor::look() {
    Wakes wakes;
    for (const Kept& one : kept_) one.primitive->look(wakes);
    deliver(wakes);

    std::vector<Wait> waits = waits_of_clients();
    if (!waits.empty()) add_asks(waits);
    std::vector<Wait> circle = find_circle(waits);
    if (!is_at_rest(circle)) circle.clear();
    const bool is_same = !circle.empty() && circle == suspected_;
    suspected_ = std::move(circle);
    if (is_same) break_up(std::exchange(suspected_, {}));
}

std::vector<Wait> SyncActor::waits_of_clients() {
    std::vector<Wait> waits;
    for (const auto& [id, client] : clients_.all()) {
        if (!client.waiting || context_->now() - client.waiting->since < limits::look_interval) continue;
        kept::WaitsFor waits_for = kept_[client.waiting->number - 1].primitive->waits_for(id);
        if (!waits_for.whom.empty()) waits.push_back({id, client.waiting->turn, std::move(waits_for)});
    }
    return waits;
}

// Those who are waited for here and wait for somebody's answer elsewhere, and so on.
void SyncActor::add_asks(std::vector<Wait>& waits) const {
    std::vector<ActorId> known;
    for (const Wait& wait : waits) known.push_back(wait.who);
    for (std::size_t index = 0; index < waits.size(); ++index) {
        const std::vector<ActorId> whom = waits[index].waits_for.whom;
        for (const ActorId one : whom) {
            if (std::ranges::find(known, one) != known.end()) continue;
            known.push_back(one);
            const std::optional<Vitals::Wait> ask = context_->wait_of(AnyRef{one});
            if (!ask || ask->whom == context_->id()) continue;  // a wait here that is young, or of no known end
            waits.push_back({one, ask->ask, {{ask->whom}, "waits for an answer of"}, false});
        }
    }
}

// Who is stopped, or does not get to run, may have its answer already.
bool SyncActor::is_at_rest(const std::vector<Wait>& circle) const {
    return std::ranges::all_of(circle, [this](const Wait& wait) {
        if (!wait.is_kept) return true;  // looked at a moment ago
        const std::optional<Vitals::Wait> ask = context_->wait_of(AnyRef{wait.who});
        return ask && ask->whom == context_->id();
    });
}

// Ends the youngest wait in it: its owner has done the least since.
void SyncActor::break_up(const std::vector<Wait>& circle) {
    // A circle of asks alone ends by their deadlines.
    if (std::ranges::none_of(circle, &Wait::is_kept)) return;
    const auto is_younger = [](const Wait& one, const Wait& other) {
        return (one.is_kept ? one.turn : 0) < (other.is_kept ? other.turn : 0);
    };
    const auto youngest = std::ranges::max_element(circle, is_younger);
    std::string text = "deadlock:";
    for (std::size_t step = 0; step < circle.size(); ++step) {
        const std::size_t at = (static_cast<std::size_t>(youngest - circle.begin()) + step) % circle.size();
        text += fmt::format("{} {} {} {}", step == 0 ? "" : ",", clients_.name_of(circle[at].who), circle[at].waits_for.text,
                            clients_.name_of(circle[(at + 1) % circle.size()].who));
    }
    context_->log().warn("deadlock.found", "{}", text);
    if (Client* client = clients_.find(youngest->who); client != nullptr && client->waiting) end_wait(*client, Error{ErrorKind::refused, text});
}

}  // namespace baton::sync
