#pragma once
// FamilyWorld: a world of actors that leave segments to each other, and the proof that nothing of them is left.

#include <algorithm>
#include <csignal>

#include "runtime/process/process_facts.hpp"
#include "tests/process/family.hpp"
#include "tests/process/process_world.hpp"

class FamilyWorld {
public:
    // Generous: a debug build on a busy machine.
    static constexpr baton::Duration patience = std::chrono::seconds{60};

    TestScenario& scenario() { return world.scenario(); }
    baton::AnyRef self() { return scenario().self<family::Protocol>(); }
    family::Address spawn(const std::string& name, std::vector<std::string> arguments = {}) {
        return scenario()
            .spawn<family::Protocol>({.program = "family", .name = name, .arguments = std::move(arguments),
                                      .timeout = patience})
            .value();
    }
    template <class C>
    auto ask(family::Address whom, const C& command) {
        return scenario().ask(whom, command, patience).value();
    }
    // Dead, and settled as far as nobody else is needed.
    void kill(family::Address whom) {
        frozen_.erase(whom.id);  // SIGKILL ends one that is frozen, too
        scenario().kill(whom).value();
        scenario().join(whom, patience).value();
    }
    void freeze(family::Address whom) {
        const pid_t pid = world.pid_of(whom);
        ::kill(pid, SIGSTOP);
        while (baton::detail::facts_of(pid).value_or(baton::detail::ProcessFacts{}).state != 'T') {
        }
        frozen_[whom.id] = pid;
    }
    void wake(family::Address whom) {
        if (const auto found = frozen_.find(whom.id); found != frozen_.end()) {
            ::kill(found->second, SIGCONT);
            frozen_.erase(found);
        }
    }
    // The item of that label, when the actor has it; ctest's TIMEOUT is the watchdog.
    family::Item wait_for(family::Address whom, const std::string& label) {
        for (;;)
            for (family::Item& item : ask(whom, family::Has{}))
                if (item.label == label) return item;
    }
    // Until the actor has a lease of something that is full of that value.
    void wait_for_lease(family::Address whom, std::int64_t value) {
        while (ask(whom, family::Read{}) != value) {
        }
    }
    baton::detail::coordinator::SegmentList segments() {
        return baton::detail::call(world.session().loop(), baton::detail::coordinator::Segments{}, patience).value();
    }
    void wait_for_alive(std::uint64_t count) {
        while (segments().alive != count) {
        }
    }
    // Until the segment that is left under that label is so.
    void wait_for_state(const std::string& label, const std::string& state) {
        const auto is_so = [&](const auto& row) { return row.label == label && row.state == state; };
        while (!std::ranges::any_of(segments().rows, is_so)) {
        }
    }
    std::vector<std::string> audit() {
        return baton::detail::call(world.session().loop(), baton::detail::coordinator::Audit{}, patience).value();
    }
    void kill_coordinator() {
        const pid_t pid = world.coordinator();
        const auto end = baton::detail::open_pidfd(pid).value();
        REQUIRE(::kill(pid, SIGKILL) == 0);
        REQUIRE(baton::detail::has_exited_by(end.get(), baton::Deadline::in(baton::detail::SystemClock{}, patience)));
    }

    // What is true in the end: the survivors' data are whole; they release all, then nothing is alive, the audit is
    // clean and the session balances.
    void check_end(const std::vector<family::Address>& survivors) {
        for (const family::Address& one : survivors) {
            for (const family::Item& item : ask(one, family::Has{})) CHECK(item.is_whole);
            ask(one, family::LetGo{});
        }
        while (segments().alive > 0)
            for (const family::Address& one : survivors) ask(one, family::LetGo{});
        while (!audit().empty()) {
        }
        CHECK_NOTHROW(world.close());
    }

    ProcessWorld world;

private:
    std::map<baton::ActorId, pid_t> frozen_;
};
