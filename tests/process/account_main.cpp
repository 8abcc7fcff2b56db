#include <fcntl.h>
#include <unistd.h>

#include <baton/actor.hpp>

#include "tests/process/account.hpp"

namespace {

class Account {
public:
    explicit Account(baton::Context& context) : context_(&context) {}

    std::int64_t on(const account::Deposit& command) { return balance_ += command.amount; }
    std::int64_t on(const account::Balance&) { return balance_; }
    std::string on(const account::Transfer& command) {
        if (!command.fifo.empty()) ::close(::open(command.fifo.c_str(), O_RDONLY));
        balance_ -= command.amount;
        const baton::Result<std::int64_t> done = context_->ask(command.to, account::Deposit{command.amount},
                                                               std::chrono::milliseconds{command.milliseconds});
        if (done) return "done";
        if (done.error().is_withdrawn) balance_ += command.amount;
        return baton::to_text(done.error());
    }

private:
    baton::Context* context_;
    std::int64_t balance_ = 100;
};

}  // namespace

int main(int argc, char** argv) { return baton::run_actor<Account, account::Protocol>(argc, argv); }
