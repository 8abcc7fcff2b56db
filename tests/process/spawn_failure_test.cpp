// Programs that do not become actors: each is an error that says why, and leaves no process.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/process/process_world.hpp"

using namespace std::chrono_literals;
using baton::ErrorKind;

namespace other {
struct Nothing {};
using Protocol = baton::Protocol<Nothing>;
}  // namespace other

namespace {

baton::Error spawn_error(ProcessWorld& world, baton::SpawnOptions program) {
    const auto spawned = world.scenario().spawn<probe::Protocol>(program);
    REQUIRE_FALSE(spawned.ok());
    return spawned.error();
}

}  // namespace

TEST_CASE("a program that never joins is killed at the deadline", "[process][I8]") {
    ProcessWorld world;
    const baton::Error error = spawn_error(world, {"probe", "mute", {"never-join"}, 300ms});
    CHECK(error.kind == ErrorKind::timed_out);
    CHECK_THAT(error.text, Catch::Contains("mute"));
}

TEST_CASE("a program that exits before it joins is failed with its exit", "[process]") {
    ProcessWorld world;
    const baton::Error error = spawn_error(world, {"probe", "hasty", {"exit-early"}});
    CHECK(error.kind == ErrorKind::failed);
    CHECK_THAT(error.text, Catch::Contains("returned 7"));
}

TEST_CASE("a constructor that throws fails the spawn with its text", "[process]") {
    ProcessWorld world;
    const baton::Error error = spawn_error(world, {"probe", "clumsy", {"throw-in-constructor"}});
    CHECK(error.kind == ErrorKind::failed);
    CHECK_THAT(error.text, Catch::Contains("no room in the constructor"));
}

TEST_CASE("a program of another protocol is refused", "[process]") {
    ProcessWorld world;
    const auto spawned = world.scenario().spawn<other::Protocol>({"probe", "stranger"});
    REQUIRE_FALSE(spawned.ok());
    CHECK(spawned.error().kind == ErrorKind::refused);
    CHECK_THAT(spawned.error().text, Catch::Contains("protocol"));
}

TEST_CASE("a file that is missing or not executable is refused with a hint", "[process]") {
    ProcessWorld world;
    const baton::Error missing = spawn_error(world, {"no-such-program-anywhere", ""});
    CHECK(missing.kind == ErrorKind::refused);
    CHECK_THAT(missing.text, Catch::Contains("no-such-program-anywhere"));
    const std::string path = world.folder() + "/plain";
    std::ofstream{path} << "not a program";
    ::chmod(path.c_str(), 0644);
    const baton::Error plain = spawn_error(world, {path, "plain"});
    CHECK(plain.kind == ErrorKind::refused);
    CHECK_THAT(plain.text, Catch::Contains("chmod +x"));
    std::filesystem::remove(path);
}

TEST_CASE("a name in use and a name that can't be are refused, and nothing is lost", "[process]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    const baton::Error taken = spawn_error(world, {"probe", "Alice"});
    CHECK(taken.kind == ErrorKind::refused);
    CHECK_THAT(taken.text, Catch::Contains("in use"));
    CHECK(spawn_error(world, {"probe", "a b"}).kind == ErrorKind::refused);
    CHECK(spawn_error(world, {"probe", std::string(300, 'n')}).kind == ErrorKind::refused);
    CHECK(world.scenario().ask(alice, probe::Echo{"here"}).value() == "here");
    CHECK(world.scenario().find<probe::Protocol>("Nobody").error().kind == ErrorKind::gone);
    CHECK(world.scenario().find<other::Protocol>("Alice").error().kind == ErrorKind::refused);
}

TEST_CASE("a spawner that bears the wanted name itself is named, with what to do", "[process]") {
    ProcessWorld world;
    auto ada = baton::detail::Session::enter({.session = world.session().id(), .name = "ada"}).value();
    const auto spawned = ada->spawn({{"probe", "ada"}}, 10s);
    REQUIRE_FALSE(spawned.ok());
    CHECK(spawned.error().kind == ErrorKind::refused);
    CHECK_THAT(spawned.error().text, Catch::Contains("'ada' is in use by the spawner itself"));
    CHECK(ada->close().ok());
}

TEST_CASE("a name that is too long with its parents' names says how deep actors may start actors", "[process]") {
    ProcessWorld world;
    const ProbeRef parent = world.spawn(std::string(120, 'p'));
    const auto child =
        world.scenario().ask(parent, probe::SpawnWithin{"probe", std::string(90, 'c'), 5000}, 20s).value();
    CHECK_THAT(child, Catch::Contains("has 211 bytes") && Catch::Contains("how deep actors may start actors") &&
                          Catch::Contains("limits::name_bytes_max"));
}

// Goal: where a program lies is said with the program, for a scenario as for an actor.
TEST_CASE("a program is found in the folders that are given with it", "[process]") {
    ProcessWorld world;
    const std::string folder = world.folder() + "/mine";
    REQUIRE(::mkdir(folder.c_str(), 0755) == 0);
    std::string probe_path;
    for (const std::string& searched : world.session().searched_folders())
        if (std::filesystem::exists(searched + "/probe")) probe_path = searched + "/probe";
    std::filesystem::create_symlink(probe_path, folder + "/my_probe");
    CHECK(spawn_error(world, {"my_probe", "lost"}).kind == ErrorKind::refused);
    CHECK(world.scenario().spawn<probe::Protocol>({.program = "my_probe", .name = "found", .folders = {folder}}).ok());
    std::filesystem::remove_all(folder);
}

TEST_CASE("a program that can't be found is looked for once in each folder", "[process]") {
    ProcessWorld world;
    const baton::Error error = spawn_error(world, {"no-such-program-anywhere", ""});
    std::set<std::string> lines;
    std::istringstream text{error.text};
    for (std::string line; std::getline(text, line);) CHECK(lines.insert(line).second);
}

TEST_CASE("a coordinator that can't start says why to the program that started it", "[process]") {
    ProcessWorld world;
    const std::string base = world.folder() + "/baton";
    REQUIRE(::mkdir(base.c_str(), 0755) == 0);
    ::chmod(base.c_str(), 0755);
    const auto session = baton::detail::Session::enter({});
    REQUIRE_FALSE(session.ok());
    CHECK(session.error().kind == ErrorKind::refused);
    CHECK_THAT(session.error().text,
               Catch::Contains("did not start") && Catch::Contains(base) && Catch::Contains("chmod"));
    ::chmod(base.c_str(), 0700);
}

TEST_CASE("a coordinator that ends without a word is told with its exit code", "[process]") {
    ProcessWorld world;
    ::setenv("BATON_COORDINATOR_PROGRAM", "/bin/false", 1);
    const auto session = baton::detail::Session::enter({});
    ::unsetenv("BATON_COORDINATOR_PROGRAM");
    REQUIRE_FALSE(session.ok());
    CHECK_THAT(session.error().text, Catch::Contains("/bin/false") && Catch::Contains("exit code 1"));
}

TEST_CASE("when one of several can't start, the others are stopped again", "[process]") {
    ProcessWorld world;
    const auto spawned = world.scenario().spawn_all<probe::Protocol>({{"probe", "good"}, {"probe", "bad",
                                                                                          {"exit-early"}}});
    REQUIRE_FALSE(spawned.ok());
    CHECK(world.scenario().find<probe::Protocol>("good").error().kind == ErrorKind::gone);
}

TEST_CASE("a session folder with wrong rights is refused and names the remedy", "[process]") {
    ProcessWorld world;
    const std::string base = world.folder() + "/baton";
    REQUIRE(::mkdir(base.c_str(), 0755) == 0);
    ::chmod(base.c_str(), 0755);
    const auto session = baton::detail::Session::enter({});
    CHECK_FALSE(session.ok());
    REQUIRE(::mkdir((base + "/abcdefgh").c_str(), 0755) == 0);
    const auto named = baton::detail::Session::enter({.session = base + "/abcdefgh"});
    REQUIRE_FALSE(named.ok());
    CHECK_THAT(named.error().text, Catch::Contains("chmod"));
    std::filesystem::remove(base + "/abcdefgh");
}
