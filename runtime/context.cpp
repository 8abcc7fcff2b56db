#include <baton/context.hpp>
#include <baton/sentinel.hpp>

#include "runtime/inbox/access.hpp"
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

Result<UniqueFd> sentinel(Context& context, AnyRef actor) { return detail::Access::directory(context).sentinel(actor); }

}  // namespace baton
