// Gives memory, and takes it: see handover_actor.hpp.
#include <sys/resource.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <vector>

#include "bench/handover_actor.hpp"
#include "bench/touch.hpp"
#include <baton/actor.hpp>

namespace {

using namespace handover;

std::uint64_t page_faults() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::uint64_t>(usage.ru_minflt + usage.ru_majflt);
}

class Handover {
public:
    explicit Handover(baton::Context& context) : context_(&context) {}

    // ---- the giver
    void on(Drive command, baton::Answer<Report> answer) {
        drive_ = std::move(command);
        answer_.emplace(std::move(answer));
        given_ = 0;
        context_->ask(drive_.receiver, Expect{context_->self<Protocol>(), drive_.warm_up, drive_.count}).value();
        give();
    }
    void on(const Taken&) {
        if (given_ == drive_.warm_up) faults_before_ = page_faults();
        if (given_ < drive_.warm_up + drive_.count) return give();
        const std::uint64_t faults = page_faults() - faults_before_;
        Report report = context_->ask(drive_.receiver, Measured{}).value();
        report.page_faults += faults;
        answer_->reply(std::move(report));
        answer_.reset();
    }

    // ---- the receiver
    std::monostate on(const Expect& command) {
        expected_ = command;
        taken_ = 0;
        // The same memory whatever the count, so that twice as many hand-overs ask the kernel for nothing more.
        microseconds_.assign(std::max<std::size_t>(command.count, 10'000), 0);
        return {};
    }
    void on(Give command) {
        const double microseconds = bench::microseconds_since(command.given_at);
        if (taken_ >= expected_.warm_up) microseconds_[taken_ - expected_.warm_up] = microseconds;
        const auto words = std::as_const(command.item).as<std::uint64_t>();
        if (bench::sum(words) != bench::sum_of_filled(words, command.value))
            throw std::runtime_error("other words came");
        command.item = baton::Segment{};
        if (++taken_ == expected_.warm_up) faults_before_ = page_faults();
        if (taken_ == expected_.warm_up + expected_.count) faults_ = page_faults() - faults_before_;
        context_->send(expected_.giver, Taken{}).value();
    }
    Report on(const Measured&) {
        microseconds_.resize(expected_.count);
        std::ranges::sort(microseconds_);
        return {microseconds_[microseconds_.size() / 2], microseconds_[microseconds_.size() * 99 / 100], faults_};
    }

    std::uint64_t on(const Occupy& command) {
        while (kept_.size() < command.count) kept_.push_back(context_->create_segment(command.bytes).value());
        return kept_.size();
    }

private:
    void give() {
        baton::Segment item = context_->create_array<std::uint64_t>({drive_.bytes / sizeof(std::uint64_t)}).value();
        bench::fill(item.as<std::uint64_t>(), given_);
        Give command{std::move(item), given_, 0};
        ++given_;
        command.given_at = bench::nanoseconds_now();
        context_->send(drive_.receiver, std::move(command)).value();
    }

    baton::Context* context_;
    Drive drive_;
    std::optional<baton::Answer<Report>> answer_;
    std::uint64_t given_ = 0;
    Expect expected_;
    std::uint64_t taken_ = 0;
    std::vector<double> microseconds_;
    std::uint64_t faults_before_ = 0;
    std::uint64_t faults_ = 0;
    std::vector<baton::Segment> kept_;
};

}  // namespace

int main(int argc, char** argv) { return baton::run_actor<Handover, Protocol>(argc, argv); }
