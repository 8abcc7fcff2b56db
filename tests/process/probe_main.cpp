// Its first argument, if any, makes it fail before it is an actor: never-join, exit-early, throw-in-constructor; or
// become one only when a fifo has been opened for writing: wait-before-join FIFO.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include <baton/actor.hpp>
#include <baton/sentinel.hpp>
#include "runtime/base/check.hpp"
#include "tests/process/probe.hpp"

namespace {

std::uint64_t resident_bytes() {
    std::ifstream statm{"/proc/self/statm"};
    std::uint64_t total = 0;
    std::uint64_t resident = 0;
    statm >> total >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void wait_for(const std::string& fifo) {
    const int fd = ::open(fifo.c_str(), O_RDONLY);
    ::close(fd);
}

baton::Duration to_duration(double seconds) {
    return std::chrono::duration_cast<baton::Duration>(std::chrono::duration<double>(seconds));
}

class Probe {
public:
    explicit Probe(baton::Context& context) : context_(&context) {
        if (!context.arguments().empty() && context.arguments()[0] == "throw-in-constructor")
            throw std::runtime_error("no room in the constructor" +
                                     (context.arguments().size() > 1 ? ": " + context.arguments()[1] : std::string()));
    }

    std::string on(const probe::Echo& command) { return command.text; }
    probe::Everything on(probe::SendEverything command) { return std::move(command.everything); }
    probe::Shapes on(probe::SendShapes command) { return std::move(command.shapes); }
    probe::Tune::Outcome on(probe::Tune command) {
        return {command.number,           command.depth,            std::move(command.label),
                command.colour,           std::move(command.sizes), command.place,
                command.tuning,           command.limit,            std::move(command.note)};
    }
    std::string on(const probe::Throw& command) { throw std::invalid_argument(command.text); }
    std::string on(const probe::ExitWith& command) { ::_exit(command.code); }
    std::string on(const probe::Abort&) {
        ::signal(SIGABRT, SIG_DFL);  // a sanitizer would say a lot about it
        ::abort();
    }
    std::string on(const probe::FailCheck& command) {
        baton::check(false, command.promise);
        return "";
    }
    std::string on(const probe::Block& command) {
        wait_for(command.fifo);
        return "released";
    }
    std::string on(const probe::Hang&) {
        ::signal(SIGTERM, SIG_IGN);
        for (;;) ::pause();
    }
    void on(const probe::DropAnswer&, baton::Answer<std::string>) {}
    void on(const probe::AnswerLater&, baton::Answer<std::string> answer) { later_.push_back(std::move(answer)); }
    void on(const probe::KeepFor& command, baton::Answer<std::string> answer) {
        answer.waits_for(command.whom);
        later_.push_back(std::move(answer));
    }
    std::string on(const probe::AskToKeep& command) {
        const baton::Result<std::string> kept =
            context_->ask(command.other, probe::KeepFor{command.whom}, std::chrono::hours{1});
        return kept ? *kept : baton::to_text(kept.error());
    }
    std::string on(const probe::LinkWith& command) {
        const baton::Result<void> linked = context_->link(command.other);
        return linked ? "" : baton::to_text(linked.error());
    }
    std::string on(const probe::UnlinkFrom& command) {
        const baton::Result<void> unlinked = context_->unlink(command.other);
        return unlinked ? "" : baton::to_text(unlinked.error());
    }
    std::string on(const probe::SentinelOf& command) {
        const baton::Result<baton::UniqueFd> sentinel = baton::sentinel(*context_, command.other);
        if (!sentinel) return baton::to_text(sentinel.error());
        pollfd watched{sentinel->get(), POLLIN, 0};
        if (::poll(&watched, 1, static_cast<int>(command.milliseconds)) != 1) return "lives";
        const baton::Result<baton::Ended> ended = context_->join(command.other, std::chrono::seconds{10});
        return ended ? baton::to_text(ended->exit) : baton::to_text(ended.error());
    }
    void on(const probe::Release&) {
        for (auto& answer : later_) answer.reply("later");
        later_.clear();
    }
    std::uint64_t on(const probe::HowMany&) { return count_; }
    void on(const probe::Count&) { ++count_; }
    void on(const probe::StopYourself&) { context_->stop(); }
    baton::AnyRef on(const probe::WhoAsks&) { return context_->sender(); }
    void on(const probe::TickIn& command, baton::Answer<std::string> answer) {
        tick_ = std::move(answer);
        tick_at_ = baton::Deadline{context_->now() + std::chrono::milliseconds{command.milliseconds}};
    }
    [[nodiscard]] baton::Deadline next_deadline() const { return tick_at_; }
    void on_deadline() {
        tick_at_ = baton::Deadline::never();
        tick_.reply(context_->sender() == baton::AnyRef{} ? "tick" : "somebody's command is in hand");
    }

    std::string on(const probe::AskOther& command) {
        const auto outcome = context_->ask(command.other, probe::Hang{}, to_duration(command.seconds));
        return outcome ? *outcome : baton::to_text(outcome.error());
    }
    std::string on(probe::AskAround command) {
        if (command.others.empty()) {
            if (!command.fifo.empty()) wait_for(command.fifo);
            return "nobody is left to ask";
        }
        const baton::Ref<probe::Protocol> next = command.others.front();
        command.others.erase(command.others.begin());
        const baton::Duration deadline = to_duration(command.seconds);
        const auto outcome = context_->ask(next, std::move(command), deadline);
        return outcome ? *outcome : baton::to_text(outcome.error());
    }
    baton::Result<std::string> on(const probe::TellOther& command) {
        return context_->ask(command.other, probe::Echo{command.text}, std::chrono::seconds{5});
    }
    void on(const probe::DropAfterAsking& command, baton::Answer<std::string>) {
        static_cast<void>(context_->ask(command.other, probe::Hang{}, std::chrono::minutes{1}));
    }
    void on(const probe::EchoAround& command, baton::Answer<std::string> answer) {
        // Without waiting: the others do the same at this moment.
        echoes_.clear();
        for (const auto& other : command.others)
            if (other.id != context_->id()) echoes_.push_back(context_->request(other, probe::Echo{"hello"}).value());
        answer.reply(std::to_string(command.others.size()));
    }
    probe::Flood::Outcome on(const probe::Flood& command) {
        probe::Flood::Outcome outcome;
        const probe::Count count{std::string(command.ballast_bytes, 'x')};
        const std::chrono::milliseconds deadline{command.deadline_milliseconds};
        while (outcome.taken < command.count) {
            const auto sent = context_->send(command.other, count, deadline);
            if (!sent) {
                outcome.error = baton::name_of(sent.error().kind);
                outcome.text = sent.error().text;
                break;
            }
            ++outcome.taken;
        }
        outcome.resident_bytes = resident_bytes();
        return outcome;
    }
    std::string on(const probe::AskToFlood& command) {
        const auto outcome = context_->ask(
            command.flooder,
            probe::Flood{command.victim, command.count, command.ballast_bytes, command.deadline_milliseconds},
            std::chrono::milliseconds{command.deadline_milliseconds});
        return outcome ? outcome->text : baton::to_text(outcome.error());
    }
    baton::Result<std::string> on(const probe::SpawnSupervised& command) {
        const std::chrono::milliseconds back_off{command.back_off_milliseconds};
        const baton::Restart how{.restarts_max = command.restarts_max,
                                 .period = std::chrono::hours{1},
                                 .back_off_first = back_off,
                                 .back_off_most = back_off};
        return context_->spawn<probe::Protocol>({.program = "probe", .name = command.name, .restart = how})
            .transform([&](const auto&) { return context_->name() + "/" + command.name; });
    }
    std::string on(const probe::SpawnWithin& command) {
        const auto spawned = context_->spawn<probe::Protocol>(
            {command.program, command.name, {}, std::chrono::milliseconds{command.milliseconds}});
        return spawned ? "spawned" : baton::to_text(spawned.error());
    }
    baton::Result<baton::Ref<probe::Protocol>> on(const probe::SpawnChild& command) {
        return context_->spawn<probe::Protocol>({command.program, command.name});
    }
    std::uint64_t on(const probe::Shell& command) {
        const pid_t child = ::fork();
        if (child == 0) {
            ::execl("/bin/sh", "sh", "-c", command.line.c_str(), static_cast<char*>(nullptr));
            ::_exit(127);
        }
        return static_cast<std::uint64_t>(child);
    }
    std::uint64_t on(const probe::Fork&) {
        const pid_t child = ::fork();
        while (child == 0) ::pause();
        return static_cast<std::uint64_t>(child);
    }

private:
    baton::Context* context_;
    std::uint64_t count_ = 0;
    std::vector<baton::Answer<std::string>> later_;
    std::vector<baton::Pending<std::string>> echoes_;
    baton::Answer<std::string> tick_;
    baton::Deadline tick_at_ = baton::Deadline::never();
};

}  // namespace

int main(int argc, char** argv) {
    const std::string_view mode = argc > 1 ? argv[1] : "";
    if (mode == "never-join")
        for (;;) ::pause();
    if (mode == "exit-early") return 7;
    if (mode == "wait-before-join") wait_for(argv[2]);
    return baton::run_actor<Probe, probe::Protocol>(argc, argv);
}
