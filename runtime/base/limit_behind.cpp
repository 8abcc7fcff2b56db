#include "runtime/base/limit_behind.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <cerrno>

namespace baton::detail {
namespace {

struct Limit {
    decltype(RLIMIT_NOFILE) number;
    const char* what;     // with {} for the amount
    const char* name;
    const char* otherwise;  // if it is not set
};

std::string text_of(const Limit& limit) {
    rlimit now{};
    if (::getrlimit(limit.number, &now) != 0 || now.rlim_cur == RLIM_INFINITY) return limit.otherwise;
    return fmt::format(fmt::runtime("; {} ({})"), fmt::format(fmt::runtime(limit.what), now.rlim_cur), limit.name);
}

}  // namespace

std::string limit_behind(int code) {
    switch (code) {
        case EMFILE:
            return text_of(
                {RLIMIT_NOFILE, "this process may have {} file descriptors", "RLIMIT_NOFILE, `ulimit -n`", ""});
        case ENFILE: return "; the machine may have no more file descriptors (fs.file-max)";
        case EAGAIN: {
            // A thread is also refused if its stack finds no addresses.
            std::string text =
                text_of({RLIMIT_NPROC, "this user may have {} processes and threads", "RLIMIT_NPROC, `ulimit -u`",
                         "; a container may have too many processes (pids.max)"});
            return text +
                   text_of({RLIMIT_AS, "this process may use {} bytes of addresses", "RLIMIT_AS, `ulimit -v`", ""});
        }
        case ENOMEM:
            return text_of({RLIMIT_AS, "this process may use {} bytes of addresses", "RLIMIT_AS, `ulimit -v`",
                            "; memory is short, or the process has too many mappings (vm.max_map_count)"});
        case EFBIG: return text_of({RLIMIT_FSIZE, "a file may have {} bytes", "RLIMIT_FSIZE, `ulimit -f`", ""});
        default: return {};
    }
}

}  // namespace baton::detail
