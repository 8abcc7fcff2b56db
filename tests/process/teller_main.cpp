// Arguments: the folder of its journal, its index, and how many microseconds it takes for each note.
#include <unistd.h>

#include <chrono>
#include <map>

#include <baton/actor.hpp>
#include "tests/process/teller.hpp"
#include "tests/soak/journal.hpp"

namespace {

class Teller {
public:
    explicit Teller(baton::Context& context)
        : context_(&context),
          index_(static_cast<std::uint32_t>(std::stoul(context.arguments()[1]))),
          pace_(std::stoul(context.arguments()[2])),
          journal_(context.arguments()[0], index_) {}

    void on(const teller::Note& note) {
        journal_.write(soaker::Event::noted, 0, note.from, note.number);
        ++handled_;
        const auto end = std::chrono::steady_clock::now() + pace_;
        while (std::chrono::steady_clock::now() < end) {
        }
    }
    std::uint64_t on(const teller::Send& command) {
        const std::string ballast(command.ballast_bytes, 'x');
        std::uint64_t& number = sent_[command.index];
        std::uint64_t accepted = 0;
        for (; accepted < command.count; ++accepted) {
            const baton::Ref<teller::Protocol> to{command.to.id};
            if (!context_->send(to, teller::Note{index_, number + 1, ballast}, std::chrono::seconds{60}).ok()) break;
            journal_.write(soaker::Event::sent_notes, 0, command.index, ++number);
        }
        if (command.and_exits) ::_exit(0);
        return accepted;
    }
    std::uint64_t on(const teller::Count&) { return handled_; }

private:
    baton::Context* context_;
    std::uint32_t index_;
    std::chrono::microseconds pace_;
    soaker::Journal journal_;
    std::map<std::uint32_t, std::uint64_t> sent_;
    std::uint64_t handled_ = 0;
};

}  // namespace

int main(int argc, char** argv) { return baton::run_actor<Teller, teller::Protocol>(argc, argv); }
