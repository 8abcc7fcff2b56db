#include "runtime/process/birth.hpp"

#include "tests/unit/process_fixture.hpp"

#include <sys/resource.h>

namespace {

using namespace process_test;
using baton::detail::Birth;

// In a process of its own: 0, or the line that found something else.
template <class Life>
int in_own_process(Life life) {
    Forked process{std::move(life)};
    return process.exit_code();
}

bool is_ignored(int signal) {
    struct sigaction now {};
    return ::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

bool takes_text(int fd) { return ::write(fd, "x", 1) == 1; }

TEST_CASE("streams that were closed are open, so that nothing else gets their numbers", "[unit][process]") {
    const NothingLeft nothing_left;
    const Birth birth = GENERATE(Birth::program, Birth::actor);
    CHECK(in_own_process([birth] {
              for (int fd = 0; fd < 3; ++fd) ::close(fd);
              baton::detail::take_over_birth(birth);
              for (int fd = 0; fd < 3; ++fd)
                  if (::fcntl(fd, F_GETFD) != 0) return __LINE__ & 0xFF;  // open, and for children too
              char byte = 0;
              if (::read(0, &byte, 1) != 0) return __LINE__ & 0xFF;
              if (!takes_text(2)) return __LINE__ & 0xFF;
              // What a program prints must not get lost in silence.
              return takes_text(1) == (birth == Birth::actor) ? 0 : __LINE__ & 0xFF;
          }) == 0);
}

TEST_CASE("streams that are open stay what they are", "[unit][process]") {
    const NothingLeft nothing_left;
    Pipe pipe;
    CHECK(in_own_process([&] {
              ::dup2(pipe.write_end.get(), 1);
              ::close(2);
              baton::detail::take_over_birth(Birth::program);
              return takes_text(1) ? 0 : 1;
          }) == 0);
    CHECK(pipe.rest() == "x");
}

TEST_CASE("no inherited signal is blocked or ignored, but for a SIGHUP and those of job control", "[unit][process]") {
    const NothingLeft nothing_left;
    CHECK(in_own_process([] {
              for (const int signal :
                   {SIGINT, SIGTERM, SIGQUIT, SIGCHLD, SIGPIPE, SIGXFSZ, SIGUSR1, SIGALRM, SIGHUP, SIGTTOU})
                  std::signal(signal, SIG_IGN);
              sigset_t every;
              sigfillset(&every);
              ::sigprocmask(SIG_SETMASK, &every, nullptr);
              baton::detail::take_over_birth(Birth::actor);
              sigset_t now;
              ::sigprocmask(SIG_SETMASK, nullptr, &now);
              if (::sigisemptyset(&now) == 0) return 1;
              for (const int signal : {SIGINT, SIGTERM, SIGQUIT, SIGCHLD, SIGPIPE, SIGXFSZ, SIGUSR1, SIGALRM})
                  if (is_ignored(signal)) return 10 + signal;
              return is_ignored(SIGHUP) && is_ignored(SIGTTOU) ? 0 : 2;
          }) == 0);
}

TEST_CASE("a write to nobody and a file that grows too large are errors, and no matter for what is started",
          "[unit][process]") {
    const NothingLeft nothing_left;
    const FreshFolder folder;
    CHECK(in_own_process([&] {
              baton::detail::take_over_birth(Birth::actor);
              Pipe pipe;
              pipe.read_end.reset();
              if (::write(pipe.write_end.get(), "x", 1) != -1 || errno != EPIPE) return 1;
              const rlimit small{16, 16};
              if (::setrlimit(RLIMIT_FSIZE, &small) != 0) return 2;
              const baton::UniqueFd file{
                  ::open((folder.path() / "file").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)};
              if (::ftruncate(file.get(), 17) != -1 || errno != EFBIG) return 3;
              baton::detail::Child child =
                  baton::detail::Child::start({.program = "/bin/sh", .arguments = {"-c", "kill -PIPE $$"}}).value();
              return child.reap_within(watchdog) ==
                             baton::detail::ExitStatus{.by_signal = true, .code_or_signal = SIGPIPE}
                         ? 0
                         : 4;
          }) == 0);
}

TEST_CASE("the soft limit on descriptors is raised as far as is needed and allowed", "[unit][process]") {
    const NothingLeft nothing_left;
    CHECK(in_own_process([] {
              rlimit limit{};
              ::getrlimit(RLIMIT_NOFILE, &limit);
              limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 200);
              ::setrlimit(RLIMIT_NOFILE, &limit);
              baton::detail::take_over_for_library();
              const rlim_t wanted = std::min<rlim_t>(limit.rlim_max, 65'536);  // limits::descriptors_wanted
              ::getrlimit(RLIMIT_NOFILE, &limit);
              return limit.rlim_cur == wanted ? 0 : 1;
          }) == 0);
}

}  // namespace
