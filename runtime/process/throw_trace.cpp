#include "runtime/process/throw_trace.hpp"

#include <dlfcn.h>
#include <execinfo.h>

#define BOOST_STACKTRACE_LINK
#include <fmt/format.h>

#include <array>
#include <boost/stacktrace/frame.hpp>
#include <cstdlib>
#include <filesystem>
#include <typeinfo>
#include <utility>

#include "runtime/process/frame_text.hpp"

namespace {

constexpr int depth_max = 16;
thread_local std::array<void*, depth_max> last_frames;
thread_local int last_depth = 0;

}  // namespace

// The Itanium C++ ABI's throw. The library's own is the next one that the dynamic linker finds.
extern "C" [[noreturn]] void __cxa_throw(void* object, void* type, void (*destroy)(void*)) {
    using Throw = void (*)(void*, void*, void (*)(void*));
    static const Throw next = reinterpret_cast<Throw>(::dlsym(RTLD_NEXT, "__cxa_throw"));
    last_depth = ::backtrace(last_frames.data(), depth_max);
    next(object, type, destroy);
    std::abort();
}

namespace baton::detail {

std::vector<std::string> frames_of_last_throw(std::size_t frames_max) {
    std::vector<std::string> names;
    for (int i = 0; i < last_depth; ++i) {
        const boost::stacktrace::frame frame{last_frames[static_cast<std::size_t>(i)]};
        std::string name = frame.name();
        if (name == "__cxa_throw") names.clear();  // what stands above it is how it looked, not who threw
        if (name.empty() || name == "__cxa_throw") continue;
        if (frame.source_line() != 0)
            name += fmt::format(" ({}:{})", std::filesystem::path(frame.source_file()).filename().string(),
                                frame.source_line());
        names.push_back(std::move(name));
    }
    names = frames_to_show(names, frames_max);
    for (std::string& name : names) name = shortened_frame(name);
    return names;
}

}  // namespace baton::detail
