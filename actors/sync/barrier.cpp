#include <baton/sync/barrier.hpp>

namespace baton::sync {

using namespace detail;

Result<Address> Barrier::make(Context& context, Ref<Protocol> keeper, const std::string& name, Setup setup) {
    return context.ask(keeper, MakeBarrier{name, setup.parties, std::move(setup.members), setup.has_action}, limits::ask_timeout);
}

Result<std::uint64_t> Barrier::wait(Duration deadline) {
    Result<Granted> granted = Handle::wait(Arrive{number()}, deadline, "barrier");
    if (!granted) return granted.error();
    if (granted->runs_action)
        if (Result<void> ran = run_action(); !ran) return ran.error();
    return granted->index;
}

Result<void> Barrier::run_action() {
    std::string error;
    try {
        if (action_) action_();
        else error = "this process has given its handle no action, and it was the last to come, which runs it";
    } catch (const std::exception& exception) {
        error = exception.what();
        if (error.empty()) error = "an exception without a text";
    } catch (...) {
        error = "an exception that is no std::exception";
    }
    if (Result<void> told = tell(ActionDone{number(), error}); !told) return told;
    if (error.empty()) return {};
    return Error{ErrorKind::failed, fmt::format("the action of barrier '{}' failed, which breaks it: {}", name(), error)};
}

}  // namespace baton::sync
