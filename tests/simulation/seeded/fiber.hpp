#pragma once
// Fiber: a stack of its own, in the one thread. It runs until it yields, and goes on from there when it is resumed.
//
// A fiber that is never resumed again is what a process that was killed is: nothing on its stack is destroyed, no code
// of it runs any more. What that had allocated is not freed, so a program that abandons many does not live long (see
// seeds_main.cpp).

#include <ucontext.h>

#include <cstddef>
#include <functional>

namespace seeded {

class Fiber {
public:
    explicit Fiber(std::function<void()> body);
    Fiber(const Fiber&) = delete;
    Fiber& operator=(const Fiber&) = delete;
    // Frees the stack, whatever lies on it.
    ~Fiber();

    // Returns when the body yields, or has returned.
    void resume();
    [[nodiscard]] bool has_returned() const noexcept { return has_returned_; }

    // Back to resume() of the fiber that runs.
    static void yield();
    [[nodiscard]] static bool is_one_running() noexcept;

private:
    static constexpr std::size_t stack_bytes = std::size_t{1} << 20;
    static void enter();
    void switch_back(bool is_last);

    std::function<void()> body_;
    void* stack_ = nullptr;
    ucontext_t own_{};
    ucontext_t back_{};
    bool has_returned_ = false;
    // What a runtime library keeps for each thread, and here for each stack.
    struct Kept {
        void* exceptions[2] = {};         // of __cxa_get_globals()
        void* fake_stack = nullptr;       // of AddressSanitizer
        const void* back_bottom = nullptr;
        std::size_t back_size = 0;
        void* thread = nullptr;           // of ThreadSanitizer
        void* back_thread = nullptr;
    };
    Kept kept_;
};

}  // namespace seeded
