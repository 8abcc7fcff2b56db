#include <baton/testing.hpp>

#include <fmt/format.h>

#include <stdexcept>

#include "runtime/testing/cast.hpp"

namespace baton::testing {

using namespace detail;

// ---- one member -------------------------------------------------------------------------------------

const std::string& Handle::name() const { return world_->member(id_).name; }
bool Handle::is_alive() const { return !exit().has_ended(); }
const Exit& Handle::exit() const { return world_->registrar().rows().at(id_).exit; }
AnyRef Handle::any_ref() const { return AnyRef{id_, world_->member(id_).loop.session()}; }

void Handle::kill(int signal) {
    world_->end(id_, Exit{ExitKind::signalled, signal, "", "", {}, {}});
    settle();
}

void Handle::stop(bool drain) {
    Buffer body;
    Encoder encoder{body};
    encode(encoder, notice::Stop{drain});
    world_->registrar().notify(id_, "Stop", body);
    settle();
}

void Handle::freeze() { world_->member(id_).is_frozen = true; }

void Handle::thaw() {
    world_->member(id_).is_frozen = false;
    settle();
}

void Handle::fill_inbox() { world_->traffic.full_inboxes.insert(Stage::address_of(id_)); }

void Handle::empty_inbox() {
    world_->traffic.full_inboxes.erase(Stage::address_of(id_));
    settle();
}

std::vector<Failure> Handle::failures_of() const { return world_->hosted(id_).failures; }
std::vector<std::string> Handle::handled_by() const { return world_->hosted(id_).handled; }
void* Handle::object_of() const { return world_->hosted(id_).object(); }
Context& Handle::test_context() const { return world_->test().context; }
Context& Handle::played_context() const { return world_->played(id_).context; }
void Handle::settle() const { world_->settle(); }

// ---- what a peer does and gets ------------------------------------------------------------------------

void Handle::script(std::string_view command, Script run) {
    world_->played(id_).scripts.insert_or_assign(std::string(command), std::move(run));
}

bool Handle::read_received(std::string_view command, std::size_t& at, convert::ReadInto read, void* out) const {
    const std::deque<PlayedMember::Came>& came = world_->played(id_).came;
    while (at < came.size()) {
        const PlayedMember::Came& one = came[at++];
        if (one.command != command) continue;
        Unpacker unpacker;
        std::size_t offset = 0;
        const Result<Value> body = unpacker.next(one.body, offset);
        Decoding decoding{one.command, nullptr, world_->member(id_).loop.session()};
        if (!body) throw ErrorException(body.error());
        if (!read(*body, out, decoding)) throw ErrorException(decoding.take_error());
        return true;
    }
    return false;
}

bool Handle::take_received(std::string_view command, convert::ReadInto read, void* out, AnyRef& from,
                           AnswerSlot& slot) {
    for (PlayedMember::Came& one : world_->played(id_).came) {
        if (one.command != command || !one.is_kept) continue;
        one.is_kept = false;
        Unpacker unpacker;
        std::size_t offset = 0;
        const Result<Value> body = unpacker.next(one.body, offset);
        Decoding decoding{one.command, one.arrivals.get(), world_->member(id_).loop.session()};
        if (!body) throw ErrorException(body.error());
        if (!read(*body, out, decoding)) throw ErrorException(decoding.take_error());
        one.arrivals.reset();
        from = one.from;
        slot = std::move(one.slot);
        return true;
    }
    return false;
}

std::vector<std::string> Handle::received_by() const {
    settle();
    std::vector<std::string> names;
    for (const PlayedMember::Came& one : world_->played(id_).came) names.push_back(one.command);
    return names;
}

void Handle::clear_received() { world_->played(id_).came.clear(); }

// ---- the world --------------------------------------------------------------------------------------

World::World(Options options) : world_(std::make_unique<TestWorld>(options.memory_bytes)) {}
World::~World() = default;

ActorId World::started(ActorClass actor, std::vector<std::string> arguments) {
    const std::string name = actor.name;
    if (world_->registrar().id_of(name))
        throw std::invalid_argument(fmt::format("the test world has a member called '{}' already", name));
    const ActorId id = world_->start(actor, name, std::move(arguments), {name, "", {}, actor.protocol, {}, {}}).id;
    world_->settle();
    return id;
}

ActorId World::played(const std::string& name, ProtocolDescription protocol) {
    if (world_->registrar().id_of(name))
        throw std::invalid_argument(fmt::format("the test world has a member called '{}' already", name));
    return world_->play(name, {name, "", {}, std::move(protocol), {}, {}}).id;
}

// The last of that name: what has come to one that ended with its script is still to be seen.
ActorId World::find_played(const std::string& name) const {
    std::optional<ActorId> id;
    for (const auto& [one, row] : world_->registrar().rows())
        if (row.name == name && dynamic_cast<PlayedMember*>(&world_->member(one)) != nullptr) id = one;
    if (!id) throw std::out_of_range(fmt::format("the test world has no peer called '{}'", name));
    return *id;
}

void World::provide(const std::string& program, std::vector<ActorClass> actors) {
    world_->programs.insert_or_assign(program, std::move(actors));
}

void World::provide_played(const std::string& program, ProtocolDescription protocol,
                           std::function<void(ActorId)> begin) {
    world_->programs.insert_or_assign(program, TestWorld::Played{std::move(protocol), std::move(begin)});
}

void World::run_scenario(const std::function<void(Scenario&)>& body, std::vector<std::string> arguments,
                         const std::string& name) {
    if (world_->registrar().id_of(name))
        throw std::invalid_argument(fmt::format("the test world has a member called '{}' already", name));
    const std::shared_ptr<ScenarioMember> member = world_->enter_scenario(name);
    try {
        Scenario scenario{member, std::move(arguments)};
        body(scenario);
    } catch (...) {
        static_cast<void>(member->close(limits::stop_timeout));
        throw;
    }
    member->close(limits::stop_timeout).value();
    world_->settle();
}

const Clock& World::clock() const noexcept { return world_->clock; }

void World::advance(Duration by) {
    world_->advance(by);
    world_->rethrow_kept();
}

void World::run() { world_->settle(); }
Context& World::context() { return world_->test().context; }

}  // namespace baton::testing
