#include "runtime/process/system_error.hpp"

#include "runtime/base/limit_behind.hpp"
#include <baton/log.hpp>

#include <cerrno>
#include <system_error>

namespace baton::detail {
namespace {

ErrorKind kind_of(int code) noexcept {
    switch (code) {
        case EMFILE:
        case ENFILE:
        case ENOMEM:
        case EAGAIN:
        case ENOSPC:
        case EFBIG:
        case EDQUOT: return ErrorKind::overloaded;
        case ESRCH: return ErrorKind::gone;
        case ENOSYS: return ErrorKind::unsupported;
        default: return ErrorKind::refused;
    }
}

}  // namespace

Error system_error(int code, std::string_view tried, std::string_view advice) {
    std::string text = fmt::format("{}: {}{}", tried, std::generic_category().message(code),
                                   code == EAGAIN ? std::string{} : limit_behind(code));  // mostly a lock
    if (!advice.empty()) text += fmt::format("; {}", advice);
    return {kind_of(code), std::move(text)};
}

}  // namespace baton::detail
