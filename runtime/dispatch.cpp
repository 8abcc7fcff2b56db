#include "runtime/inbox/dispatching.hpp"

#include <cxxabi.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "runtime/process/throw_trace.hpp"

namespace baton::detail {
namespace {

constexpr std::size_t symbol_size_readable = 120;

// Without the template arguments that lie `depth_max` lists deep.
std::string without_arguments(const std::string& symbol, int depth_max) {
    std::string out;
    int depth = 0;
    for (std::size_t index = 0; index < symbol.size(); ++index) {
        const char c = symbol[index];
        const bool is_operator = out.ends_with("operator") || out.ends_with("operator-") || out.ends_with("operator<");
        const bool opens = c == '<' && (depth > 0 || !is_operator);
        const bool closes = c == '>' && depth > 0 && symbol[index - 1] != '-';
        if (opens && ++depth == depth_max) out += "<...";
        if (depth < depth_max || (closes && depth == depth_max)) out += c;
        if (closes) --depth;
    }
    return out;
}

// A type, without its template arguments if it would be longer than anybody reads.
std::string readable_type(const std::string& type) {
    return type.size() > symbol_size_readable ? without_arguments(type, 1) : type;
}

// A frame is a function, which may name the actor among its arguments, so the inner ones go first; it ends with its
// file and line.
std::string readable_frame(const std::string& frame) {
    std::string out = frame;
    for (int depth = 3; depth > 1 && out.size() > symbol_size_readable; --depth) out = without_arguments(frame, depth);
    if (out.size() > 2 * symbol_size_readable) out = without_arguments(frame, 1);
    if (out.size() > 2 * symbol_size_readable)
        out = out.substr(0, symbol_size_readable) + " ... " + out.substr(out.size() - symbol_size_readable / 2);
    return out;
}

std::string name_of_current_exception() {
    const std::type_info* type = abi::__cxa_current_exception_type();
    if (type == nullptr) return {};
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> readable{
        abi::__cxa_demangle(type->name(), nullptr, nullptr, &status), &std::free};
    return readable_type(status == 0 ? readable.get() : type->name());
}

}  // namespace

Error error_of_current_exception() {
    Error error{ErrorKind::failed, "", name_of_current_exception(), frames_of_last_throw(limits::error_frames_max)};
    for (std::string& frame : error.frames) frame = readable_frame(frame);
    try {
        throw;
    } catch (const ErrorException& failure) {
        // A handler that let an Error of the runtime through: its kind says more than the exception's type.
        error.kind = failure.kind() == ErrorKind::stopping ? ErrorKind::stopping : ErrorKind::failed;
        error.text = failure.what();
    } catch (const std::exception& exception) {
        error.text = exception.what();
    } catch (...) {
        error.text = "an exception that is not a std::exception";
    }
    return error;
}

void refuse_command(Loop& loop, const Command& command, AnswerSlot slot, const Error& why) {
    if (slot.is_asked()) return slot.fail(why);
    loop.log().warn("command.refused", "from={} command={} why=\"{}\"", to_string(command.envelope.from),
                    command.envelope.tag, to_text(why));
    loop.commands().answers().refuse(command, why);
}

bool read_command(Incoming& incoming, const BodyReader& read, void* out) {
    const Command& command = incoming.command;
    Decoding at{command.envelope.tag, &*incoming.arrivals, incoming.loop.session()};
    std::optional<Error> why;
    if (command.is_positional && read.by_position == nullptr) {
        why = Error{ErrorKind::refused,
                    fmt::format("{} carries segments: it cannot come without names", command.envelope.tag)};
    } else if (command.is_positional ? !read.by_position(command.body_bytes, out, at)
                                     : !read.by_name(command.body, out, at)) {
        why = at.take_error();
    } else if (Result<void> accepted = incoming.arrivals->accept(); !accepted) {
        why = std::move(accepted.error());
    }
    if (!why) return true;
    refuse_command(incoming.loop, incoming.command, std::move(incoming.slot), *why);
    incoming.arrivals.reset();  // before the command that was read: its segments are empty then
    return false;
}

AnswerSlot& slot_of(Incoming& incoming) noexcept { return incoming.slot; }

Error no_reply_of(std::string_view command) {
    return Error{ErrorKind::unsupported, fmt::format("{} has no reply: it can be sent, not asked", command)};
}

void report_exception(Incoming& incoming, const Error& error) {
    incoming.slot.end_in_hand();
    if (incoming.slot.is_asked()) return incoming.slot.fail(error);
    incoming.loop.log().warn("command.failed", "from={} command={} why=\"{}\"",
                             to_string(incoming.command.envelope.from), incoming.command.envelope.tag, to_text(error));
}

const CommandHandler* find_handler(std::span<const CommandHandler> handlers, Incoming& incoming) {
    const std::string_view tag = incoming.command.envelope.tag;
    const auto handler = std::ranges::find(handlers, tag, &CommandHandler::name);
    if (handler != handlers.end()) return &*handler;
    std::vector<std::string_view> known;
    for (const CommandHandler& one : handlers) known.push_back(one.name);
    refuse_command(incoming.loop, incoming.command, std::move(incoming.slot),
                   Error{ErrorKind::unsupported, fmt::format("{} knows no command '{}'; it knows {}",
                                                             incoming.loop.name(), tag, fmt::join(known, ", "))});
    return nullptr;
}

void dispatch(Loop& loop, void* actor, std::span<const CommandHandler> handlers, const Command& command,
              AnswerSlot slot) {
    Incoming incoming{loop, command, std::move(slot)};
    const CommandHandler* const handler = find_handler(handlers, incoming);
    if (handler == nullptr) return;
    try {
        handler->run(actor, incoming);
    } catch (...) {
        report_exception(incoming, error_of_current_exception());
    }
}

}  // namespace baton::detail
