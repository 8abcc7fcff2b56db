#include "runtime/inbox/dispatch.hpp"

#include <cxxabi.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <memory>

#include "runtime/process/throw_trace.hpp"

namespace baton {
namespace {

std::string name_of_current_exception() {
    const std::type_info* type = abi::__cxa_current_exception_type();
    if (type == nullptr) return {};
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> readable{
        abi::__cxa_demangle(type->name(), nullptr, nullptr, &status), &std::free};
    return status == 0 ? readable.get() : type->name();
}

}  // namespace

Error error_of_current_exception() {
    Error error{ErrorKind::failed, "", name_of_current_exception(), frames_of_last_throw(limits::error_frames_max)};
    try {
        throw;
    } catch (const Failure& failure) {
        // A handler that let an Error of the runtime through: its kind says more than the exception's type.
        error.kind = failure.kind() == ErrorKind::stopping ? ErrorKind::stopping : ErrorKind::failed;
        error.text = failure.what();
    } catch (const std::exception& exception) {
        error.text = exception.what();
    } catch (...) {
        error.text = "an exception that is no std::exception";
    }
    return error;
}

void refuse_command(Loop& loop, const Command& command, AnswerSlot slot, const Error& why) {
    if (slot.is_asked()) return slot.fail(why);
    loop.log().warn("command.refused", "from={} command={} why=\"{}\"", to_string(command.envelope.from),
                    command.envelope.tag, describe(why));
    loop.refuse(command, why);
}

bool read_command(Loop& loop, const Command& command, AnswerSlot& slot, Arrivals& arrivals, convert::ReadInto read, void* out) {
    Decoding at{command.envelope.tag, &arrivals, loop.session()};
    if (!read(command.body, out, at)) {
        refuse_command(loop, command, std::move(slot), at.take_error());
        return false;
    }
    if (Result<void> accepted = arrivals.accept(); !accepted) {
        refuse_command(loop, command, std::move(slot), accepted.error());
        return false;
    }
    return true;
}

void refuse_unknown(Loop& loop, const Command& command, AnswerSlot slot, std::span<const std::string_view> known) {
    refuse_command(loop, command, std::move(slot),
                   Error{ErrorKind::unsupported, fmt::format("{} knows no command '{}'; it knows {}", loop.name(),
                                                             command.envelope.tag, fmt::join(known, ", "))});
}

void report_exception(Loop& loop, const Command& command, AnswerSlot slot) {
    const Error error = error_of_current_exception();
    if (slot.is_asked()) return slot.fail(error);
    loop.log().warn("command.failed", "from={} command={} why=\"{}\"", to_string(command.envelope.from),
                    command.envelope.tag, describe(error));
}

}  // namespace baton
