#include <baton/actor.hpp>

#include "tests/process/zoo.hpp"

namespace {

using baton::Error;
using baton::ErrorKind;
using baton::Result;

class Lion {
public:
    explicit Lion(baton::Context&) {}
    Result<void> on(const lion::Feed& command) {
        if (command.meat == 0) return Error{ErrorKind::refused, "a lion is not fed with nothing"};
        eaten_ += command.meat;
        return {};
    }
    std::int64_t on(const lion::Eaten&) const { return eaten_; }
    void on(const lion::Sleep&, baton::Answer<void> answer) { asleep_ = std::move(answer); }

private:
    std::int64_t eaten_ = 0;
    baton::Answer<void> asleep_;
};

class Warden {
public:
    explicit Warden(baton::Context& context) : context_(&context) {}

    Result<std::int64_t> on(const warden::Visit& command) {
        std::vector<baton::SpawnOptions> programs(static_cast<std::size_t>(command.lions),
                                                  {.program = "zoo", .actor = "lion"});
        const Result<std::vector<lion::Address>> lions = context_->spawn_all<lion::Protocol>(programs);
        if (!lions) return lions.error();
        for (const Result<void>& fed : context_->ask_all<lion::Protocol>(*lions, lion::Feed{command.meat}))
            if (!fed) return fed.error();
        std::int64_t sum = 0;
        for (const Result<std::int64_t>& eaten : context_->ask_all<lion::Protocol>(*lions, lion::Eaten{}))
            sum += eaten.value_or(0);
        const auto ended = context_->stop_all({lions->begin(), lions->end()});
        if (!ended) return ended.error();
        for (const baton::Ended& one : *ended)
            if (one.exit.kind != baton::ExitKind::stopped)
                return Error{ErrorKind::failed, fmt::format("a lion {}", one.exit)};
        return sum;
    }
    void on(const warden::AskFor& command, baton::Answer<std::int64_t> answer) {
        pass_on(context_->request(command.lion, lion::Eaten{}), std::move(answer), command.timeout);
    }
    void on(const warden::WaitFor& command, baton::Answer<void> answer) {
        pass_on(context_->request(command.lion, lion::Sleep{}), std::move(answer), command.timeout);
    }
    Result<void> on(const warden::RingIn& command) {
        return context_->send_after(command.delay, context_->self<warden::Protocol>(), warden::Ring{});
    }
    void on(const warden::Ring&) { ++rung_; }
    std::int64_t on(const warden::Rung&) const { return rung_; }

private:
    template <class R>
    void pass_on(Result<baton::Pending<R>> pending, baton::Answer<R> answer, baton::Duration timeout) {
        if (!pending) return answer.fail(pending.error());
        const auto kept = std::make_shared<baton::Answer<R>>(std::move(answer));
        pending->then(
            [kept](Result<R> outcome) {
                if (!outcome) return kept->fail(outcome.error());
                if constexpr (std::is_void_v<R>) kept->reply();
                else kept->reply(*outcome);
            },
            timeout);
    }
    baton::Context* context_;
    std::int64_t rung_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    return baton::run_actor(
        argc, argv, {baton::actor<Lion, lion::Protocol>("lion"), baton::actor<Warden, warden::Protocol>("warden")});
}
