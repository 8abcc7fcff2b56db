// What others see an actor handle, in its vitals: an exit's in_hand and `baton ps` say it.

#include <optional>
#include <string>

#include <baton/actor.hpp>
#include "tests/unit/inbox_fixture.hpp"
#include "tests/unit/vitals_fixture.hpp"

namespace {

using namespace inbox_test;
using baton_test::TestVitals;

struct Sum {
    std::int64_t number = 0;
    using Reply = std::int64_t;
};

struct AnswersAtOnce {
    std::function<void()> look;
    std::int64_t on(const Sum& sum) { return look(), sum.number + 1; }
};
struct AnswersEarly {
    std::function<void()> look;
    void on(const Sum& sum, Answer<std::int64_t> answer) {
        answer.reply(sum.number + 1);
        look();
    }
};

// Handles a Sum of bob's with that class, and tells what its vitals say within on(), and once the answer has left.
template <class Actor>
class Handled {
public:
    Handled() {
        parts_.self.attach(*vitals_, vitals_.own(me));
        REQUIRE(parts_.transport.bind("me").ok());
        LoopbackTransport bob_s{parts_.network};
        Buffer frame;
        Encoder encoder{frame};
        begin_record(encoder, Envelope{MessageKind::ask, bob, me, 1, 1, "Sum"});
        encode(encoder, Sum{6});
        REQUIRE(bob_s.send(bob_s.open("me").value(), frame) == Transport::Sent::yes);
        static_cast<void>(parts_.transport.wait({.inbox = true}, Duration::zero()));
        Handling handling{*this};
        REQUIRE(parts_.commands.handle_next(handling));
        after = vitals_->in_hand(me);
        handled = vitals_->row_of(me)->work.handled.load();
    }

    std::optional<std::string> within, answered, after;
    std::uint64_t handled_when_answered = 0, handled = 0;

private:
    struct Handling final : Handler {
        explicit Handling(Handled& seen) : of(&seen) {}
        void handle(const Command& command, AnswerSlot slot) override {
            Sum sum;
            Decoding at{command.envelope.tag};
            REQUIRE(decode(command.body, sum, at));
            Actor actor{[this] { of->within = of->vitals_->in_hand(me); }};
            call_on(actor, std::move(sum), slot);
            of->answered = of->vitals_->in_hand(me);
            of->handled_when_answered = of->vitals_->row_of(me)->work.handled.load();
        }
        Handled* of;
    };
    TestVitals vitals_;
    Parts parts_;
};

}  // namespace

TEST_CASE("an asker that has what a handler returned finds the command handled, and in no hand", "[inbox]") {
    const Handled<AnswersAtOnce> seen;
    CHECK(seen.within == "Sum");
    CHECK(seen.answered == std::nullopt);
    CHECK(seen.after == std::nullopt);
    CHECK(seen.handled_when_answered == 1);
    CHECK(seen.handled == 1);
}

TEST_CASE("a command stays in hand while its handler goes on after its answer", "[inbox]") {
    const Handled<AnswersEarly> seen;
    CHECK(seen.within == "Sum");
    CHECK(seen.after == std::nullopt);
    CHECK(seen.handled == 1);
}
