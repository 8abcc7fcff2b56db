#include "runtime/process/child.hpp"

#include <baton/log.hpp>
#include "runtime/process/find_program.hpp"
#include "runtime/process/process_facts.hpp"
#include "tests/unit/process_fixture.hpp"

#include <sys/prctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <sstream>

namespace {

namespace fs = std::filesystem;
using namespace process_test;
using baton::detail::Child;
using baton::detail::ChildSpec;
using baton::ErrorKind;
using baton::detail::ExitStatus;
using Catch::Matchers::Contains;

ChildSpec shell(const std::string& script) {
    ChildSpec spec;
    spec.program = "/bin/sh";
    spec.arguments = {"-c", script};
    return spec;
}

// The set of signals in a line of /proc/PID/status, without 32 and 33: glibc keeps these for itself, and its
// posix_spawn ignores them in every child.
unsigned long long signals_in(pid_t pid, const std::string& field) {
    std::istringstream status{text_of(fmt::format("/proc/{}/status", pid))};
    for (std::string word; status >> word;)
        if (word == field + ":") {
            unsigned long long set = 0;
            status >> std::hex >> set;
            return set & ~(3ULL << 31);
        }
    FAIL("no " << field << " in the status of " << pid);
    return 0;
}

TEST_CASE("a child's exit is known by its code", "[unit][process]") {
    const NothingLeft nothing_left;
    Child child = Child::start(shell("exit 7")).value();
    CHECK(child.reap_within(watchdog) == ExitStatus{.by_signal = false, .code_or_signal = 7});
}

TEST_CASE("a child's exit is known by its signal", "[unit][process]") {
    const NothingLeft nothing_left;
    Child child = Child::start(shell("kill -TERM $$")).value();
    CHECK(child.reap_within(watchdog) == ExitStatus{.by_signal = true, .code_or_signal = SIGTERM});
}

TEST_CASE("a running child is not reaped, and an exited one gives the same answer for ever", "[unit][process]") {
    const NothingLeft nothing_left;
    StandIn stand_in;
    Child& child = stand_in.child();
    CHECK_FALSE(child.reap().has_value());
    CHECK_FALSE(child.reap_within(0s).has_value());

    stand_in.let_go();
    const ExitStatus returned{.by_signal = false, .code_or_signal = 0};
    CHECK(child.reap_within(watchdog) == returned);
    CHECK(child.reap() == returned);
    CHECK(child.reap_within(0s) == returned);
}

TEST_CASE("a signal reaches a child through its pidfd, and nobody after the reaping", "[unit][process]") {
    const NothingLeft nothing_left;
    StandIn stand_in;
    Child& child = stand_in.child();
    REQUIRE(child.send_signal(SIGTERM).ok());
    CHECK(child.reap_within(watchdog) == ExitStatus{.by_signal = true, .code_or_signal = SIGTERM});

    const auto late = child.send_signal(SIGTERM);
    REQUIRE_FALSE(late.ok());
    CHECK(late.error().kind == ErrorKind::gone);
}

TEST_CASE("a Child that ends while its process runs kills and reaps it", "[unit][process][I7]") {
    const NothingLeft nothing_left;
    StandIn stand_in;
    const pid_t pid = stand_in.pid();
    {
        const Child child = std::move(stand_in.child());
        REQUIRE(baton::detail::facts_of(pid).has_value());
    }
    CHECK_FALSE(baton::detail::facts_of(pid).has_value());
}

TEST_CASE("a Child that ends after its process leaves no zombie", "[unit][process][I7]") {
    const NothingLeft nothing_left;
    pid_t pid = 0;
    {
        const Child child = Child::start(shell("exit 0")).value();
        pid = child.pid();
        REQUIRE(
            baton::detail::has_exited_by(child.pidfd(), baton::Deadline::in(baton::detail::SystemClock{}, watchdog)));
        REQUIRE(baton::detail::facts_of(pid).value_or(baton::detail::ProcessFacts{}).state == 'Z');
    }
    CHECK_FALSE(baton::detail::facts_of(pid).has_value());
}

TEST_CASE("a Child that is assigned to kills the one that it held, and the moved one goes on", "[unit][process]") {
    const NothingLeft nothing_left;
    StandIn first;
    StandIn second;
    const pid_t first_pid = first.pid();
    const pid_t second_pid = second.pid();
    first.child() = std::move(second.child());
    CHECK_FALSE(baton::detail::facts_of(first_pid).has_value());
    CHECK(first.pid() == second_pid);

    second.let_go();
    CHECK(first.child().reap_within(watchdog) == ExitStatus{.by_signal = false, .code_or_signal = 0});
}

TEST_CASE("a child starts with no signal blocked and none ignored, whatever its parent does", "[unit][process]") {
    const NothingLeft nothing_left;
    sigset_t blocked;
    sigset_t before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    REQUIRE(::pthread_sigmask(SIG_BLOCK, &blocked, &before) == 0);
    const auto interrupt_before = std::signal(SIGINT, SIG_IGN);

    const StandIn child;
    CHECK(signals_in(child.pid(), "SigBlk") == 0);
    CHECK(signals_in(child.pid(), "SigIgn") == 0);
    CHECK(signals_in(::getpid(), "SigBlk") != 0);

    // An ignored SIGHUP is what nohup wants for all that is started.
    const auto hangup_before = std::signal(SIGHUP, SIG_IGN);
    const StandIn hardened;
    CHECK(signals_in(hardened.pid(), "SigIgn") == 1ULL << (SIGHUP - 1));
    std::signal(SIGHUP, hangup_before);

    std::signal(SIGINT, interrupt_before);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("a child has a process group of its own, or its parent's", "[unit][process]") {
    const NothingLeft nothing_left;
    const StandIn apart{ChildSpec{.group = ChildSpec::Group::own}};
    CHECK(::getpgid(apart.pid()) == apart.pid());

    const StandIn together{ChildSpec{.group = ChildSpec::Group::parents}};
    CHECK(::getpgid(together.pid()) == ::getpgrp());
}

TEST_CASE("a child inherits the one descriptor it is meant to have and no other", "[unit][process]") {
    const NothingLeft nothing_left;
    const Pipe pipe;
    // So high that no file which the child opens by itself gets one of these numbers.
    const baton::UniqueFd meant{::fcntl(pipe.read_end.get(), F_DUPFD_CLOEXEC, 100)};
    const baton::UniqueFd secret{::fcntl(pipe.write_end.get(), F_DUPFD_CLOEXEC, 100)};
    const baton::UniqueFd forgotten{::fcntl(pipe.write_end.get(), F_DUPFD, 100)};  // not close-on-exec
    const StandIn child{ChildSpec{.inherit_fd = meant.get()}};
    const auto in_child = [&](int fd) { return fs::path{fmt::format("/proc/{}/fd/{}", child.pid(), fd)}; };
    CHECK(fs::read_symlink(in_child(baton::detail::inherited_fd)) ==
          fs::read_symlink(fmt::format("/proc/self/fd/{}", meant.get())));
    CHECK_FALSE(fs::exists(fs::symlink_status(in_child(meant.get()))));
    CHECK_FALSE(fs::exists(fs::symlink_status(in_child(secret.get()))));
    CHECK_FALSE(fs::exists(fs::symlink_status(in_child(forgotten.get()))));
    CHECK((::fcntl(meant.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("a child's environment is its parent's with additions and replacements", "[unit][process]") {
    const NothingLeft nothing_left;
    const Variable kept{"BATON_TEST_KEPT", "kept"};
    const Variable replaced{"BATON_TEST_REPLACED", "old"};
    ChildSpec spec;
    spec.environment = {{"BATON_TEST_REPLACED", "new = with spaces"}, {"BATON_TEST_ADDED", ""}};
    const StandIn child{spec};

    const auto environment = baton::detail::environment_of(child.pid()).value();
    const auto count = [&](const std::string& variable) {
        return std::count(environment.begin(), environment.end(), variable);
    };
    CHECK(count("BATON_TEST_KEPT=kept") == 1);
    CHECK(count("BATON_TEST_REPLACED=new = with spaces") == 1);
    CHECK(count("BATON_TEST_REPLACED=old") == 0);
    CHECK(count("BATON_TEST_ADDED=") == 1);
}

TEST_CASE("a child gets its arguments whole and its program's path as the first", "[unit][process]") {
    const NothingLeft nothing_left;
    Pipe answers;
    ChildSpec spec = shell("printf '%s|' \"$0\" \"$@\" > /dev/fd/" + std::to_string(baton::detail::inherited_fd));
    spec.arguments.insert(spec.arguments.end(), {"zero", "two words", "", "*"});
    spec.inherit_fd = answers.write_end.get();
    Child child = Child::start(spec).value();
    REQUIRE(child.reap_within(watchdog).has_value());
    CHECK(answers.rest() == "zero|two words||*|");
}

TEST_CASE("a program that cannot be started is refused with the reason and the remedy", "[unit][process]") {
    const NothingLeft nothing_left;
    const FreshFolder folder;
    const auto refusal = [](const std::string& program) {
        ChildSpec spec;
        spec.program = program;
        const auto child = Child::start(spec);
        REQUIRE_FALSE(child.ok());
        CHECK(child.error().kind == ErrorKind::refused);
        CHECK_THAT(child.error().text, Contains("cannot start '" + program + "'"));
        return child.error().text;
    };
    CHECK_THAT(refusal(folder.path() / "missing"), Contains("no such file"));
    CHECK_THAT(refusal(folder.path()), Contains("folder, not a program"));
    const std::string plain = folder.file("plain", "#!/bin/sh\n");
    CHECK_THAT(refusal(plain), Contains("chmod +x '" + plain + "'"));
    CHECK_THAT(refusal(folder.file("noise", "no program", 0700)), Contains("#!/bin/sh"));
    CHECK_THAT(refusal(folder.file("orphan", "#!/no/such/interpreter\n", 0700)), Contains("interpreter"));
}

TEST_CASE("a string that a program cannot be handed is refused, not cut", "[unit][process]") {
    const NothingLeft nothing_left;
    ChildSpec spec = shell("exit 0");
    SECTION("an argument with a zero byte") { spec.arguments.emplace_back("a\0b", 3); }
    SECTION("a value with a zero byte") { spec.environment.emplace_back("NAME", std::string("a\0b", 3)); }
    SECTION("a variable without a name") { spec.environment.emplace_back("", "value"); }
    SECTION("a name with an equals sign") { spec.environment.emplace_back("A=B", "value"); }
    const auto child = Child::start(spec);
    REQUIRE_FALSE(child.ok());
    CHECK(child.error().kind == ErrorKind::refused);
}

TEST_CASE("nothing is started while exits would be thrown away", "[unit][process]") {
    const NothingLeft nothing_left;
    const auto before = std::signal(SIGCHLD, SIG_IGN);
    const auto child = Child::start(shell("exit 0"));
    std::signal(SIGCHLD, before);
    REQUIRE_FALSE(child.ok());
    CHECK_THAT(child.error().text, Contains("SIGCHLD"));
}

TEST_CASE("a program is found in the given folders before PATH", "[unit][process]") {
    const NothingLeft nothing_left;
    const FreshFolder first;
    const FreshFolder second;
    const FreshFolder in_path;
    const Variable path{"PATH", in_path.path().string()};
    const std::string wanted = second.file("darkroom", "", 0700);
    const std::string other = in_path.file("darkroom", "", 0700);
    const std::array folders{first.path().string(), second.path().string()};

    CHECK(baton::detail::find_program("darkroom", folders).value() == wanted);
    CHECK(baton::detail::find_program("darkroom", {}).value() == other);
}

TEST_CASE("a file that is not executable does not hide a program in a later folder", "[unit][process]") {
    const NothingLeft nothing_left;
    const FreshFolder first;
    const FreshFolder second;
    [[maybe_unused]] const std::string plain = first.file("darkroom", "", 0600);
    const std::string wanted = second.file("darkroom", "", 0700);
    const std::array folders{first.path().string(), second.path().string()};
    CHECK(baton::detail::find_program("darkroom", folders).value() == wanted);
}

TEST_CASE("a program's name with a slash is a path and comes back absolute", "[unit][process]") {
    const NothingLeft nothing_left;
    const FreshFolder folder;
    const std::string wanted = folder.file("darkroom", "", 0700);
    CHECK(baton::detail::find_program(wanted, {}).value() == wanted);

    const std::string relative = fs::relative(wanted);
    const std::string found = baton::detail::find_program("./" + relative, {}).value();
    CHECK(found.front() == '/');
    CHECK(fs::equivalent(found, wanted));

    const auto missing = baton::detail::find_program("./no/such/program", {});
    REQUIRE_FALSE(missing.ok());
    CHECK(missing.error().kind == ErrorKind::refused);
}

TEST_CASE("a program that is nowhere is refused with every folder where it was looked for", "[unit][process]") {
    const NothingLeft nothing_left;
    const FreshFolder first;
    const FreshFolder in_path;
    const Variable path{"PATH", in_path.path().string() + ":/no/such/folder"};
    const std::string plain = first.file("darkroom", "", 0600);
    const std::array folders{first.path().string()};
    const auto found = baton::detail::find_program("darkroom", folders);
    REQUIRE_FALSE(found.ok());
    CHECK(found.error().kind == ErrorKind::refused);
    CHECK_THAT(found.error().text, Contains(first.path().string() + ": not executable: chmod +x '" + plain + "'"));
    CHECK_THAT(found.error().text, Contains(in_path.path().string() + ": not there"));
    CHECK_THAT(found.error().text, Contains("/no/such/folder: not there"));
    CHECK_FALSE(baton::detail::find_program("", folders).ok());
}

TEST_CASE("the lines of a refusal are those of the folders: what is in a name is spelled out", "[unit][process]") {
    const NothingLeft nothing_left;
    const Variable path{"PATH", "/no\nsuch/folder"};
    const auto found = baton::detail::find_program("dark\nroom", {});
    REQUIRE_FALSE(found.ok());
    CHECK(found.error().text == "cannot find program 'dark\\nroom'; looked in\n  /no\\nsuch/folder: not there\n"
                                "build it, name its path, or add its folder to PATH");
    CHECK_THAT(baton::detail::find_program("./dark\nroom", {}).error().text, Contains("/dark\\nroom': not there"));
}

TEST_CASE("the facts of a process are read past any name it gives itself", "[unit][process]") {
    std::array<char, 16> name{};
    REQUIRE(::prctl(PR_GET_NAME, name.data()) == 0);
    const auto plain = baton::detail::facts_of(::getpid());
    REQUIRE(::prctl(PR_SET_NAME, "a) Z 1 (b) 2 c") == 0);
    const auto odd = baton::detail::facts_of(::getpid());
    REQUIRE(::prctl(PR_SET_NAME, name.data()) == 0);

    REQUIRE(odd.has_value());
    CHECK(odd->pid == ::getpid());
    CHECK(odd->ppid == ::getppid());
    CHECK(odd->state == 'R');
    CHECK(odd->start_ticks == plain.value().start_ticks);
    CHECK(odd->start_ticks > 0);
}

TEST_CASE("start ticks tell a later process from an earlier one", "[unit][process]") {
    const NothingLeft nothing_left;
    const StandIn child;
    CHECK(baton::detail::facts_of(child.pid()).value().start_ticks >=
          baton::detail::facts_of(::getpid()).value().start_ticks);
    CHECK(baton::detail::facts_of(child.pid()).value().ppid == ::getpid());
}

TEST_CASE("there is nothing to watch or to know of a process that has been reaped", "[unit][process]") {
    const NothingLeft nothing_left;
    Child child = Child::start(shell("exit 0")).value();
    REQUIRE(child.reap_within(watchdog).has_value());
    CHECK_FALSE(baton::detail::facts_of(child.pid()).has_value());
    CHECK_FALSE(baton::detail::environment_of(child.pid()).has_value());
    const auto pidfd = baton::detail::open_pidfd(child.pid());
    REQUIRE_FALSE(pidfd.ok());
    CHECK(pidfd.error().kind == ErrorKind::gone);
}

// Goal: an actor does not outlive the coordinator that started it.
// Method: a parent starts an actor, waits until it has bound its life to it, hands its pid to us and exits; the
// pipe's end then tells that the actor has ended too, for nothing else would close it.
TEST_CASE("a process that dies with its parent does", "[unit][process][I7]") {
    const NothingLeft nothing_left;
    Pipe alive;
    Forked parent{[&] {
        const Pipe bound;
        const pid_t self = ::getpid();
        if (::fork() == 0) {
            if (!baton::detail::die_with_parent(self).ok()) ::_exit(1);
            bound.write("yes\n");
            wait_to_be_killed();
        }
        alive.write(bound.line() + "\n");
        return 0;
    }};
    CHECK(parent.exit_code() == 0);
    CHECK(alive.line() == "yes");
    CHECK(alive.rest().empty());
}

TEST_CASE("a process whose parent has exited already is told so", "[unit][process]") {
    const NothingLeft nothing_left;
    Forked orphan{[] {
        const auto bound = baton::detail::die_with_parent(::getpid());  // nobody is one's own parent
        return !bound.ok() && bound.error().kind == ErrorKind::gone ? 0 : 1;
    }};
    CHECK(orphan.exit_code() == 0);
}

}  // namespace
