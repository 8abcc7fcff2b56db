#pragma once
// ProcessWorld: a session of its own for one test, and the proof that nothing is left of it.
//
// Each world has a fresh XDG_RUNTIME_DIR, so that tests run side by side and never see another session. When
// it ends it looks for processes of the session, descriptors of this one, sockets, folders and shared memory
// that were not there before, and fails the test that left them (I7).

#include <optional>
#include <set>
#include <string>

#include <baton/scenario.hpp>
#include "runtime/inbox/access.hpp"
#include "runtime/inbox/call.hpp"
#include "runtime/session/session.hpp"
#include "tests/catch.hpp"
#include "tests/process/probe.hpp"

using ProbeRef = baton::Ref<probe::Protocol>;

// A scenario whose verbs return a Result: tests look at errors.
class TestScenario final : public baton::detail::SessionVerbs<baton::detail::Returning> {
public:
    explicit TestScenario(baton::detail::Session& session) : SessionVerbs(session, {}) {}
};

class ProcessWorld {
public:
    // `memory_bytes`: that all segments may take; 0: the coordinator's choice.
    explicit ProcessWorld(std::uint64_t memory_bytes = 0);
    ~ProcessWorld();

    // Enters a session of one's own, at first need.
    baton::detail::Session& session();
    TestScenario& scenario();
    ProbeRef spawn(const std::string& name, std::vector<std::string> arguments = {});
    // The process by which the session lives, and the one that coordinates it now.
    [[nodiscard]] pid_t anchor();
    [[nodiscard]] pid_t coordinator();
    // Ends the session and returns every exit of its life.
    std::vector<baton::Ended> close();

    [[nodiscard]] const std::string& folder() const { return folder_; }
    // A fifo in the world's folder, for Block; release() lets the actor that opened it continue.
    std::string make_fifo(const std::string& name);
    void release(const std::string& fifo);
    [[nodiscard]] pid_t pid_of(baton::AnyRef actor);
    // Wait until the roster says so; ctest's TIMEOUT is the watchdog.
    void wait_for_state(const std::string& name, const std::string& state);
    // For an actor that has handled something before, and may still be busy with the end of that.
    void wait_until_in_hand(const std::string& name, const std::string& command);

    // Looks for its shared memory too, at the end.
    void watch(const std::string& session_id) { session_ids_.insert(session_id); }

    // What a session may leave: processes (of it), files in the runtime folder, shared memory.
    [[nodiscard]] std::set<std::string> leftovers() const;

private:
    std::uint64_t memory_bytes_;
    std::string folder_;
    std::string former_runtime_dir_;
    std::set<std::string> descriptors_before_;
    std::set<std::string> session_ids_;
    std::unique_ptr<baton::detail::Session> session_;
    std::optional<TestScenario> scenario_;
};

[[nodiscard]] std::set<std::string> open_descriptors();
