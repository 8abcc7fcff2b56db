#include "tests/process/process_world.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "runtime/process/process_facts.hpp"
#include "runtime/transport/descriptors.hpp"

namespace fs = std::filesystem;

std::set<std::string> open_descriptors() {
    std::set<std::string> open;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
        std::error_code error;
        const std::string target = fs::read_symlink(entry.path(), error).string();
        if (!error && target.find("/proc/") == std::string::npos)
            open.insert(entry.path().filename().string() + " " + target);
    }
    return open;
}

ProcessWorld::ProcessWorld(std::uint64_t memory_bytes) : memory_bytes_(memory_bytes) {
    const char* former = std::getenv("XDG_RUNTIME_DIR");
    former_runtime_dir_ = former == nullptr ? "" : former;
    char name[] = "/tmp/baton-world-XXXXXX";
    folder_ = ::mkdtemp(name);
    ::setenv("XDG_RUNTIME_DIR", folder_.c_str(), 1);
    ::unsetenv("BATON_SESSION");
    baton::detail::hold_back_connections();  // which keeps a spare descriptor for the rest of the process's life
    descriptors_before_ = open_descriptors();
}

ProcessWorld::~ProcessWorld() {
    if (session_) CHECK_NOTHROW(static_cast<void>(close()));
    scenario_.reset();
    session_.reset();
    const std::set<std::string> left = leftovers();
    CHECK(left == std::set<std::string>{});
    CHECK(open_descriptors() == descriptors_before_);
    fs::remove_all(folder_);
    if (former_runtime_dir_.empty()) {
        ::unsetenv("XDG_RUNTIME_DIR");
    } else {
        ::setenv("XDG_RUNTIME_DIR", former_runtime_dir_.c_str(), 1);
    }
}

baton::detail::Session& ProcessWorld::session() {
    if (!session_) {
        session_ = baton::detail::Session::enter({.memory_bytes = memory_bytes_}).value();
        session_ids_.insert(session_->id());
        scenario_.emplace(*session_);
    }
    return *session_;
}

TestScenario& ProcessWorld::scenario() {
    session();
    return *scenario_;
}

ProbeRef ProcessWorld::spawn(const std::string& name, std::vector<std::string> arguments) {
    return scenario().spawn<probe::Protocol>({"probe", name, std::move(arguments)}).value();
}

pid_t ProcessWorld::anchor() { return baton::detail::facts_of(coordinator()).value().ppid; }

pid_t ProcessWorld::coordinator() { return static_cast<pid_t>(session().find("coordinator").value().pid); }

std::vector<baton::Ended> ProcessWorld::close() {
    std::vector<baton::Ended> ended = session().close().value();
    scenario_.reset();
    session_.reset();
    return ended;
}

std::string ProcessWorld::make_fifo(const std::string& name) {
    const std::string path = folder_ + "/" + name;
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    return path;
}

void ProcessWorld::release(const std::string& fifo) {
    const int fd = ::open(fifo.c_str(), O_WRONLY);
    REQUIRE(fd >= 0);
    ::close(fd);
    fs::remove(fifo);
}

pid_t ProcessWorld::pid_of(baton::AnyRef actor) {
    for (;;) {
        const std::vector<baton::RosterRow> rows = session().roster(true).value();
        const auto row = std::ranges::find(rows, actor, &baton::RosterRow::actor);
        if (row == rows.end()) break;
        if (row->pid != 0) return static_cast<pid_t>(row->pid);  // the anchor has started it
    }
    FAIL("the roster does not hold the actor");
    return 0;
}

void ProcessWorld::wait_for_state(const std::string& name, const std::string& state) {
    for (;;) {
        const std::vector<baton::RosterRow> rows = session().roster(true).value();
        for (const baton::RosterRow& row : rows)
            if (row.name == name && row.state == state) return;
    }
}

void ProcessWorld::wait_until_in_hand(const std::string& name, const std::string& command) {
    for (;;) {
        const std::vector<baton::RosterRow> rows = session().roster(true).value();
        for (const baton::RosterRow& row : rows)
            if (row.name == name && row.state == "busy" && row.in_hand == command) return;
    }
}

std::set<std::string> ProcessWorld::leftovers() const {
    std::set<std::string> left;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const std::string name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        const pid_t pid = std::stoi(name);
        const auto environment = pid == ::getpid() ? std::nullopt : baton::detail::environment_of(pid);
        if (!environment) continue;
        bool is_actor = false;
        bool is_ours = false;
        for (const std::string& variable : *environment) {
            is_actor = is_actor || variable.starts_with("BATON_ACTOR=");
            is_ours = is_ours || variable.starts_with("BATON_SESSION=" + folder_);
        }
        const auto facts = baton::detail::facts_of(pid);
        if (is_actor && is_ours && facts && facts->state != 'Z') left.insert("process " + name);
    }
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
        const std::string path = entry.path().string();
        if (path != folder_ + "/baton" && entry.path().filename() != ".sweep-lock" && !entry.is_fifo())
            left.insert(path);
    }
    for (const auto& entry : fs::directory_iterator("/dev/shm")) {
        const std::string name = entry.path().filename().string();
        for (const std::string& id : session_ids_)
            if (name.starts_with("baton-" + id)) left.insert("shared memory " + name);
    }
    return left;
}
