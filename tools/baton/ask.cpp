// baton ask, baton send: a command from the words of a command line.
#include <fmt/format.h>

#include <algorithm>

#include "tools/baton/fields.hpp"
#include "tools/baton/json_object.hpp"
#include "tools/baton/reply_text.hpp"
#include "tools/baton/subcommands.hpp"

namespace baton::tool {

using namespace dynamic;
namespace {

enum class Way { ask, send };

// Checked against what the actor has published: nothing wrong is sent.
struct Message {
    Actor to;
    EncodedCommand command;
};

double in_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

Result<Message> write_message(Visit& visit, const Words& words, Way way) {
    const std::string tried =
        way == Way::ask ? fmt::format("cannot ask {} {}", words.name, words.command)
                        : fmt::format("cannot send {} to {}", words.command, words.name);
    Result<Actor> to = visit.find(words.name);
    if (!to) return explained(tried, to.error());
    const std::string see = fmt::format("see `baton describe {}`", to->name);
    if (to->protocol->commands.empty())
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: it is an outsider that has published no commands; see `baton ps`", tried)};
    const Command* command = to->protocol->find(words.command);
    if (command == nullptr)
        return explained(tried, EncodedCommand::of(to->protocol, words.command, {}).error(), see);
    if (way == Way::ask && !command->reply)
        return Error{ErrorKind::refused,
                     fmt::format("{}: this command has no reply, so it can be sent and not asked; use "
                                 "`baton send`",
                                 tried)};
    const FindActor find_actor = [&visit](std::string_view name) -> Result<ActorId> {
        const Result<Actor> found = visit.find(name);
        if (!found) return found.error();
        return found->ref.id;
    };
    const Result<Value::Map> fields = parse_fields(*command, words.fields, find_actor);
    // Else it is an actor named by a field that is not there.
    if (!fields) return explained(tried, fields.error(), fields.error().kind == ErrorKind::refused ? see : "");
    Result<EncodedCommand> encoded = EncodedCommand::of(to->protocol, words.command, *fields);
    if (!encoded) return explained(tried, encoded.error(), see);
    return Message{std::move(*to), std::move(*encoded)};
}

// Nobody has answered: the wait has ended by itself.
Error no_answer(const Words& words, const Message& message, const Error& error) {
    const std::string tried = fmt::format("asked {} {}", message.to.name, words.command);
    Error told{error.kind, ""};
    told.is_withdrawn = error.is_withdrawn;
    if (error.kind == ErrorKind::deadlock)
        told.text = fmt::format("{}, and the answer can never come: {}", tried, error.text);
    else if (error.kind == ErrorKind::stopping)
        told.text = fmt::format("{} and stopped waiting; {}", tried,
                                error.is_withdrawn ? "it had not begun, and will not do it" : "it may still do it");
    else
        told.text = fmt::format(
            "{} and had no answer within {} s{}: {}; `baton ps` shows what it is doing, --timeout SECONDS "
            "waits longer",
            tried, in_seconds(words.timeout), error.is_withdrawn ? "" : ", so the outcome is unknown", error.text);
    return told;
}

// It has answered, by an error, or it has exited.
Error no_reply(const Words& words, const Message& message, const Error& error) {
    const std::string tried = fmt::format("asked {} {}", message.to.name, words.command);
    switch (error.kind) {
        case ErrorKind::failed:
            return {error.kind,
                    fmt::format("{}, and that raised {}: {}", tried, error.type.empty() ? "an error" : error.type,
                                error.text),
                    "", error.frames};
        case ErrorKind::gone: return explained(tried, error, "`baton ps --all` shows how it ended");
        case ErrorKind::overloaded: return explained(tried, error, "try again later");
        default: return explained(tried, error);
    }
}

}  // namespace

Result<Outcome> ask(Visit& visit, const Words& words, const Wishes& wishes) {
    const Result<Message> message = write_message(visit, words, Way::ask);
    if (!message) return message.error();
    Outsider& session = visit.session();
    const Deadline deadline = session.context().deadline(words.timeout);
    const auto is_ours = [](const Error& error) {
        return error.kind == ErrorKind::timed_out || error.kind == ErrorKind::stopping ||
               error.kind == ErrorKind::deadlock;
    };
    Result<dynamic::Pending> asked = session.request(message->to.ref, message->command, words.timeout);
    if (!asked)
        return is_ours(asked.error()) ? no_answer(words, *message, asked.error())
                                      : no_reply(words, *message, asked.error());
    Result<Value> answer = asked->get(deadline);
    if (!answer)
        return asked->was_answered() ? no_reply(words, *message, answer.error())
                                     : no_answer(words, *message, answer.error());
    const Type& type = *message->command.reply();
    shorten_floats(type, *answer);
    if (wishes.wants_json) return Outcome{json_line(*answer)};

    std::vector<RosterRow> rows;
    if (holds_refs(type)) rows = visit.roster(true).value_or({});
    const auto name_of = [&rows, &session](const AnyRef& ref) -> std::string {
        const ActorId id = ref.id;
        if (!session.is_of_this_session(ref))
            return fmt::format("{} of session {}", to_string(id), to_string(ref.session));
        if (is_coordinator(ref)) return "coordinator";
        const auto row = std::ranges::find_if(rows, [id](const RosterRow& one) { return one.actor.id == id; });
        return row == rows.end() ? to_string(id) : row->name;
    };
    return Outcome{reply_text(type, std::move(*answer), name_of, colours_for(stdout))};
}

Result<Outcome> send(Visit& visit, const Words& words, const Wishes& wishes) {
    const Result<Message> message = write_message(visit, words, Way::send);
    if (!message) return message.error();
    const std::string& name = message->to.name;
    Outsider& session = visit.session();
    const AnyRef to = message->to.ref;
    const Result<void> sent = session.send(to, message->command);
    if (!sent) return explained(fmt::format("cannot send {} to {}", words.command, name), sent.error());
    // It is on its way, and arrives if the receiver's process runs at all. One that is frozen takes nothing,
    // and when we are gone nobody sends it again.
    const Result<void> handled = session.context().sync(std::span(&to, 1), limits::linger);
    if (!handled && handled.error().kind == ErrorKind::timed_out) {
        const std::vector<RosterRow> rows = visit.roster(false).value_or({});
        const bool is_frozen = std::ranges::any_of(
            rows, [&](const RosterRow& row) { return row.actor.id == to.id && row.state == "frozen"; });
        if (is_frozen)
            return Error{ErrorKind::timed_out,
                         fmt::format("sent {} to {}, which is frozen (pid {}) and may never take it: wake it by "
                                     "`baton kill {} --signal CONT`, then send again",
                                     words.command, name, message->to.pid, name)};
    }
    if (wishes.wants_json)
        return Outcome{
            json_line(object({{"to", {name}}, {"command", {words.command}}, {"is_handled", {handled.ok()}}}))};
    return Outcome{fmt::format("sent {} to {}{}\n", words.command, name, handled ? "" : "; it has not come to it yet")};
}

}  // namespace baton::tool
