#pragma once
// Cast: the members of a test world. HostedMember serves an actor of the user, PlayedMember is played by the test, and
// ScenarioMember is a script under test; TestWorld is the stage with all of them. What is public of it is
// <baton/testing.hpp>. One thread.

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <baton/testing.hpp>

#include "runtime/inbox/dispatching.hpp"
#include "runtime/session/mail.hpp"
#include "runtime/session/venue.hpp"
#include "runtime/testing/stage.hpp"

namespace baton::detail {

class TestWorld;

// What the member asks of the registrar.
class Desk final : public Directory {
public:
    using Directory::Directory;
    using Directory::set_closed;
    using Directory::take_spawned;
};

class CastMember : public StageMember, public Handler {
public:
    CastMember(TestWorld& world, ActorId id, const std::string& name, std::vector<std::string> arguments);
    [[nodiscard]] Handler& handler() noexcept override { return *this; }

    Desk desk;
    Context context;
    const std::string name;

protected:
    TestWorld* world_;
};

class HostedMember final : public CastMember {
public:
    HostedMember(TestWorld& world, ActorId id, const std::string& name, std::vector<std::string> arguments,
                 ActorClass of);
    // Calls the actor's constructor, whose exceptions pass through.
    void make();
    void handle(const Command& command, AnswerSlot answer) override;
    [[nodiscard]] Deadline next_deadline() const override;
    void on_deadline() override;
    void on_stop() override;
    void on_throw() override;
    void on_end() override {
        StageMember::on_end();
        actor_.reset();
    }

    [[nodiscard]] void* object() const;
    std::vector<testing::Failure> failures;
    std::vector<std::string> handled;

private:
    ActorClass class_;
    std::shared_ptr<void> actor_;
};

class PlayedMember final : public CastMember {
public:
    using CastMember::CastMember;
    void handle(const Command& command, AnswerSlot answer) override;
    void on_stop() override;
    void on_throw() override;

    struct Came {
        std::string command;
        std::string body;
        AnyRef from;
        bool is_kept = false;  // for take()
        AnswerSlot slot = {};
        std::shared_ptr<Arrivals> arrivals = {};
    };
    std::deque<Came> came;
    std::map<std::string, Script, std::less<>> scripts;  // without a function: kept

private:
    void keep(const Command& command, AnswerSlot answer);
};

// The Scenario is on the stack of the test, and uses this.
class ScenarioMember final : public CastMember, public Venue {
public:
    using CastMember::CastMember;
    void handle(const Command& command, AnswerSlot answer) override { mail_.handle(command, std::move(answer)); }

    [[nodiscard]] Directory& directory() noexcept override { return desk; }
    [[nodiscard]] Context& context() noexcept override { return CastMember::context; }
    [[nodiscard]] Result<std::vector<Session::Message>> collect(std::string_view wanted, const Enough& until) override;
    [[nodiscard]] Result<UniqueFd> sentinel(AnyRef actor) override;
    // Stops what it has started and leaves the world; returns these exits. Idempotent.
    [[nodiscard]] Result<std::vector<Ended>> close(Within within) override;

    // Its mail is collected while it waits, whatever for.
    void begin();

private:
    Mail mail_{loop};
};

class TestWorld final : public Stage {
public:
    explicit TestWorld(std::uint64_t memory_bytes);
    ~TestWorld();

    [[nodiscard]] HostedMember& start(const ActorClass& of, const std::string& name, std::vector<std::string> arguments,
                                      Registrar::Row row);
    [[nodiscard]] PlayedMember& play(const std::string& name, Registrar::Row row);
    [[nodiscard]] std::shared_ptr<ScenarioMember> enter_scenario(const std::string& name);
    struct Played {
        ProtocolDescription protocol;
        std::function<void(ActorId)> begin;
    };
    using Program = std::variant<std::vector<ActorClass>, Played>;
    std::map<std::string, Program, std::less<>> programs;

    // Living or not.
    [[nodiscard]] CastMember& member(ActorId id) const { return *cast_.at(id); }
    [[nodiscard]] HostedMember& hosted(ActorId id) const;
    [[nodiscard]] PlayedMember& played(ActorId id) const;
    [[nodiscard]] CastMember& test() const { return member(test_); }
    void settle();

private:
    [[nodiscard]] Result<coordinator::Spawned> spawn(ActorId spawner, const coordinator::Spawn& what);
    [[nodiscard]] Result<const ActorClass*> choose(const std::vector<ActorClass>& actors, std::string_view program,
                                                   std::string_view name) const;
    std::map<ActorId, std::shared_ptr<CastMember>> cast_;
    ActorId test_;
};

}  // namespace baton::detail
