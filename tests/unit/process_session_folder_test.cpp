#include "runtime/process/session_folder.hpp"

#include "runtime/base/check.hpp"
#include "runtime/process/process_facts.hpp"
#include "runtime/process/session_base.hpp"
#include <baton/sessions.hpp>
#include "tests/unit/process_fixture.hpp"

#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <memory>

namespace {

namespace fs = std::filesystem;
using namespace process_test;
using baton::ErrorKind;
using baton::detail::SessionFolder;
using Catch::Matchers::Contains;

fs::perms mode_of(const fs::path& path) { return fs::status(path).permissions(); }

// A coordinator in a process of its own, so that it can die without cleaning up.
class Coordinator {
public:
    Coordinator() { path_ = ready_.line(); }
    void kill() { process_.kill(); }
    [[nodiscard]] pid_t pid() const { return process_.pid(); }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string id() const { return fs::path{path_}.filename(); }

private:
    Pipe ready_;
    Forked process_{[this]() -> int {
        const auto session = SessionFolder::create();
        ready_.write((session ? session->path() : std::string{}) + "\n");
        wait_to_be_killed();
    }};
    std::string path_;
};

baton::Error refusal_of_create() {
    const auto session = SessionFolder::create();
    REQUIRE_FALSE(session.ok());
    CHECK(session.error().kind == ErrorKind::refused);
    return session.error();
}

TEST_CASE("a session lies in a private folder with a readable name until it ends", "[unit][process][I7]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    {
        const SessionFolder session = SessionFolder::create().value();
        CHECK(session.path() == sessions.base() / session.id());
        CHECK(session.id().size() == 8);
        CHECK(session.id().find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") == std::string::npos);
        CHECK(mode_of(session.path()) == fs::perms::owner_all);
        CHECK(mode_of(sessions.base()) == fs::perms::owner_all);
    }
    CHECK(sessions.entries() == std::vector<std::string>{".sweep-lock"});
}

TEST_CASE("the lock file of a session names its coordinator for people", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    const SessionFolder session = SessionFolder::create().value();
    const auto facts = baton::detail::facts_of(::getpid()).value();
    CHECK(text_of(session.path() + "/lock") == "pid " + std::to_string(::getpid()) + "\nstart_ticks " +
                                                   std::to_string(facts.start_ticks) + "\n");
}

TEST_CASE("a socket with the longest name can be bound in the longest base", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    constexpr std::size_t base_size_bytes_max = 68;
    const std::size_t used = sessions.runtime_folder().string().size() + std::string{"//baton"}.size();
    const fs::path longest = sessions.runtime_folder() / std::string(base_size_bytes_max - used, 'x');
    fs::create_directory(longest);
    const Variable runtime{"XDG_RUNTIME_DIR", longest.string()};

    const SessionFolder session = SessionFolder::create().value();
    const std::string name(baton::detail::socket_name_size_bytes_max, 'n');
    const std::string path = session.socket_path(name);
    CHECK(path == session.path() + "/" + name + ".sock");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(path.size() == baton::detail::socket_path_size_bytes_max);
    REQUIRE(path.size() < sizeof address.sun_path);
    path.copy(address.sun_path, path.size());
    const baton::UniqueFd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    CHECK(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    CHECK(fs::is_socket(path));
}

TEST_CASE("a base whose path leaves no room for a socket is refused", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    const fs::path deep = sessions.runtime_folder() / std::string(60, 'x');
    fs::create_directory(deep);
    const Variable runtime{"XDG_RUNTIME_DIR", deep.string()};
    CHECK_THAT(refusal_of_create().text, Contains("shorter path"));
    CHECK(fs::is_empty(deep));
}

TEST_CASE("the name of a socket that is too long or a path is a broken promise", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    const SessionFolder session = SessionFolder::create().value();
    const std::string name = GENERATE(std::string{}, std::string(25, 'n'), std::string{"../escape"});
    Forked caller{[&] {
        ::close(STDERR_FILENO);
        return session.socket_path(name).empty() ? 1 : 0;
    }};
    CHECK(caller.exit_code() == baton::detail::check_exit_code);
}

TEST_CASE("sessions lie under XDG_RUNTIME_DIR only where it names a folder of this user", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    const std::string fallback = "/dev/shm/.baton-" + std::to_string(::geteuid());
    CHECK(baton::detail::session_base_path() == sessions.base());
    fs::create_directory_symlink(sessions.runtime_folder(), sessions.runtime_folder() / "link");
    const auto base_for = [](const std::optional<std::string>& folder) {
        const Variable runtime{"XDG_RUNTIME_DIR", folder};
        return baton::detail::session_base_path();
    };
    CHECK(base_for(sessions.runtime_folder() / "link/") == sessions.base());
    CHECK(base_for(std::nullopt) == fallback);
    CHECK(base_for("") == fallback);
    CHECK(base_for("/no/such/folder") == fallback);
    CHECK(base_for(fs::relative(sessions.runtime_folder())) == fallback);
    std::ofstream{sessions.runtime_folder() / "file"} << "text";
    CHECK(base_for(sessions.runtime_folder() / "file") == fallback);
    if (::geteuid() != 0) return;  // only root can give a folder away
    fs::create_directory(sessions.runtime_folder() / "foreign");
    REQUIRE(::chown((sessions.runtime_folder() / "foreign").c_str(), 65534, 65534) == 0);
    CHECK(base_for(sessions.runtime_folder() / "foreign") == fallback);
}

TEST_CASE("a base that others could have prepared is refused with the remedy", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    SECTION("a symlink") {
        fs::create_directory(sessions.runtime_folder() / "elsewhere");
        fs::permissions(sessions.runtime_folder() / "elsewhere", fs::perms::owner_all);
        fs::create_directory_symlink(sessions.runtime_folder() / "elsewhere", sessions.base());
        CHECK_THAT(refusal_of_create().text, Contains("symlink"));
        CHECK(fs::is_empty(sessions.runtime_folder() / "elsewhere"));
    }
    SECTION("a file") {
        std::ofstream{sessions.base()} << "text";
        CHECK_THAT(refusal_of_create().text, Contains("not a folder"));
    }
    SECTION("a folder that the group may enter") {
        fs::create_directory(sessions.base());
        fs::permissions(sessions.base(), fs::perms::owner_all | fs::perms::group_exec);
        CHECK_THAT(refusal_of_create().text, Contains("chmod 700 '" + sessions.base().string() + "'"));
        CHECK_FALSE(baton::list_sessions().ok());
        CHECK_FALSE(baton::sweep_dead_sessions().ok());
    }
    SECTION("another user's folder") {
        if (::geteuid() != 0) return;  // only root can give a folder away
        fs::create_directory(sessions.base());
        fs::permissions(sessions.base(), fs::perms::owner_all);
        REQUIRE(::chown(sessions.base().c_str(), 65534, 65534) == 0);
        CHECK_THAT(refusal_of_create().text, Contains("belongs to user 65534"));
    }
}

TEST_CASE("a session is live as long as its coordinator, however that ends", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    CHECK(baton::list_sessions().value().empty());
    Coordinator coordinator;
    const pid_t pid = coordinator.pid();

    const auto before = baton::list_sessions().value();
    REQUIRE(before.size() == 1);
    CHECK(before[0].is_live);
    CHECK(before[0].id == coordinator.id());
    CHECK(before[0].path == coordinator.path());
    CHECK(before[0].pid == pid);

    coordinator.kill();
    const auto after = baton::list_sessions().value();
    REQUIRE(after.size() == 1);
    CHECK_FALSE(after[0].is_live);
    CHECK(after[0].pid == pid);
}

TEST_CASE("what looks at a session does not end it", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    const SessionFolder session = SessionFolder::create().value();
    for (int time = 0; time < 3; ++time) {
        CHECK(baton::find_session(session.id()).ok());
        CHECK(baton::list_sessions().value().at(0).is_live);
    }
}

TEST_CASE("a session is found by id, by path, by BATON_SESSION, or as the only one", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    const SessionFolder session = SessionFolder::create().value();
    {
        const Coordinator dead;  // is not taken for a second one
    }
    CHECK(baton::find_session(std::nullopt).value().path == session.path());

    const SessionFolder other = SessionFolder::create().value();
    CHECK(baton::find_session(session.id()).value().path == session.path());
    CHECK(baton::find_session(session.path()).value().id == session.id());
    CHECK(baton::find_session(session.path() + "/").value().id == session.id());
    const Variable from_environment{"BATON_SESSION", other.path()};
    CHECK(baton::find_session(std::nullopt).value().id == other.id());
    CHECK(baton::find_session(session.id()).value().id == session.id());
}

TEST_CASE("where no session or several could be meant, the error says what to do", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    const auto none = baton::find_session(std::nullopt);
    REQUIRE_FALSE(none.ok());
    CHECK(none.error().kind == ErrorKind::gone);
    CHECK_THAT(none.error().text, Contains("keeps one open"));

    const SessionFolder one = SessionFolder::create().value();
    const SessionFolder two = SessionFolder::create().value();
    const auto several = baton::find_session(std::nullopt);
    REQUIRE_FALSE(several.ok());
    CHECK(several.error().kind == ErrorKind::refused);
    CHECK_THAT(several.error().text, Contains(one.id()) && Contains(two.id()) && Contains("--session ID"));
}

TEST_CASE("a session that is unknown or has ended cannot be joined", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    const SessionFolder running = SessionFolder::create().value();
    Coordinator dead;
    dead.kill();
    for (const std::string& name : {std::string{"aaaaaaaa"}, std::string{"no id"}, std::string{".."},
                                    std::string{"/no/such/folder"}, dead.id(), dead.path()}) {
        INFO(name);
        const auto found = baton::find_session(name);
        REQUIRE_FALSE(found.ok());
        CHECK(found.error().kind == ErrorKind::gone);
        CHECK_THAT(found.error().text, Contains("'" + name + "'") && Contains(running.id()));

        const Variable from_environment{"BATON_SESSION", name};
        const auto by_variable = baton::find_session(std::nullopt);
        REQUIRE_FALSE(by_variable.ok());
        CHECK_THAT(by_variable.error().text, Contains("BATON_SESSION"));
    }
}

TEST_CASE("a session in a folder that others may enter is not joined", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    const SessionFolder session = SessionFolder::create().value();
    fs::permissions(session.path(), fs::perms::others_read, fs::perm_options::add);
    using Name = std::optional<std::string>;
    for (const Name& name : {Name{session.id()}, Name{session.path()}, Name{}}) {
        const auto found = baton::find_session(name);
        REQUIRE_FALSE(found.ok());
        CHECK(found.error().kind == ErrorKind::refused);
        CHECK_THAT(found.error().text, Contains("chmod 700"));
    }
}

TEST_CASE("removing a session follows no symlink and removes nothing that is not its own", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    const fs::path outside = sessions.runtime_folder() / "outside";
    fs::create_directory(outside);
    std::ofstream{outside / "precious"} << "text";

    SessionFolder session = SessionFolder::create().value();
    const std::string path = session.path();
    std::ofstream{session.path() + "/note"} << "text";
    fs::create_directory_symlink(outside, session.path() + "/to_folder");
    fs::create_symlink(outside / "precious", session.path() + "/to_file");
    const auto refused = session.remove();
    REQUIRE_FALSE(refused.ok());
    CHECK_THAT(refused.error().text, Contains("'to_folder'") && Contains("'to_file'"));
    CHECK(baton::find_session(path).ok());

    fs::remove(path + "/to_folder");
    fs::remove(path + "/to_file");
    CHECK(session.remove().ok());
    CHECK(session.remove().ok());
    CHECK_FALSE(fs::exists(path));
    CHECK(fs::exists(outside / "precious"));
}

TEST_CASE("a moved session goes on, and one that is assigned to ends", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    SessionFolder first = SessionFolder::create().value();
    SessionFolder second = SessionFolder::create().value();
    const std::string first_path = first.path();
    const std::string second_path = second.path();
    first = std::move(second);
    CHECK(first.path() == second_path);
    CHECK_FALSE(fs::exists(first_path));
    CHECK(baton::find_session(std::nullopt).value().path == second_path);
}

// Goal: what is being changed by one process is left alone by the others.
// Method: hold the lock of the base with a half-made session in it, let another process create or sweep, and
// look only once the kernel says that it sleeps, waiting for us, or that it is through.
TEST_CASE("a half-made session is not swept, and none is made beside it", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    REQUIRE(SessionFolder::create().ok());  // makes the base
    auto lock = baton::detail::lock_session_base(sessions.base(), baton::detail::BaseUse::changes);
    REQUIRE(lock.ok());
    const std::string half_made = sessions.base() / "abcdefgh";
    REQUIRE(::mkdir(half_made.c_str(), 0700) == 0);
    const std::vector<std::string> before = sessions.entries();

    const auto act = GENERATE(+[] { return SessionFolder::create().ok() ? 0 : 1; },
                              +[] { return baton::sweep_dead_sessions().ok() ? 0 : 1; });
    Forked other{[&] {
        lock->reset();  // a copy by fork, which would hold the lock as well
        return act();
    }};
    for (char state = 'R'; state != 'S' && state != 'Z'; ::sched_yield())
        state = baton::detail::facts_of(other.pid()).value().state;
    CHECK_THAT(sessions.entries(), Catch::Matchers::UnorderedEquals(before));
    lock->reset();
    CHECK(other.exit_code() == 0);
}

// Goal: a session is never swept while it is being made.
// Method: several processes make and end sessions while others sweep without a pause; every maker looks
// whether its session is still there and still its own.
TEST_CASE("sessions that are made during sweeps are not swept", "[unit][process]") {
    const NothingLeft nothing_left;
    const OwnSessions sessions;
    constexpr int rounds = 60;
    const auto make = [] {
        for (int round = 0; round < rounds; ++round) {
            auto session = SessionFolder::create();
            if (!session) return 1;
            if (!baton::find_session(session->id()).ok()) return 2;
            if (!session->remove().ok()) return 3;
        }
        return 0;
    };
    const auto sweep = [] {
        for (int round = 0; round < rounds; ++round) {
            const auto swept = baton::sweep_dead_sessions();
            if (!swept) return 4;
            if (!swept->troubles.empty()) return 5;
        }
        return 0;
    };
    std::vector<std::unique_ptr<Forked>> processes;
    for (int count = 0; count < 2; ++count) {
        processes.push_back(std::make_unique<Forked>(make));
        processes.push_back(std::make_unique<Forked>(sweep));
    }
    for (const auto& process : processes) CHECK(process->exit_code() == 0);
    CHECK(sessions.entries() == std::vector<std::string>{".sweep-lock"});
}

}  // namespace
