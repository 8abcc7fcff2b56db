#include <chrono>
#include <stdexcept>

#include "bench/bench_actor.hpp"
#include <baton/actor.hpp>

namespace {

class BenchActor {
public:
    explicit BenchActor(baton::Context& context) : context_(&context) {}

    double on(const bench::Measure& command) { return bench::sum_of(command); }
    void on(const bench::Sample& command) { sum_ += bench::sum_of(command); }
    void on(const bench::Block& command) { sum_ += static_cast<double>(command.index); }
    double on(const bench::Sum&) { return sum_; }

    std::uint64_t on(const bench::Meet& command) {
        std::uint64_t met = 0;
        for (const auto& other : command.others) {
            if (other == context_->self<bench::Protocol>()) continue;
            context_->send(other, bench::Sample{1}).value();
            ++met;
        }
        return met;
    }

    double on(const bench::Drive& command) {
        const double before = context_->ask(command.receiver, bench::Sum{}).value();
        bench::Block block{0, std::vector<std::byte>(command.block_bytes, std::byte{7})};
        double expected = 0;
        const auto start = std::chrono::steady_clock::now();
        for (std::uint64_t index = 0; index < command.count; ++index) {
            if (command.block_bytes == 0) {
                const auto sample = bench::sample_of<bench::Sample>(index % 1000);
                context_->send(command.receiver, sample).value();
                expected += bench::sum_of(sample);
            } else {
                block.index = index % 1000;
                context_->send(command.receiver, block).value();
                expected += static_cast<double>(block.index);
            }
        }
        const double sum = context_->ask(command.receiver, bench::Sum{}, std::chrono::minutes{1}).value() - before;
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        if (command.is_alone && sum != expected) throw std::runtime_error("a wrong sum came back");
        return seconds.count();
    }

    double on(const bench::Grind& command) {
        double value = sum_ + 1;
        for (std::uint32_t round = 0; round < command.rounds; ++round) value = value * 1.0000001 + 1e-9;
        return value;
    }
    double on(const bench::Rally& command) {
        const auto start = std::chrono::steady_clock::now();
        double sum = 0;
        for (std::uint64_t index = 0; index < command.count; ++index) {
            sum += on(bench::Grind{command.rounds});
            sum += context_->ask(command.partner, bench::Grind{command.rounds}).value();
        }
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        return sum > 0 ? seconds.count() : 0;
    }

private:
    baton::Context* context_;
    double sum_ = 0;
};

}  // namespace

int main(int argc, char** argv) { return baton::run_actor<BenchActor, bench::Protocol>(argc, argv); }
