// raw_iceoryx: asks by Eclipse iceoryx (request and response), the nearest peer of Baton's asks in Debian.
//
//   raw_iceoryx waitset --count N      both sides sleep in a WaitSet until something comes
//   raw_iceoryx polling --count N      both sides look again and again, and never sleep
//
// Three processes: the router (iox-roudi), a server, and this client. A request is eight doubles, a response their sum.
// The result is one line of JSON. Knows nothing of Baton. Built only where iceoryx is installed.

#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <iceoryx_posh/popo/client.hpp>
#include <iceoryx_posh/popo/server.hpp>
#include <iceoryx_posh/popo/wait_set.hpp>
#include <iceoryx_posh/runtime/posh_runtime.hpp>

#include "bench/touch.hpp"

namespace {

struct Request {
    std::array<double, 8> values;
};
struct Response {
    double sum;
};
using Client = iox::popo::Client<Request, Response>;
using Server = iox::popo::Server<Request, Response>;
using WaitSet = iox::popo::WaitSet<1>;

constexpr std::size_t warm_up_count_max = 10'000;

// The first value of the last request.
constexpr double goodbye = -1;

double sum_of(const Request& request) {
    double sum = 0;
    for (const double value : request.values) sum += value;
    return sum;
}

// A program that is quiet, and is ended when this one ends.
class Child {
public:
    explicit Child(std::vector<std::string> arguments) {
        std::vector<char*> argv;
        for (std::string& argument : arguments) argv.push_back(argument.data());
        argv.push_back(nullptr);
        posix_spawn_file_actions_t actions{};
        ::posix_spawn_file_actions_init(&actions);
        for (const int stream : {STDOUT_FILENO, STDERR_FILENO})
            ::posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_WRONLY, 0);
        const int error = ::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
        ::posix_spawn_file_actions_destroy(&actions);
        if (error != 0) throw std::system_error(error, std::generic_category(), arguments[0]);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (pid_ < 0) return;
        ::kill(pid_, SIGTERM);
        wait();
    }
    void wait() { ::waitpid(std::exchange(pid_, -1), nullptr, 0); }

private:
    pid_t pid_ = -1;
};

// Waits until `is_there`, asleep in the set or without sleeping.
template <class IsThere>
void wait_until(const IsThere& is_there, WaitSet* set) {
    while (!is_there())
        if (set != nullptr) static_cast<void>(set->wait());
}

void serve(bool sleeps) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    iox::runtime::PoshRuntime::initRuntime("bench-server");
    Server server{{"Baton", "Bench", "Sum"}};
    WaitSet set;
    if (sleeps) set.attachState(server, iox::popo::ServerState::HAS_REQUEST).or_else([](auto) { std::abort(); });
    for (bool is_over = false; !is_over;) {
        wait_until([&] { return server.hasRequests(); }, sleeps ? &set : nullptr);
        while (server
                   .take()
                   .and_then([&](const auto& request) {
                       is_over = is_over || request->values[0] == goodbye;
                       server.loan(request)
                           .and_then([&](auto& response) {
                               response->sum = sum_of(*request);
                               response.send().or_else([](auto&) { std::abort(); });
                           })
                           .or_else([](auto&) { std::abort(); });
                   })
                   .has_error() == false) {
        }
    }
    ::usleep(100'000);  // until the response has been taken
}

void measure(bool sleeps, std::size_t count) {
    static const Child router{{ICEORYX_ROUDI}};  // ends after the runtime below, which takes its leave of it
    Child server{{"/proc/self/exe", sleeps ? "serve-waitset" : "serve-polling", "--count", "1"}};
    iox::runtime::PoshRuntime::initRuntime("bench-client");
    Client client{{"Baton", "Bench", "Sum"}};
    WaitSet set;
    if (sleeps) set.attachState(client, iox::popo::ClientState::HAS_RESPONSE).or_else([](auto) { std::abort(); });
    while (client.getConnectionState() != iox::ConnectionState::CONNECTED) ::usleep(1000);
    const auto ask = [&](double first) {
        Request said{};
        for (std::size_t i = 0; i < said.values.size(); ++i) said.values[i] = first + static_cast<double>(i);
        client.loan()
            .and_then([&](auto& request) {
                *request = said;
                request.send().or_else([](auto&) { std::abort(); });
            })
            .or_else([](auto&) { std::abort(); });
        wait_until([&] { return client.hasResponses(); }, sleeps ? &set : nullptr);
        client.take().and_then([&](const auto& response) {
            if (response->sum != sum_of(said)) throw std::runtime_error("a wrong reply");
        });
    };
    const std::size_t warm_up_count = std::min(count, warm_up_count_max);
    std::vector<double> microseconds;
    for (std::size_t index = 0; index < warm_up_count + count; ++index) {
        const std::int64_t start = bench::nanoseconds_now();
        ask(static_cast<double>(index) + 0.5);
        if (index >= warm_up_count) microseconds.push_back(bench::microseconds_since(start));
    }
    ask(goodbye);
    server.wait();
    bench::print_microseconds(std::move(microseconds));
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Asks by iceoryx, as one line of JSON."};
    std::string mode;
    std::size_t count = 20'000;
    app.add_option("mode", mode, "how both sides wait")
        ->required()
        ->check(CLI::IsMember({"waitset", "polling", "serve-waitset", "serve-polling"}));
    app.add_option("--count", count, "round trips")->check(CLI::Range(1, 100'000'000));
    CLI11_PARSE(app, argc, argv);
    try {
        if (mode.starts_with("serve-")) serve(mode == "serve-waitset");
        else measure(mode == "waitset", count);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "raw_iceoryx: %s\n", error.what());
        return 1;
    }
}
