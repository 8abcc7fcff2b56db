#pragma once
// OwnThread: the one thread that a loop, and all that is answered and asked through it, belongs to.
//
// Nothing in the inbox is locked, so a second thread would lose messages without a trace. The check stays on in release
// builds and costs a comparison. A call that can return an error is refused; otherwise this process ends with a text
// that says what to do.

#include <thread>

#include "runtime/base/check.hpp"
#include <baton/result.hpp>

namespace baton::detail {

class OwnThread {
public:
    // From here the calling thread is the one.
    void adopt() noexcept { owner_ = std::this_thread::get_id(); }
    [[nodiscard]] bool is_this() const noexcept { return std::this_thread::get_id() == owner_; }
    void require() const {
        check(is_this(),
              "a Context, Session, Answer or Pending is used by the thread that made it: let that thread do it, or "
              "open a session for this thread with Outsider::enter()");
    }
    [[nodiscard]] Error refusal() const {
        return Error{
            ErrorKind::refused,
            "a Context or Session belongs to the thread that made it, and this is another thread: let that thread "
            "do it, or open a session for this thread with Outsider::enter()"};
    }

private:
    std::thread::id owner_ = std::this_thread::get_id();
};

}  // namespace baton::detail
