#include <baton/context.hpp>

#include "runtime/inbox/loop.hpp"
#include "runtime/session/directory.hpp"

namespace baton {

void Context::stop() {
    loop_->thread().require();
    loop_->stop(false);
}

AnyRef Context::sender() const noexcept {
    return AnyRef{loop_->sender(), loop_->sender().is_somebody() ? loop_->session() : detail::SessionTag{}};
}

}  // namespace baton
