#pragma once
// A bank account: an actor that refuses an overdraft, asks an auditor about large sums, and adds interest once a year.
#include <chrono>
#include <cstdint>
#include <string>

#include <baton/actor.hpp>

namespace auditor {

struct MayWithdraw {
    std::int64_t cents;
    using Reply = bool;
};
struct Noted {
    std::string what;
};
using Protocol = baton::Protocol<MayWithdraw, Noted>;

}  // namespace auditor

namespace account {

struct Deposit {
    std::int64_t cents;
    using Reply = std::int64_t;  // the balance
};
struct Withdraw {
    std::int64_t cents;
    using Reply = std::int64_t;
};
struct Audit {
    baton::Ref<auditor::Protocol> by;
};
using Protocol = baton::Protocol<Deposit, Withdraw, Audit>;

}  // namespace account

class Account {
public:
    explicit Account(baton::Context& context) : context_(context), interest_at_(context.deadline(year)) {
        context.on_exited([this](const baton::Ended&) { auditor_ = {}; });
    }

    std::int64_t on(const account::Deposit& command) { return balance_ += command.cents; }

    baton::Result<std::int64_t> on(const account::Withdraw& command) {
        if (command.cents > balance_) return baton::Error{baton::ErrorKind::refused, "not that much is there"};
        if (command.cents > large && auditor_) {
            const baton::Result<bool> allowed = context_.ask(auditor_, auditor::MayWithdraw{command.cents});
            if (!allowed) return allowed.error();
            if (!*allowed) return baton::Error{baton::ErrorKind::refused, "the auditor says no"};
        }
        return balance_ -= command.cents;
    }

    void on(const account::Audit& command) {
        auditor_ = command.by;
        if (const auto sent = context_.send(auditor_, auditor::Noted{"audited from now on"}); !sent) auditor_ = {};
    }

    baton::Deadline next_deadline() { return interest_at_; }
    void on_deadline() {
        balance_ += balance_ / 50;
        interest_at_ = context_.deadline(year);
    }

    [[nodiscard]] bool is_audited() const { return static_cast<bool>(auditor_); }

private:
    static constexpr std::chrono::hours year{24 * 365};
    static constexpr std::int64_t large = 100'000;

    baton::Context& context_;
    baton::Deadline interest_at_;
    baton::Ref<auditor::Protocol> auditor_;
    std::int64_t balance_ = 0;
};
