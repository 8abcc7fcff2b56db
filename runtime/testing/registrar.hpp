#pragma once
// Registrar: stands in for the coordinator on a Stage. It knows the members, their names and their addresses, starts
// what the stage can start, reports deaths, and stops members. It is not the coordinator: it knows no processes and no
// ladder of signals. What it can't do it refuses, with a text that says so. One thread.

#include <functional>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/testing/stage_member.hpp"

namespace baton::detail {

class Registrar {
public:
    explicit Registrar(Stage& stage);

    // What the roster says of a member.
    struct Row {
        std::string name;
        std::string program = {};  // empty: nobody has spawned it
        ActorId parent = {};
        ProtocolDescription protocol = {};
        Exit exit = {};
        std::set<ActorId> locators = {};  // are told of its exit
        std::set<ActorId> links = {};     // end together with it
        std::string linked_end = {};      // why it is stopped, if for one of those
    };
    [[nodiscard]] std::map<ActorId, Row>& rows() noexcept { return rows_; }
    [[nodiscard]] std::optional<ActorId> id_of(std::string_view name) const noexcept;  // of the living
    // A free name for a new child of `parent`, made of the one that is wanted or of the program's; `refused` if it is
    // in use.
    [[nodiscard]] Result<std::string> name_for(ActorId parent, std::string_view wanted, std::string_view program) const;

    // Answers and does what it has been asked.
    void run();
    // When it would do something by itself.
    [[nodiscard]] Deadline next_deadline() const noexcept;
    void notify(ActorId to, std::string_view tag, std::string_view body);
    // That life has ended, as its row says: notifies the members that want to know.
    void tell_exit(ActorId id);

    // Hears everything that is told without being asked.
    std::function<void(const Envelope&)> on_told = [](const Envelope&) {};
    // Starts a program on behalf of a member.
    std::function<Result<coordinator::Spawned>(ActorId, const coordinator::Spawn&)> on_spawn;

private:
    struct Question {
        Link link;
        ActorId from;
        AskId ask = 0;
        std::string tag;
    };
    struct Stopping {
        Question by;
        std::vector<ActorId> whom;
        Deadline until;
    };
    struct Waiting {
        Question by;
        ActorId whom;
    };

    void hear(const Question& by, Value body);
    void answer(const Question& to, std::string_view body);
    void refuse(const Question& to, const Error& why);
    template <class C>
    void with(const Question& by, Value body, void (Registrar::*take)(const Question&, const C&));
    [[nodiscard]] Row* living(const Question& by, ActorId wanted);

    void take_locate(const Question& by, const coordinator::Locate& what);
    void take_watch(const Question& by, const coordinator::Watch& what);
    void take_find(const Question& by, const coordinator::Find& what);
    void take_spawn(const Question& by, const coordinator::Spawn& what);
    void take_signal(const Question& by, const coordinator::Signal& what);
    void take_await(const Question& by, const coordinator::Await& what);
    void take_stop(const Question& by, const coordinator::StopActors& what);
    void take_link(const Question& by, const coordinator::LinkActors& what);
    void take_unlink(const Question& by, const coordinator::UnlinkActors& what);
    void end_with(ActorId dead, ActorId linked);
    void take_roster(const Question& by, const coordinator::RosterFrom& what);
    void settle_waits();
    [[nodiscard]] Ended ended(ActorId id) const;

    Stage* stage_;
    StageTransport transport_;
    std::map<ActorId, Link> control_lanes_;
    std::map<ActorId, Row> rows_;
    std::list<Waiting> awaits_;
    std::list<Stopping> stops_;
};

}  // namespace baton::detail
