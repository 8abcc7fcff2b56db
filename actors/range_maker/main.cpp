#include <numeric>

#include "actors/range_maker/range_maker.hpp"
#include <baton/actor.hpp>

namespace {

class RangeMaker {
public:
    explicit RangeMaker(baton::Context& context) : context_(&context) {}

    void on(const range_maker::MakeRange& command) {
        baton::Segment numbers = context_->create_array<std::int64_t>({command.count}).value();
        const std::span<std::int64_t> elements = numbers.as<std::int64_t>();
        std::iota(elements.begin(), elements.end(), 0);
        context_->send(command.collector, range_maker::Range{context_->name(), std::move(numbers)}).value();
        // Nobody has to wait until the collector has looked: the numbers are on their way, and no longer ours.
        context_->stop();
    }

private:
    baton::Context* context_;
};

}  // namespace

int main(int argc, char** argv) { return baton::run_actor<RangeMaker, range_maker::Protocol>(argc, argv); }
