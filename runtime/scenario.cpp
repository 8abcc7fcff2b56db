#include <baton/scenario.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <new>

#include "runtime/base/limit_behind.hpp"
#include "runtime/inbox/access.hpp"
#include "runtime/inbox/call.hpp"
#include "runtime/session/session.hpp"
#include "runtime/session/venue.hpp"
#include "runtime/base/say.hpp"
#include "runtime/base/text.hpp"
#include "runtime/process/birth.hpp"
#include "runtime/process/output.hpp"
#include "runtime/process/signals.hpp"

namespace baton {

using namespace detail;

namespace {

constexpr int exit_failed = 1;
constexpr int exit_session_failed = 4;  // the coordinator's own
constexpr int exit_unavailable = 69;  // EX_UNAVAILABLE of sysexits.h
constexpr int exit_interrupted = 130;

class InSession final : public Venue {
public:
    explicit InSession(Session& session) : session_(session) {}
    [[nodiscard]] Directory& directory() noexcept override { return session_; }
    [[nodiscard]] Context& context() noexcept override { return session_.context(); }
    [[nodiscard]] Result<std::vector<Session::Message>> collect(std::string_view wanted,
                                                                const Enough& until) override {
        return session_.collect(wanted, until);
    }
    [[nodiscard]] Result<UniqueFd> sentinel(AnyRef actor) override { return session_.sentinel(actor); }
    [[nodiscard]] Result<std::vector<Ended>> close(Within within) override { return session_.close(within); }

private:
    Session& session_;
};

}  // namespace

template <class Face>
SessionVerbs<Face>::SessionVerbs(Session& session, std::vector<std::string> arguments)
    : SessionVerbs(std::make_shared<InSession>(session), std::move(arguments)) {
    session_ = &session;
}

template <class Face>
SessionVerbs<Face>::SessionVerbs(std::shared_ptr<Venue> venue, std::vector<std::string> arguments)
    : Verbs<Face>(venue->directory(), std::move(arguments)), venue_(std::move(venue)) {
    Access::send_at_once(*this);
}

template <class Face>
Context& SessionVerbs<Face>::context_of_venue() noexcept {
    return venue_->context();
}

template <class Face>
Result<void> SessionVerbs<Face>::collect_bodies(std::string_view command, const Enough& until, convert::ReadInto read,
                                                void* all) {
    Result<std::vector<Session::Message>> messages = venue_->collect(command, until);
    if (!messages) return std::move(messages).error();
    for (Session::Message& message : *messages) {
        Result<ReplyFrame> frame =
            ReplyFrame{std::move(message.body), 0, std::move(message.arrivals), venue_->directory().loop().session()};
        if (std::optional<Error> why = read_reply(frame, {.by_name = read}, all); why) return std::move(*why);
    }
    return {};
}

template <class Face>
Result<UniqueFd> SessionVerbs<Face>::sentinel_of(AnyRef actor) {
    return venue_->sentinel(actor);
}

template <class Face>
Result<std::vector<Ended>> SessionVerbs<Face>::close_session(Within within) {
    return venue_->close(within);
}

template class detail::SessionVerbs<Throwing>;
template class detail::SessionVerbs<Returning>;

int run_scenario(int argc, char** argv, const std::function<void(Scenario&)>& body) {
    take_over_birth(Birth::program);
    const std::string program = std::filesystem::path(argv[0]).filename().string();
    Session::Entry entry;
    entry.name = readable(program, limits::name_bytes_max);
    std::ranges::replace_if(entry.name, [](unsigned char c) { return c <= ' ' || c == 0x7F; }, '_');
    std::vector<std::string> arguments;
    for (int index = 1; index < argc; ++index) {
        if (std::string_view(argv[index]) == "--session" && index + 1 < argc) {
            entry.session = argv[++index];
        } else {
            arguments.emplace_back(argv[index]);
        }
    }
    Result<StopSignals> signals = StopSignals::install(StopSignals::Second::exits_now);
    Result<std::unique_ptr<Session>> session = std::unique_ptr<Session>{};
    try {
        session = signals ? Session::enter(std::move(entry)) : Result<std::unique_ptr<Session>>{signals.error()};
    } catch (const std::bad_alloc&) {
        session = Error{ErrorKind::overloaded, "no memory is left" + limit_behind(ENOMEM)};
    }
    if (!session) {
        say(fmt::format("{}: {}\n", program, to_text(session.error())));
        return exit_unavailable;
    }
    (*session)->loop().watch(signals->fd(), [&] {
        if (signals->take() != 0) (*session)->loop().stop(false);
    });

    int code = 0;
    try {
        Scenario scenario{**session, std::move(arguments)};
        body(scenario);
    } catch (const std::exception& exception) {
        // What a stop interrupted has been told why; there is nothing to add. Nor is there to what it could not print,
        // which is told below.
        if (signals->count() == 0 && std::ferror(stdout) == 0) {
            say(fmt::format("{}: {}\n", program, printable(exception.what(), Lines::many)));
            code = exit_failed;
        }
    }
    if (signals->count() > 0) {
        say(fmt::format("{}: interrupted, stopping\n", program));
        code = exit_interrupted;
    }
    if (const Result<std::vector<Ended>> closed = (*session)->close(); !closed && code == 0) {
        say(fmt::format("{}: {}\n", program, to_text(closed.error())));
        code = (*session)->has_failed() ? exit_session_failed : exit_failed;
    }
    return code == 0 ? code_with_output(program, code) : code;
}

}  // namespace baton
