// The worker of pool_bench: one function that hardly takes any time.
#include <baton/worker.hpp>

int main(int argc, char** argv) {
    baton::pool::Worker worker;
    worker.task("square", [](std::int64_t x) { return x * x; });
    return worker.run(argc, argv);
}
