#include <baton/sync/barrier.hpp>

#include <fmt/format.h>

namespace baton::detail {

Result<std::uint64_t> SyncBarrier::wait(Within within) {
    Result<sync::Granted> granted = SyncHandle::wait(sync::WaitBarrier{number()}, within);
    if (!granted) return std::move(granted).error();
    if (granted->runs_action)
        if (Result<void> ran = run_action(); !ran) return std::move(ran).error();
    return granted->index;
}

Result<void> SyncBarrier::run_action() {
    std::string error;
    try {
        if (action_) action_();
        else error = "this process has given its handle no action, and it was the last to arrive, which runs it";
    } catch (const std::exception& exception) {
        error = exception.what();
        if (error.empty()) error = "an exception without a text";
    } catch (...) {
        error = "an exception that is not a std::exception";
    }
    if (Result<void> told = tell(sync::ActionDone{number(), error}); !told) return told;
    if (error.empty()) return {};
    return Error{ErrorKind::failed,
                 fmt::format("the action of barrier '{}' failed, which breaks it: {}", name(), error)};
}

}  // namespace baton::detail
