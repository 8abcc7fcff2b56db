#include <baton/sync/barrier.hpp>
#include <baton/sync/value.hpp>
#include "bench/sync_bench.hpp"
#include "bench/touch.hpp"
#include <baton/actor.hpp>

namespace {

using namespace baton;

class SyncBenchActor {
public:
    explicit SyncBenchActor(Context& context) : context_(&context) {}

    bench::Span on(const bench::Repeat& command) {
        sync::Barrier start{*context_, command.start};
        if (command.work == bench::Work::barrier) {
            sync::Barrier barrier{*context_, command.what};
            return timed(start, command.count, [&] { barrier.wait(timeout).value(); });
        }
        if (command.work == bench::Work::increment) {
            sync::Value<std::int64_t> value{*context_, command.what};
            return timed(start, command.count,
                         [&] { value.update([](std::int64_t& number) { ++number; }, timeout).value(); });
        }
        sync::Lock lock{*context_, command.what};
        return timed(start, command.count, [&] { lock.acquire(timeout).value().release().value(); });
    }

private:
    static constexpr Duration timeout = std::chrono::minutes{1};

    template <class Once>
    bench::Span timed(sync::Barrier<>& start, std::uint64_t count, Once once) {
        start.wait(timeout).value();
        bench::Span span;
        span.began = bench::nanoseconds_now();
        for (std::uint64_t done = 0; done < count; ++done) once();
        span.ended = bench::nanoseconds_now();
        return span;
    }
    Context* context_;
};

}  // namespace

int main(int argc, char** argv) { return run_actor<SyncBenchActor, bench::SyncProtocol>(argc, argv); }
