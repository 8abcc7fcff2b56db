#include <baton/sessions.hpp>

#include "runtime/process/session_folder.hpp"
#include "tests/unit/process_fixture.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>
#include <memory>

namespace {

namespace fs = std::filesystem;
using namespace process_test;
using baton::detail::ExitStatus;
using baton::detail::SessionFolder;
using Catch::Matchers::Contains;
using Catch::Matchers::UnorderedEquals;

const ExitStatus was_killed{.by_signal = true, .code_or_signal = SIGKILL};

// The folder of a session whose coordinator has been killed.
std::string dead_session() {
    const Pipe ready;
    Forked coordinator{[&]() -> int {
        const auto session = SessionFolder::create();
        ready.write((session ? session->path() : std::string{}) + "\n");
        wait_to_be_killed();
    }};
    std::string path = ready.line();
    REQUIRE_FALSE(path.empty());
    return path;
}

// Shared memory with a name like a segment's, which ends with the test where nobody sweeps it.
class SegmentFile {
public:
    explicit SegmentFile(const std::string& session_folder)
        : path_("/dev/shm/baton-" + fs::path{session_folder}.filename().string() + "-1.1") {
        std::ofstream{path_} << "bytes";
        REQUIRE(exists());
    }
    SegmentFile(const SegmentFile&) = delete;
    SegmentFile& operator=(const SegmentFile&) = delete;
    ~SegmentFile() {
        std::error_code ignored;
        fs::remove(path_, ignored);
    }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] bool exists() const { return fs::exists(path_); }

private:
    std::string path_;
};

using Environment = std::vector<std::pair<std::string, std::string>>;

baton::detail::ChildSpec with(Environment environment) {
    baton::detail::ChildSpec spec;
    spec.environment = std::move(environment);
    return spec;
}

baton::detail::ChildSpec actor_of(const std::string& session_folder) {
    return with({{"BATON_SESSION", session_folder}, {"BATON_ACTOR", "3.1"}});
}

TEST_CASE("a dead session leaves neither process, segment nor folder after a sweep", "[unit][process][I7]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    const std::string dead = dead_session();
    std::ofstream{dead + "/1.1.sock"} << "";
    const SegmentFile segment{dead};
    StandIn actor{actor_of(dead)};

    const auto swept = baton::sweep_dead_sessions().value();
    CHECK(swept.sessions == 1);
    CHECK(swept.processes_killed == std::vector{actor.pid()});
    CHECK(swept.removed == std::vector{segment.path(), dead});
    CHECK(swept.troubles.empty());
    CHECK(actor.child().reap() == was_killed);  // the sweep has waited for it
    CHECK_FALSE(segment.exists());
    CHECK(sessions.entries() == std::vector<std::string>{".sweep-lock"});
}

TEST_CASE("a sweep does not touch a live session", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    const SessionFolder live = SessionFolder::create().value();
    const SegmentFile segment{live.path()};
    StandIn actor{actor_of(live.path())};
    const std::string dead = dead_session();

    const auto swept = baton::sweep_dead_sessions().value();
    CHECK(swept.removed == std::vector{dead});
    CHECK(swept.processes_killed.empty());
    CHECK_FALSE(actor.child().reap().has_value());
    CHECK(segment.exists());
    CHECK(baton::find_session(live.id()).ok());
}

TEST_CASE("a sweep kills nobody but actors of dead sessions", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    const std::string dead = dead_session();
    StandIn scenario{with({{"BATON_SESSION", dead}})};
    StandIn nearly{with({{"BATON_SESSION", dead}, {"NO_BATON_ACTOR", "3.1"}})};
    StandIn foreign{actor_of(dead + "x")};
    StandIn stray{with({{"BATON_ACTOR", "3.1"}})};

    CHECK(baton::sweep_dead_sessions().value().processes_killed.empty());
    CHECK_FALSE(scenario.child().reap().has_value());
    CHECK_FALSE(nearly.child().reap().has_value());
    CHECK_FALSE(foreign.child().reap().has_value());
    CHECK_FALSE(stray.child().reap().has_value());
}

TEST_CASE("a second sweep finds nothing to do", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    const std::string first = dead_session();
    const std::string second = dead_session();
    const auto swept = baton::sweep_dead_sessions().value();
    CHECK(swept.sessions == 2);
    CHECK_THAT(swept.removed, UnorderedEquals(std::vector{first, second}));

    const auto again = baton::sweep_dead_sessions().value();
    CHECK(again.sessions == 0);
    CHECK(again.removed.empty());
    CHECK(again.troubles.empty());
}

TEST_CASE("a sweep where there never was a session makes nothing", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    CHECK(baton::sweep_dead_sessions().value().sessions == 0);
    CHECK_FALSE(fs::exists(sessions.base()));
}

TEST_CASE("a session whose coordinator died before it had a lock is swept", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    const std::string dead = dead_session();
    fs::remove(dead + "/lock");
    CHECK(baton::sweep_dead_sessions().value().removed == std::vector{dead});
    CHECK_FALSE(fs::exists(dead));
}

TEST_CASE("a live session whose files others have removed is neither swept nor taken for dead", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    const SessionFolder live = SessionFolder::create().value();
    const SegmentFile segment{live.path()};
    StandIn actor{actor_of(live.path())};
    const std::string memory_lock = "/dev/shm/baton-" + live.id() + "-lock";
    // As a coordinator uses its ledger and vitals: the last sign of life where all three locks have no name any more.
    const baton::UniqueFd used{::open(segment.path().c_str(), O_RDONLY | O_CLOEXEC)};

    const auto what = GENERATE(as<std::string>{}, "lock", "lock and memory lock", "folder", "folder and memory lock");
    INFO(what);
    if (what.starts_with("folder")) {
        fs::remove_all(live.path());
    } else {
        fs::remove(live.path() + "/lock");
    }
    if (what.ends_with("memory lock")) fs::remove(memory_lock);
    const auto swept = baton::sweep_dead_sessions().value();
    CHECK(swept.sessions == 0);
    CHECK(swept.removed.empty());
    CHECK(swept.processes_killed.empty());
    CHECK_FALSE(actor.child().reap().has_value());
    CHECK(segment.exists());
    if (!what.starts_with("folder")) CHECK(baton::find_session(live.id()).ok());
}

TEST_CASE("the memory of a dead session whose folder was removed is swept, and what its actors have left",
          "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    const std::string dead = dead_session();
    const SegmentFile segment{dead};
    StandIn actor{actor_of(dead)};
    fs::remove_all(dead);
    if (GENERATE(false, true)) fs::remove("/dev/shm/baton-" + fs::path{dead}.filename().string() + "-lock");
    const auto swept = baton::sweep_dead_sessions().value();
    CHECK(swept.sessions == 1);
    CHECK(swept.removed == std::vector{segment.path()});
    CHECK(swept.processes_killed == std::vector{actor.pid()});
    CHECK_FALSE(segment.exists());
    CHECK_FALSE(fs::exists("/dev/shm/baton-" + fs::path{dead}.filename().string() + "-lock"));
}

TEST_CASE("a session without any file is listed as living, and its error says what was removed", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    const SessionFolder live = SessionFolder::create().value();
    fs::remove_all(sessions.base());
    fs::remove("/dev/shm/baton-" + live.id() + "-lock");
    const auto listed = baton::list_sessions().value();
    REQUIRE(listed.size() == 1);
    CHECK(listed.at(0).id == live.id());
    CHECK(listed.at(0).is_live);
    CHECK_FALSE(listed.at(0).has_folder);
    CHECK(listed.at(0).pid == ::getpid());
    for (const std::optional<std::string>& named : {std::optional<std::string>{}, std::optional{live.id()},
                                                    std::optional{live.path()}}) {
        const auto found = baton::find_session(named);
        REQUIRE_FALSE(found.ok());
        CHECK_THAT(found.error().text, Contains("it lives (process") && Contains(live.path()) && Contains("kill"));
    }
    CHECK(baton::sweep_dead_sessions().value().sessions == 0);
}

TEST_CASE("a sign of life of another process is none", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    const std::string dead = dead_session();
    // Held by this process, and it names another one.
    const std::string name = "baton:" + std::to_string(::getppid()) + ":" + dead;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(name.size() + 1 <= sizeof address.sun_path);
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    const baton::UniqueFd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), bytes) == 0);
    CHECK(baton::sweep_dead_sessions().value().removed == std::vector{dead});
}

TEST_CASE("what was removed of a session is put back, and held", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    SessionFolder live = SessionFolder::create().value();
    SessionFolder visitor = SessionFolder::visit(live.path());
    CHECK(visitor.put_back(::getpid()).value().empty());

    const std::string file = live.path() + "/lock";
    const std::string memory = "/dev/shm/baton-" + live.id() + "-lock";
    fs::remove_all(sessions.base());
    fs::remove(memory);
    CHECK(visitor.put_back(::getpid()).value() == std::vector{live.path(), file, memory});
    CHECK(baton::find_session(live.id()).ok());
    for (const std::string& path : {live.path(), file, memory}) {
        const baton::UniqueFd other{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
        CHECK(::flock(other.get(), LOCK_EX | LOCK_NB) != 0);
    }
    visitor = SessionFolder::visit(live.path());  // the one that held them has ended, and the next one holds them
    CHECK(visitor.put_back(::getpid()).value().empty());
    const baton::UniqueFd other{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
    CHECK(::flock(other.get(), LOCK_EX | LOCK_NB) != 0);
    REQUIRE(live.remove().ok());
    CHECK_FALSE(fs::exists(memory));

    fs::remove_all(sessions.runtime_folder());
    const auto failed = visitor.put_back(::getpid());
    REQUIRE_FALSE(failed.ok());
    CHECK_THAT(failed.error().text, Contains(sessions.runtime_folder().string()) && Contains("logged out"));
    fs::create_directory(sessions.runtime_folder());
}

// As in containers that have a /tmp of their own and share the machine's shared memory.
TEST_CASE("memory of sessions with folders elsewhere is left to those who see them, and spared while they live",
          "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions elsewhere;
    const std::string dead = dead_session();
    const SegmentFile of_dead{dead};
    const SessionFolder live = SessionFolder::create().value();
    const SegmentFile of_live{live.path()};
    {
        const OwnSessions here;
        CHECK(baton::sweep_dead_sessions().value().sessions == 0);
        CHECK(of_dead.exists());
        CHECK(of_live.exists());
        const fs::path hidden = elsewhere.runtime_folder() / "hidden";
        fs::rename(elsewhere.base(), hidden);
        CHECK(baton::sweep_dead_sessions().value().removed == std::vector{of_dead.path()});
        CHECK(of_live.exists());
        fs::rename(hidden, elsewhere.base());
    }
    CHECK(baton::sweep_dead_sessions().value().sessions == 1);
}

TEST_CASE("memory without a lock that somebody uses is left alone", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    const SegmentFile segment{"/abcdefgh"};
    {
        const baton::UniqueFd used{::open(segment.path().c_str(), O_RDONLY | O_CLOEXEC)};
        CHECK(baton::sweep_dead_sessions().value().removed.empty());
        CHECK(segment.exists());
    }
    CHECK(baton::sweep_dead_sessions().value().removed == std::vector{segment.path()});
}

TEST_CASE("files of a session look new after a touch, and a sweep's lock that was removed is made anew",
          "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    const SessionFolder live = SessionFolder::create().value();
    std::ofstream{live.socket_path("1.1")} << "";
    const std::vector<fs::path> files{sessions.base() / ".sweep-lock", live.path(), fs::path{live.path()} / "lock",
                                      live.socket_path("1.1"), "/dev/shm/baton-" + live.id() + "-lock"};
    const auto old = fs::file_time_type::clock::now() - std::chrono::hours{24 * 11};
    for (const fs::path& file : files) fs::last_write_time(file, old);
    live.touch();
    for (const fs::path& file : files) CHECK(fs::last_write_time(file) > old + std::chrono::hours{24});

    fs::remove(sessions.base() / ".sweep-lock");
    CHECK(baton::sweep_dead_sessions().ok());
    CHECK(fs::exists(sessions.base() / ".sweep-lock"));
}

TEST_CASE("what is no session in the base is not touched", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    const std::string dead = dead_session();
    const fs::path outside = sessions.runtime_folder() / "outside";
    fs::create_directory(outside);
    fs::permissions(outside, fs::perms::owner_all);
    fs::create_directory(sessions.base() / "notes");
    fs::create_directory_symlink(outside, sessions.base() / "abcdefgh");
    std::ofstream{sessions.base() / "abcdefgj"} << "a file";

    const auto swept = baton::sweep_dead_sessions().value();
    CHECK(swept.removed == std::vector{dead});
    CHECK(swept.troubles.empty());
    CHECK_THAT(sessions.entries(),
               UnorderedEquals(std::vector<std::string>{".sweep-lock", "notes", "abcdefgh", "abcdefgj"}));
    CHECK(fs::exists(outside));
}

TEST_CASE("what a sweep cannot remove is told, and left to the next one", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    const std::string stuck = dead_session();
    const std::string dead = dead_session();
    const SegmentFile segment{stuck};
    fs::create_directory(stuck + "/mine");

    const auto swept = baton::sweep_dead_sessions().value();
    CHECK(swept.sessions == 1);
    CHECK_FALSE(fs::exists(dead));
    CHECK_FALSE(segment.exists());
    REQUIRE(swept.troubles.size() == 1);
    CHECK_THAT(swept.troubles[0].text, Contains(stuck) && Contains("'mine'"));

    fs::remove(stuck + "/mine");
    CHECK(baton::sweep_dead_sessions().value().removed == std::vector{stuck});
}

TEST_CASE("another user's shared memory is not touched, whatever its name", "[unit][process]") {
    if (::geteuid() != 0) return;  // only root can give a file away
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    const std::string dead = dead_session();
    const SegmentFile segment{dead};
    REQUIRE(::chown(segment.path().c_str(), 65534, 65534) == 0);
    const auto swept = baton::sweep_dead_sessions().value();
    CHECK(swept.removed == std::vector{dead});
    CHECK(swept.troubles.empty());
    CHECK(segment.exists());
}

// Goal: two coordinators that start at once do not get in each other's way.
// Method: processes sweep the same dead sessions, starting together when a pipe closes; each is content and
// together they leave nothing.
TEST_CASE("sweeps at the same time leave nothing and complain of nothing", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    std::vector<std::string> dead;
    std::vector<std::unique_ptr<SegmentFile>> segments;
    for (int count = 0; count < 6; ++count) {
        dead.push_back(dead_session());
        segments.push_back(std::make_unique<SegmentFile>(dead.back()));
    }
    Pipe gate;
    Pipe counts;
    std::vector<std::unique_ptr<Forked>> sweepers;
    for (int count = 0; count < 4; ++count)
        sweepers.push_back(std::make_unique<Forked>([&] {
            if (!gate.rest().empty()) return 1;
            const auto swept = baton::sweep_dead_sessions();
            if (!swept || !swept->troubles.empty()) return 2;
            counts.write(std::string(swept->sessions, 'x'));
            return 0;
        }));
    gate.write_end.reset();
    for (const auto& sweeper : sweepers) CHECK(sweeper->exit_code() == 0);
    CHECK(counts.rest() == std::string(dead.size(), 'x'));
    CHECK(sessions.entries() == std::vector<std::string>{".sweep-lock"});
    for (const auto& segment : segments) CHECK_FALSE(segment->exists());
}

}  // namespace
