// What a command of a known protocol costs between two members, from send to the struct in the receiver's hands, and an
// ask from the struct to that of the reply: one copy into each ring, none out of it, no allocation and no system call.

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <new>

#include <baton/actor.hpp>
#include "runtime/inbox/reply.hpp"
#include "runtime/lanes/lane_transport.hpp"
#include "runtime/transport/zmq_transport.hpp"
#include "runtime/wire/brief.hpp"
#include "tests/captured_stderr.hpp"
#include "tests/unit/inbox_fixture.hpp"
#include "tests/unit/vitals_fixture.hpp"

namespace {
std::uint64_t allocations = 0;  // of this process, ever
}

#if !BATON_SANITIZED
void* operator new(std::size_t size) {
    ++allocations;
    if (void* const memory = std::malloc(size)) return memory;
    throw std::bad_alloc{};
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

namespace {

using namespace inbox_test;
using baton_test::TestVitals;

struct Sample {
    double a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
    bool operator==(const Sample&) const = default;
};

// Answered with the sum of its numbers, and these.
struct Doubled {
    double sum = 0;
    Sample twice;
    bool operator==(const Doubled&) const = default;
};
struct DoubleEachOfTheseNumbers {  // a name that is longer than what a std::string holds without memory
    Sample sample;
    using Reply = Doubled;
};
struct Repeat {  // the text as often; refused with a text for none
    std::string text;
    std::uint32_t times = 0;
    using Reply = std::string;
};
struct Forget {
    using Reply = void;
};
struct Remember {  // answered by the next Forget
    std::uint32_t number = 0;
    using Reply = std::pair<std::uint32_t, std::vector<std::string>>;
};

struct Answerer {
    Doubled on(const DoubleEachOfTheseNumbers& command) {
        const Sample& s = command.sample;
        return {s.a + s.b + s.c + s.d + s.e + s.f + s.g + s.h,
                {2 * s.a, 2 * s.b, 2 * s.c, 2 * s.d, 2 * s.e, 2 * s.f, 2 * s.g, 2 * s.h}};
    }
    Result<std::string> on(const Repeat& command) {
        if (command.times == 0) return Error{ErrorKind::refused, "not at all?"};
        std::string out;
        for (std::uint32_t time = 0; time < command.times; ++time) out += command.text;
        return out;
    }
    void on(const Remember& command, Answer<Remember::Reply> answer) {
        number = command.number;
        kept = std::move(answer);
    }
    void on(const Forget&) { kept.reply({number, {"kept", "for later"}}); }
    std::uint32_t number = 0;
    Answer<Remember::Reply> kept;
};

std::uint64_t protocol() { return 77; }

// Two members of one session in one process. `me` sends to `bob`, whose protocol is known.
class LanePair {
public:
    explicit LanePair(std::uint64_t bobs_protocol = protocol()) {
        std::string name = "/tmp/baton-test-XXXXXX";
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        folder_ = name;
        for (const ActorId one : {me, bob}) bells_.prepare(one).value();
        const auto is_alive = [](ActorId) { return true; };
        mine_.lanes.enter({vitals_.id(), folder_, me, is_alive, Duration::zero(), nullptr, 0}).value();
        his_.lanes.enter({vitals_.id(), folder_, bob, is_alive, Duration::zero(), nullptr, bobs_protocol}).value();
        mine_.self.be(me, "me");
        his_.self.be(bob, "bob");
        intake().read_by_position(bobs_protocol);
        mine_.self.attach(*vitals_, vitals_.own(me));
        his_.self.attach(*vitals_, vitals_.own(bob));
        asker_.waiting.serve = [this] { asker_.replies.collect(); };
        asker_.waiting.on_wait = [this] {
            asker_.waiting.waits = 0;
            serve();
        };
        peer_ = asker_.outbox.open(bob, "bob", "ipc://" + folder_ + "/bob").value();
    }
    LanePair(const LanePair&) = delete;
    LanePair& operator=(const LanePair&) = delete;
    ~LanePair() {
        Bells::remove(vitals_.id());
        Lane::remove(vitals_.id(), me, bob);
        std::filesystem::remove_all(folder_);
    }

    bool send(const Sample& sample) {
        const auto sent = asker_.outbox.send_by_position(bob, "Sample", positional::body_of(sample, &protocol), 1s);
        return sent && sent->ok();
    }
    // The receiver handles what has come whenever the asker waits.
    template <class C>
    Result<typename C::Reply> ask(const C& command) {
        return read_reply_value<typename C::Reply>([&](void* out) { return ask_into(command, out); });
    }
    template <class C>
    Result<void> ask_into(const C& command, void* out, const BodyReader& reader = reply_reader<typename C::Reply>) {
        const positional::CommandBody body = positional::body_of(command, &protocol);
        Outbox::Message message{.tag = command_name<C>, .body = {}};
        message.by_position = &body;
        Result<ReplyFrame> frame =
            asker_.asking.ask(bob, message, Deadline::in(mine_.clock, 1s), {reader.by_position, out});
        form_ = frame ? std::optional{frame->form} : std::nullopt;
        if (std::optional<Error> why = read_reply(frame, reader, out); why) return *why;
        return {};
    }
    template <class C>
    AskId request(const C& command) {
        const positional::CommandBody body = positional::body_of(command, &protocol);
        Outbox::Message message{.tag = command_name<C>, .body = {}};
        message.by_position = &body;
        return asker_.asking.request(bob, message, Deadline::in(mine_.clock, 1s)).value();
    }
    template <class C>
    Result<typename C::Reply> outcome(AskId ask) {
        Result<ReplyFrame> frame = asker_.asking.await(ask, Deadline::in(mine_.clock, 1s));
        form_ = frame ? std::optional{frame->form} : std::nullopt;
        return decoded_reply<typename C::Reply>(std::move(frame));
    }
    // How the last answer came; nothing: it was an error.
    [[nodiscard]] std::optional<ReplyFrame::Form> form() const { return form_; }
    // True if `count` asks are answered as they should be.
    bool converse(int count) {
        for (int index = 0; index < count; ++index) {
            const double x = index + 0.5;
            const Result<Doubled> answer = ask(DoubleEachOfTheseNumbers{{x, 1, 2, 3, 4, 5, 6, 7}});
            if (!answer || !(*answer == Doubled{x + 28, {2 * x, 2, 4, 6, 8, 10, 12, 14}})) return false;
        }
        return true;
    }
    // False if there is none, or it does not fit.
    bool take(Sample& sample) {
        if (!intake().next(command_) || !command_.is_positional || command_.envelope.tag != "Sample") return false;
        Decoding at{command_.envelope.tag};
        return positional::read_into<Sample>(command_.body_bytes, &sample, at);
    }
    // True if so many come one after the other, as they were.
    bool pass(int count) {
        for (int index = 0; index < count; ++index) {
            const Sample sent{index + 0.5, 1, 2, 3, 4, 5, 6, 7};
            Sample taken;
            if (!send(sent) || !take(taken) || !(taken == sent)) return false;
        }
        return true;
    }
    LaneTransport& mine() { return mine_.lanes; }
    LaneTransport& his() { return his_.lanes; }
    Peer& peer() { return *peer_; }
    Intake& intake() { return receiver_.commands.intake(); }
    Command& command() { return command_; }
    Asking& asking() { return asker_.asking; }
    Replies& replies() { return asker_.replies; }
    Answers& answers() { return receiver_.commands.answers(); }
    // From now on these bytes come back to each ask, and behind them an error.
    void answer_with(std::string record) {
        receiver_.answering.instead = [this, record = std::move(record)](AnswerSlot& slot) {
            REQUIRE(his_.lanes.send(slot.link(), record) == Transport::Sent::yes);
        };
    }
    void answer_truly() { receiver_.answering.instead = {}; }
    // The id of the next ask.
    AskId next_ask() {
        const AskId next = asker_.asks.begin(bob).value() + 1;
        asker_.asks.forget(next - 1);
        return next;
    }
    // An ask with names.
    AskId request_by_name(std::string_view tag, std::string_view body) {
        return asker_.asking.request(bob, {.tag = tag, .body = body}, Deadline::in(mine_.clock, 1s)).value();
    }
    Result<ReplyFrame> await(AskId ask) { return asker_.asking.await(ask, Deadline::in(mine_.clock, 1s)); }
    // Handles what has come for the receiver.
    void serve() {
        while (receiver_.commands.handle_next(receiver_.answering)) continue;
    }

private:
    struct Member {
        ZmqTransport outside;
        LaneTransport lanes{outside};
        ManualClock clock;
        Log log{"test"};
        Self self{lanes, clock, log};
    };
    struct Asker {
        explicit Asker(Member& member) : self(&member.self), waiting(member.self, member.clock) {}
        Self* self;
        TestWaiting waiting;
        Peers peers{*self};
        Asks asks;
        Returns returns{*self};
        Requests requests;
        Outbox outbox{*self, peers, asks, requests, returns, waiting};
        Asking asking{*self, peers, asks, requests, returns, outbox, waiting};
        Replies replies{*self, peers, asking, returns};
    };
    struct Answering final : Handler {
        void handle(const Command& command, AnswerSlot slot) override {
            if (instead) return instead(slot);
            const bool is_done = run<DoubleEachOfTheseNumbers>(command, slot) || run<Repeat>(command, slot) ||
                                 run<Remember>(command, slot) || run<Forget>(command, slot);
            if (!is_done) slot.fail(Error{ErrorKind::unsupported, "not known"});
        }
        template <class C>
        bool run(const Command& command, AnswerSlot& slot) {
            if (command.envelope.tag != command_name<C>) return false;
            C read{};
            Decoding at{command.envelope.tag};
            if (!positional::read_into<C>(command.body_bytes, &read, at)) return false;
            call_on(answerer, std::move(read), slot);
            return true;
        }
        Answerer answerer;
        std::function<void(AnswerSlot& slot)> instead;
    };
    struct Receiver {
        explicit Receiver(Self& self) : returns(self), commands(self, returns.gifts()) {}
        Returns returns;
        Commands commands;
        Answering answering;
    };
    TestVitals vitals_;
    Bells bells_ = Bells::create(vitals_.id(), std::uint64_t{1} << 30).value();
    std::string folder_;
    Member mine_;
    Member his_;
    Asker asker_{mine_};
    Receiver receiver_{his_.self};
    Command command_;
    std::optional<ReplyFrame::Form> form_;
    Peer* peer_ = nullptr;
};

// From here on any system call but the end of the process kills it.
bool forbid_system_calls() {
    const sock_filter rules[]{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_exit_group, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    const sock_fprog program{std::size(rules), const_cast<sock_filter*>(rules)};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace

TEST_CASE("a command of a known protocol is written once, into the ring, and is read from there", "[lanes]") {
    LanePair pair;
    struct Written {
        int times = 0;
        std::byte* where = nullptr;
    } written;
    const Transport::Writing writing{100,
                                     [](const void* what, std::byte* to) {
                                         auto& it = *static_cast<Written*>(const_cast<void*>(what));
                                         ++it.times;
                                         it.where = to;
                                         std::memset(to, 7, 100);
                                     },
                                     &written};
    REQUIRE(pair.mine().send_in_place(pair.peer().link, writing) == Transport::Sent::yes);
    CHECK(written.times == 1);
    Link from;
    std::string own;
    std::string_view frame;
    REQUIRE(pair.his().receive_where_it_lies(from, own, frame));
    CHECK(own.empty());
    REQUIRE(frame == std::string(100, '\7'));
    *written.where = std::byte{9};
    CHECK(frame.front() == 9);  // there is no other copy of it
}

TEST_CASE("what is read where it lies stays there until the next one is taken, however soon its ring is full",
          "[lanes]") {
    LanePair pair;
    const auto say = [&](std::size_t bytes, char of) {
        return pair.mine().send(pair.peer().link, std::string(bytes, of)) == Transport::Sent::yes;
    };
    Link from;
    std::string own;
    std::string_view frame;
    for (int round = 0; round < 100; ++round) {
        for (const char of : {'a', 'b', 'c'}) REQUIRE(say(600, of));
        for (const char of : {'a', 'b', 'c'}) {
            REQUIRE(pair.his().receive_where_it_lies(from, own, frame));
            for (int more = 0; more < 5; ++more) REQUIRE(say(600, 'x'));  // wants each place that is free
            REQUIRE(frame == std::string(600, of));
            if (of != 'c') continue;
            for (int more = 0; more < 15; ++more) REQUIRE(pair.his().receive_where_it_lies(from, own, frame));
        }
    }
}

TEST_CASE("in the steady state a command allocates nothing, neither in its sender nor in its receiver", "[lanes]") {
    if (BATON_SANITIZED) SKIP_TEST("a sanitizer has an allocator of its own; a build without one runs this");
    LanePair pair;
    REQUIRE(pair.pass(1000));
    const std::uint64_t before = allocations;
    const bool have_passed = pair.pass(10'000);
    const std::uint64_t after = allocations;
    CHECK(have_passed);
    CHECK(after == before);
}

TEST_CASE("in the steady state an ask allocates nothing on its way there and back", "[lanes]") {
    if (BATON_SANITIZED) SKIP_TEST("a sanitizer has an allocator of its own; a build without one runs this");
    LanePair pair;
    REQUIRE(pair.converse(1000));
    const std::uint64_t before = allocations;
    const bool have_conversed = pair.converse(10'000);
    const std::uint64_t after = allocations;
    CHECK(have_conversed);
    CHECK(after == before);
}

TEST_CASE("in the steady state a message to a receiver that is awake makes no system call", "[lanes]") {
    if (BATON_SANITIZED) SKIP_TEST("a sanitizer makes system calls of its own; a build without one runs this");
    const bool is_asked = GENERATE(false, true);
    CAPTURE(is_asked);
    LanePair pair;
    const auto pass = [&](int count) { return is_asked ? pair.converse(count) : pair.pass(count); };
    REQUIRE(pass(1000));
    const pid_t child = ::fork();
    if (child == 0) {
        if (!forbid_system_calls()) ::_exit(2);
        ::_exit(pass(10'000) ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK((WIFEXITED(status) ? WEXITSTATUS(status) : -1) == 0);
}

TEST_CASE("a receiver whose protocol is another one gets names", "[lanes]") {
    LanePair pair{78};
    CHECK_FALSE(pair.send(Sample{}));
    LanePair none{0};
    CHECK_FALSE(none.send(Sample{}));
}

// A hostile process can write what it likes into a page.
TEST_CASE("a brief record for another protocol drops its sender", "[lanes]") {
    LanePair pair;
    pair.peer().protocol = 78;
    BriefHead head;
    head.tag_bytes = 6;
    head.from = me;
    head.to = bob;
    head.protocol = 78;
    std::string record(brief_bytes("Sample", 64), '\0');
    write_brief(reinterpret_cast<std::byte*>(record.data()), head, "Sample");
    REQUIRE(pair.mine().send(pair.peer().link, record) == Transport::Sent::yes);
    CHECK_FALSE(pair.intake().next(pair.command()));
    CHECK(pair.intake().dropped_peers() == 1);
}

// ---- answers

TEST_CASE("the reply to an ask of a known protocol is written once, into the ring, and is read from there", "[lanes]") {
    LanePair pair;
    REQUIRE(pair.converse(1));
    CHECK(pair.form() == ReplyFrame::Form::read);
    const AskId ask = pair.request(DoubleEachOfTheseNumbers{{1}});
    pair.serve();
    std::string own;
    std::string_view frame;
    REQUIRE(pair.mine().receive_from_where_it_lies(pair.peer().link, own, frame));
    CHECK(own.empty());
    REQUIRE(is_brief(frame));
    const BriefReply reply = read_brief_reply(frame).value();
    CHECK(reply.ask_id == ask);
    CHECK(reply.body.size() == 9 * sizeof(double));
    CHECK(reply.body.data() + reply.body.size() == frame.data() + frame.size());
}

TEST_CASE("each kind of answer arrives as it was given, by position", "[lanes]") {
    LanePair pair;
    CHECK(pair.ask(Repeat{"ab", 3}).value() == "ababab");
    CHECK(pair.form() == ReplyFrame::Form::read);
    const std::string large(100'000, 'x');
    CHECK(pair.ask(Repeat{large, 5}).value().size() == 500'000);
    CHECK(pair.form() == ReplyFrame::Form::read);
    const Result<std::string> refused = pair.ask(Repeat{"ab", 0});
    CHECK(refused.error().text == "not at all?");
    CHECK(refused.error().kind == ErrorKind::refused);
    CHECK_FALSE(pair.form());
    const AskId kept = pair.request(Remember{42});
    pair.serve();
    CHECK_FALSE(pair.asking().is_settled(kept));
    CHECK(pair.ask(Forget{}).ok());
    CHECK(pair.form() == ReplyFrame::Form::read);
    CHECK(pair.outcome<Remember>(kept).value() == Remember::Reply{42, {"kept", "for later"}});
    CHECK(pair.form() == ReplyFrame::Form::by_position);
}

TEST_CASE("a reply that is too large to go by position is refused as one with names is", "[lanes]") {
    LanePair pair;
    const Result<std::string> answer = pair.ask(Repeat{std::string(1000, 'x'), 1100});
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().kind == ErrorKind::refused);
    CHECK(answer.error().text.find("limits::message_bytes_max") != std::string::npos);
}

// The ring gives its bytes back to the writer, who writes over them.
TEST_CASE("a reply that nobody waits for yet is still the same when it is wanted", "[lanes]") {
    LanePair pair;
    std::vector<AskId> asks;
    for (std::uint32_t index = 0; index < 200; ++index) asks.push_back(pair.request(Repeat{std::to_string(index), 30}));
    pair.serve();
    REQUIRE(pair.converse(500));
    for (std::uint32_t index = 0; index < 200; ++index) {
        std::string expected;
        for (int time = 0; time < 30; ++time) expected += std::to_string(index);
        CHECK(pair.outcome<Repeat>(asks[index]).value() == expected);
    }
}

TEST_CASE("replies that do not fit into the ring of an asker that reads slowly come later, in order", "[lanes]") {
    LanePair pair;
    constexpr std::uint32_t replies = 150;  // of half a megabyte; the ring holds 64
    std::vector<AskId> asks;
    for (std::uint32_t index = 0; index < replies; ++index) asks.push_back(pair.request(Repeat{"x", 500'000 + index}));
    pair.serve();
    REQUIRE(pair.answers().any_waiting());
    for (std::uint32_t index = 0; index < replies; ++index) {
        pair.replies().collect();
        pair.answers().post_waiting();
        const Result<std::string> reply = pair.outcome<Repeat>(asks[index]);
        REQUIRE(reply.ok());
        CHECK(reply->size() == 500'000 + index);
    }
    CHECK_FALSE(pair.answers().any_waiting());
    CHECK(pair.converse(10));
}

TEST_CASE("the late reply to an ask that was given up is written nowhere", "[lanes]") {
    LanePair pair;
    Remember::Reply reply;
    REQUIRE(pair.ask_into(Remember{42}, &reply).error().kind == ErrorKind::timed_out);
    CHECK(pair.ask(Forget{}).ok());  // answered behind it
    CHECK(reply == Remember::Reply{});
    CHECK(pair.converse(10));
}

// A hostile process can write what it likes into its ring.
TEST_CASE("a reply by position to an ask by name is corrupt", "[lanes]") {
    LanePair pair;
    std::string record(sizeof(BriefReplyHead) + 1, '\0');
    write_brief_reply(reinterpret_cast<std::byte*>(record.data()), pair.next_ask());
    pair.answer_with(record);
    const AskId ask = pair.request_by_name("Forget", "\x80");
    CHECK(pair.await(ask).error().kind == ErrorKind::corrupt);
}

TEST_CASE("a reply by position that would have to carry segments is corrupt", "[lanes]") {
    LanePair pair;
    std::string record(sizeof(BriefReplyHead) + 1, '\0');
    write_brief_reply(reinterpret_cast<std::byte*>(record.data()), pair.next_ask());
    pair.answer_with(record);
    std::monostate reply;
    constexpr BodyReader only_by_name{.by_name = &convert::read_into<std::monostate>};
    const Result<void> asked = pair.ask_into(Forget{}, &reply, only_by_name);
    REQUIRE_FALSE(asked.ok());
    CHECK(asked.error().kind == ErrorKind::corrupt);
}

TEST_CASE("a reply that was cut or flipped anywhere is read, refused or dropped, and nothing else", "[lanes]") {
    const baton_test::CapturedStderr log;
    LanePair pair;
    const Remember::Reply good{42, {"kept", "for later"}};
    const positional::Body body = positional::body_of(good);
    const auto record_of = [&](AskId ask) {
        std::string record(sizeof(BriefReplyHead) + body.bytes, '\0');
        body.write(body.value, write_brief_reply(reinterpret_cast<std::byte*>(record.data()), ask));
        return record;
    };
    pair.answer_with(record_of(pair.next_ask()));
    REQUIRE(pair.ask(Remember{}).value() == good);
    const std::size_t size = record_of(1).size();
    for (std::size_t cut = 1; cut < size; ++cut) {
        pair.answer_with(record_of(pair.next_ask()).substr(0, cut));
        const Result<Remember::Reply> reply = pair.ask(Remember{});
        REQUIRE_FALSE(reply.ok());
        CHECK(reply.error().kind == (cut < sizeof(BriefReplyHead) ? ErrorKind::failed : ErrorKind::refused));
    }
    for (std::size_t bit = 0; bit < size * 8; ++bit) {
        std::string record = record_of(pair.next_ask());
        record[bit / 8] = static_cast<char>(record[bit / 8] ^ (1 << bit % 8));
        pair.answer_with(std::move(record));
        const Result<Remember::Reply> reply = pair.ask(Remember{});
        if (reply) CHECK(bit / 8 >= sizeof(BriefReplyHead));
        else CHECK_FALSE(reply.error().text.empty());
    }
    pair.answer_truly();
    CHECK(pair.converse(10));
}
