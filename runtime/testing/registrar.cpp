#include "runtime/testing/registrar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "runtime/base/check.hpp"
#include "runtime/inbox/call.hpp"
#include "runtime/testing/stage.hpp"

namespace baton::detail {
namespace {

constexpr const char* address = "coordinator";

Buffer nothing() {
    Buffer body;
    Encoder{body}.nil();
    return body;
}

std::string_view base_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace

Registrar::Registrar(Stage& stage) : stage_(&stage), transport_(stage.network, stage.traffic) {
    check(transport_.bind(address).ok(), "the network of a stage has one coordinator");
}

// ---- members ----------------------------------------------------------------------------------------

std::optional<ActorId> Registrar::id_of(std::string_view name) const noexcept {
    for (const auto& [id, row] : rows_)
        if (row.name == name && !row.exit.has_ended()) return id;
    return std::nullopt;
}

Result<std::string> Registrar::name_for(ActorId parent, std::string_view wanted, std::string_view program) const {
    const bool is_named = !wanted.empty();
    std::string name{is_named ? wanted : base_of(program)};
    if (const auto above = rows_.find(parent); above != rows_.end() && !above->second.program.empty())
        name = above->second.name + "/" + name;
    if (!id_of(name)) return name;
    if (is_named)
        return Error{ErrorKind::refused,
                     fmt::format("the name '{}' is in use by another member of the test world: choose another", name)};
    for (std::size_t number = 2;; ++number)
        if (std::string other = fmt::format("{}-{}", name, number); !id_of(other)) return other;
}

Ended Registrar::ended(ActorId id) const {
    const Row& row = rows_.at(id);
    return {AnyRef{id}, row.name, row.exit};
}

void Registrar::tell_exit(ActorId id) {
    Row& row = rows_.at(id);
    if (row.exit.kind == ExitKind::stopped && !row.linked_end.empty()) row.exit.text = row.linked_end;
    for (const ActorId linked : row.links) end_with(id, linked);
    std::set<ActorId> told = row.locators;
    told.insert(row.parent);
    for (const ActorId one : told)
        if (one != id) notify(one, "Exited", encoded_body(notice::Exited{AnyRef{id}, row.name, row.exit}));
    settle_waits();
}

// ---- what it says -----------------------------------------------------------------------------------

void Registrar::notify(ActorId to, std::string_view tag, std::string_view body) {
    const auto lane = control_lanes_.find(to);
    if (lane == control_lanes_.end()) return;
    Buffer frame;
    Encoder encoder{frame};
    begin_record(encoder, {MessageKind::notice, coordinator_id, to, 0, 0, tag});
    frame.append(body);
    static_cast<void>(transport_.send(lane->second, frame));
}

void Registrar::answer(const Question& to, std::string_view body) {
    if (to.ask == 0) return;
    Buffer frame;
    Encoder encoder{frame};
    begin_record(encoder, {MessageKind::reply, coordinator_id, to.from, 0, to.ask, to.tag});
    frame.append(body);
    static_cast<void>(transport_.send(to.link, frame));
}

void Registrar::refuse(const Question& to, const Error& why) {
    if (to.ask == 0) return;
    Buffer frame;
    Encoder encoder{frame};
    begin_record(encoder, {MessageKind::error, coordinator_id, to.from, 0, to.ask, to.tag});
    encode(encoder, ErrorBody{std::string(name_of(why.kind)), why.text, why.type, why.frames});
    static_cast<void>(transport_.send(to.link, frame));
}

// ---- what it hears ----------------------------------------------------------------------------------

void Registrar::run() {
    Link from;
    static_cast<void>(transport_.wait({.inbox = true}, Duration::zero()));
    for (std::string frame; transport_.receive(from, frame);) {
        for (std::size_t offset = 0; offset < frame.size();) {
            Unpacker unpacker;
            const Result<Envelope> envelope = read_envelope(unpacker, frame, offset);
            check(envelope.ok(), "members of a stage write envelopes that can be read");
            const Result<Value> body = unpacker.next(frame, offset);
            check(body.ok(), "members of a stage write bodies that can be read");
            control_lanes_[envelope->from] = from;
            on_told(*envelope);
            hear({from, envelope->from, envelope->ask_id, std::string(envelope->tag)}, *body);
        }
    }
    settle_waits();
}

template <class C>
void Registrar::with(const Question& by, Value body, void (Registrar::*take)(const Question&, const C&)) {
    C command{};
    Decoding at{by.tag};
    if (!decode(body, command, at)) return refuse(by, at.take_error());
    (this->*take)(by, command);
}

void Registrar::hear(const Question& by, Value body) {
    if (by.tag == "Locate") return with(by, body, &Registrar::take_locate);
    if (by.tag == "Watch") return with(by, body, &Registrar::take_watch);
    if (by.tag == "Find") return with(by, body, &Registrar::take_find);
    if (by.tag == "Spawn") return with(by, body, &Registrar::take_spawn);
    if (by.tag == "Signal") return with(by, body, &Registrar::take_signal);
    if (by.tag == "Await") return with(by, body, &Registrar::take_await);
    if (by.tag == "StopActors") return with(by, body, &Registrar::take_stop);
    if (by.tag == "LinkActors") return with(by, body, &Registrar::take_link);
    if (by.tag == "UnlinkActors") return with(by, body, &Registrar::take_unlink);
    if (by.tag == "RosterFrom") return with(by, body, &Registrar::take_roster);
    if (by.tag == sync_tag) return answer(by, nothing());
    if (by.tag == "MemoryShort") {
        for (const auto& [id, row] : rows_)
            if (!row.exit.has_ended()) notify(id, "Trim", encoded_body(notice::Trim{}));
        return;
    }
    refuse(by, Error{ErrorKind::unsupported,
                     fmt::format("a test world has no {}: it runs in one process, without a coordinator; test this "
                                 "against a real session",
                                 by.tag)});
}

Registrar::Row* Registrar::living(const Question& by, ActorId wanted) {
    const auto found = rows_.find(wanted);
    if (found != rows_.end() && !found->second.exit.has_ended()) return &found->second;
    refuse(by, Error{ErrorKind::gone, to_string(wanted) + (found != rows_.end() ? " has exited"
                                                                               : " is nobody in this session")});
    return nullptr;
}

void Registrar::take_locate(const Question& by, const coordinator::Locate& what) {
    Row* row = living(by, what.actor.id);
    if (row == nullptr) return;
    row->locators.insert(by.from);
    answer(by, encoded_body(coordinator::Located{row->name, Stage::address_of(what.actor.id)}));
}

void Registrar::take_watch(const Question& by, const coordinator::Watch& what) {
    Row* row = living(by, what.actor.id);
    if (row == nullptr) return;
    row->locators.insert(by.from);
    answer(by, encoded_body(row->name));
}

void Registrar::take_find(const Question& by, const coordinator::Find& what) {
    const std::optional<ActorId> id = id_of(what.name);
    if (!id)
        return refuse(by, Error{ErrorKind::gone, fmt::format("nobody in the test world is called '{}'", what.name)});
    const Row& row = rows_.at(*id);
    answer(by, encoded_body(coordinator::Spawned{AnyRef{*id}, row.name, 0, row.protocol}));
}

void Registrar::take_spawn(const Question& by, const coordinator::Spawn& what) {
    const Result<coordinator::Spawned> spawned =
        on_spawn ? on_spawn(by.from, what)
                 : Result<coordinator::Spawned>{Error{ErrorKind::refused, "nothing can be started here"}};
    if (spawned) answer(by, encoded_body(*spawned));
    else refuse(by, spawned.error());
}

void Registrar::take_signal(const Question& by, const coordinator::Signal& what) {
    if (living(by, what.actor.id) == nullptr) return;
    StageMember* member = stage_->find(what.actor.id);
    switch (what.signal) {
        case SIGKILL:
        case SIGTERM: stage_->end(what.actor.id, Exit{ExitKind::signalled, what.signal, "", "", {}, {}}); break;
        case SIGSTOP:
        case SIGCONT: member->is_frozen = what.signal == SIGSTOP; break;
        default:
            return refuse(by, Error{ErrorKind::refused,
                                    fmt::format("a test world has no processes: of signals it knows SIGKILL, SIGTERM, "
                                                "SIGSTOP and SIGCONT, not {}",
                                                what.signal)});
    }
    answer(by, nothing());
}

void Registrar::take_await(const Question& by, const coordinator::Await& what) {
    if (!rows_.contains(what.actor.id)) return static_cast<void>(living(by, what.actor.id));
    awaits_.push_back({by, what.actor.id});
}

// Its children end with it, and before it.
void Registrar::take_stop(const Question& by, const coordinator::StopActors& what) {
    std::vector<ActorId> whom;
    for (const AnyRef& one : what.actors) whom.push_back(one.id);
    if (whom.empty())
        for (const auto& [id, row] : rows_)
            if (!row.program.empty()) whom.push_back(id);
    for (const ActorId one : whom)
        if (!rows_.contains(one)) return static_cast<void>(living(by, one));
    for (const ActorId one : whom) notify(one, "Stop", encoded_body(notice::Stop{what.drain}));
    stops_.push_back({by, std::move(whom), Deadline::in(stage_->clock, what.timeout)});
}

void Registrar::take_link(const Question& by, const coordinator::LinkActors& what) {
    const ActorId one = what.one.id;
    const ActorId other = what.other.id;
    for (const ActorId id : {one, other}) {
        if (!rows_.contains(id)) return static_cast<void>(living(by, id));
        if (rows_.at(id).program.empty())
            return refuse(by, Error{ErrorKind::refused, rows_.at(id).name + " can't be linked: nobody has spawned it"});
    }
    if (one == other) return refuse(by, Error{ErrorKind::refused, "an actor can't be linked with itself"});
    rows_.at(one).links.insert(other);
    rows_.at(other).links.insert(one);
    for (const auto& [dead, left] : {std::pair{one, other}, std::pair{other, one}})
        if (rows_.at(dead).exit.has_ended()) end_with(dead, left);
    answer(by, nothing());
}

void Registrar::take_unlink(const Question& by, const coordinator::UnlinkActors& what) {
    for (const auto& [one, other] : {std::pair{what.one.id, what.other.id}, std::pair{what.other.id, what.one.id}})
        if (const auto row = rows_.find(one); row != rows_.end()) row->second.links.erase(other);
    answer(by, nothing());
}

void Registrar::end_with(ActorId dead, ActorId linked) {
    Row& row = rows_.at(linked);
    if (row.exit.has_ended() || !row.linked_end.empty()) return;
    row.linked_end = fmt::format("it was linked with {}, which has ended: {}", rows_.at(dead).name,
                                 to_text(rows_.at(dead).exit));
    notify(linked, "Stop", encoded_body(notice::Stop{}));
    stops_.push_back({Question{}, {linked}, Deadline::in(stage_->clock, limits::stop_timeout)});
}

void Registrar::take_roster(const Question& by, const coordinator::RosterFrom& what) {
    coordinator::RosterPage page;
    const auto add = [&](bool has_ended) {
        for (const auto& [id, row] : rows_) {
            if (row.exit.has_ended() != has_ended) continue;
            const StageMember* member = stage_->find(id);
            const std::string state = has_ended           ? "exited"
                                      : member->is_frozen ? "frozen"
                                      : member->is_busy   ? "busy"
                                                          : "ready";
            page.rows.push_back({AnyRef{id}, row.name, row.program, 0, 0, state, 0, 0, "", row.exit});
        }
    };
    add(false);
    if (what.with_exited) add(true);
    answer(by, encoded_body(page));
}

// ---- what takes its time ----------------------------------------------------------------------------

void Registrar::settle_waits() {
    awaits_.remove_if([this](const Waiting& one) {
        if (!rows_.at(one.whom).exit.has_ended()) return false;
        answer(one.by, encoded_body(ended(one.whom)));
        return true;
    });
    for (auto stop = stops_.begin(); stop != stops_.end();) {
        const auto is_left = [this](ActorId one) { return !rows_.at(one).exit.has_ended(); };
        const bool is_over = std::ranges::none_of(stop->whom, is_left);
        if (!is_over && !stop->until.has_passed(stage_->clock)) {
            ++stop;
            continue;
        }
        const Stopping done = std::move(*stop);
        stop = stops_.erase(stop);
        for (const ActorId one : done.whom)
            if (is_left(one)) stage_->end(one, Exit{ExitKind::signalled, SIGKILL, "", "", {}, {}});
        std::vector<Ended> exits;
        for (const ActorId one : done.whom) exits.push_back(ended(one));
        answer(done.by, encoded_body(exits));
        stop = stops_.begin();  // an end may have settled others
    }
}

Deadline Registrar::next_deadline() const noexcept {
    Deadline next = Deadline::never();
    for (const Stopping& stop : stops_) next = next.or_earlier(stop.until);
    return next;
}

}  // namespace baton::detail
