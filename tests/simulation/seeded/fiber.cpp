#include "tests/simulation/seeded/fiber.hpp"

#include <cxxabi.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/base/check.hpp"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SEEDED_ASAN 1
#elif __has_feature(thread_sanitizer)
#define SEEDED_TSAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SEEDED_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define SEEDED_TSAN 1
#endif

#ifdef SEEDED_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef SEEDED_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace seeded {
namespace {

Fiber* running_ = nullptr;

// Exceptions that are being handled are those of one stack.
void swap_exceptions(void* (&kept)[2]) noexcept {
    void* now[2];
    std::memcpy(now, __cxxabiv1::__cxa_get_globals(), sizeof now);
    std::memcpy(__cxxabiv1::__cxa_get_globals(), kept, sizeof kept);
    std::memcpy(kept, now, sizeof kept);
}

}  // namespace

Fiber::Fiber(std::function<void()> body) : body_(std::move(body)) {
    stack_ = ::mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    baton::check(stack_ != MAP_FAILED, "there is address space for a stack");
#ifdef SEEDED_ASAN
    __asan_unpoison_memory_region(stack_, stack_bytes);
#endif
#ifdef SEEDED_TSAN
    kept_.thread = __tsan_create_fiber(0);
#endif
    ::getcontext(&own_);
    own_.uc_stack.ss_sp = stack_;
    own_.uc_stack.ss_size = stack_bytes;
    own_.uc_link = nullptr;
    ::makecontext(&own_, &Fiber::enter, 0);
}

Fiber::~Fiber() {
#ifdef SEEDED_ASAN
    __asan_unpoison_memory_region(stack_, stack_bytes);
#endif
#ifdef SEEDED_TSAN
    __tsan_destroy_fiber(kept_.thread);
#endif
    ::munmap(stack_, stack_bytes);
}

bool Fiber::is_one_running() noexcept { return running_ != nullptr; }

void Fiber::resume() {
    Fiber* const before = std::exchange(running_, this);
    swap_exceptions(kept_.exceptions);
#ifdef SEEDED_ASAN
    void* fake_stack = nullptr;
    __sanitizer_start_switch_fiber(&fake_stack, stack_, stack_bytes);
#endif
#ifdef SEEDED_TSAN
    kept_.back_thread = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(kept_.thread, 0);
#endif
    ::swapcontext(&back_, &own_);
#ifdef SEEDED_ASAN
    __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
#endif
    swap_exceptions(kept_.exceptions);
    running_ = before;
}

void Fiber::enter() {
    Fiber& self = *running_;
#ifdef SEEDED_ASAN
    __sanitizer_finish_switch_fiber(nullptr, &self.kept_.back_bottom, &self.kept_.back_size);
#endif
    self.body_();
    self.has_returned_ = true;
    self.switch_back(true);
}

void Fiber::yield() { running_->switch_back(false); }

void Fiber::switch_back([[maybe_unused]] bool is_last) {
#ifdef SEEDED_ASAN
    __sanitizer_start_switch_fiber(is_last ? nullptr : &kept_.fake_stack, kept_.back_bottom, kept_.back_size);
#endif
#ifdef SEEDED_TSAN
    __tsan_switch_to_fiber(kept_.back_thread, 0);
#endif
    ::swapcontext(&own_, &back_);
#ifdef SEEDED_ASAN
    __sanitizer_finish_switch_fiber(kept_.fake_stack, &kept_.back_bottom, &kept_.back_size);
#endif
}

}  // namespace seeded
