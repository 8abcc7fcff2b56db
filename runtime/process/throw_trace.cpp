#include "runtime/process/throw_trace.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <execinfo.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

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

namespace baton {
namespace {

std::string name_of_frame(void* address) {
    Dl_info info{};
    // The address is that of the return; one before it lies in the call.
    if (::dladdr(static_cast<char*>(address) - 1, &info) == 0) return {};
    if (info.dli_sname == nullptr) {
        const std::string_view file = info.dli_fname == nullptr ? "?" : info.dli_fname;
        return std::string(file.substr(file.rfind('/') + 1)) + " (no symbol)";
    }
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> readable{
        abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status), &std::free};
    return status == 0 ? readable.get() : info.dli_sname;
}

}  // namespace

std::vector<std::string> frames_of_last_throw(std::size_t frames_max) {
    std::vector<std::string> names;
    for (int i = 0; i < last_depth && names.size() < frames_max; ++i) {
        std::string name = name_of_frame(last_frames[static_cast<std::size_t>(i)]);
        if (name.empty() || name.starts_with("__cxa_throw") || name.starts_with("std::__throw")) continue;
        if (name.starts_with("baton::Dispatch") || name.starts_with("void baton::Dispatch")) break;
        names.push_back(std::move(name));
    }
    return names;
}

}  // namespace baton
