// The worker of the soak's pool: tasks of a moment, and some that take a while.
#include <poll.h>

#include <baton/worker.hpp>

namespace {

std::int64_t square(std::int64_t x, std::int64_t milliseconds) {
    ::poll(nullptr, 0, static_cast<int>(milliseconds));
    return x * x;
}

}  // namespace

int main(int argc, char** argv) {
    baton::pool::Worker worker;
    worker.task("square", square);
    return worker.run(argc, argv);
}
