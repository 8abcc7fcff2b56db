#include <chrono>
#include <stdexcept>

#include "bench/bench_actor.hpp"
#include "runtime/actor.hpp"

namespace {

template <class S>
double sum_of(const S& s) {
    return s.a + s.b + s.c + s.d + s.e + s.f + s.g + s.h;
}

class BenchActor {
public:
    explicit BenchActor(baton::Context& context) : context_(&context) {}

    double on(const bench::Measure& command) { return sum_of(command); }
    void on(const bench::Sample& command) { sum_ += sum_of(command); }
    double on(const bench::Sum&) { return sum_; }

    double on(const bench::Drive& command) {
        const double before = context_->ask(command.receiver, bench::Sum{}).value();
        const auto start = std::chrono::steady_clock::now();
        for (std::uint64_t index = 0; index < command.count; ++index)
            context_->send(command.receiver, bench::Sample{1, 0, 0, 0, 0, 0, 0, static_cast<double>(index % 2)}).value();
        const double sum = context_->ask(command.receiver, bench::Sum{}, std::chrono::minutes{1}).value() - before;
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        if (sum != static_cast<double>(command.count + command.count / 2)) throw std::runtime_error("samples were lost");
        return seconds.count();
    }

private:
    baton::Context* context_;
    double sum_ = 0;
};

}  // namespace

int main(int argc, char** argv) { return baton::run_actor<BenchActor, bench::Protocol>(argc, argv); }
