// What a command of a known protocol costs between two members, from send to the struct in the receiver's hands: one
// copy into the ring, none out of it, no allocation and no system call.

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <new>

#include "runtime/lanes/lane_transport.hpp"
#include "runtime/transport/zmq_transport.hpp"
#include "runtime/wire/brief.hpp"
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
        intake_.read_by_position(bobs_protocol);
        mine_.self.attach(*vitals_, vitals_.own(me));
        his_.self.attach(*vitals_, vitals_.own(bob));
        peer_ = sending_.outbox.open(bob, "bob", "ipc://" + folder_ + "/bob").value();
    }
    LanePair(const LanePair&) = delete;
    LanePair& operator=(const LanePair&) = delete;
    ~LanePair() {
        Bells::remove(vitals_.id());
        Lane::remove(vitals_.id(), me, bob);
        std::filesystem::remove_all(folder_);
    }

    bool send(const Sample& sample) {
        const auto sent = sending_.outbox.send_by_position(bob, "Sample", positional::body_of(sample, &protocol), 1s);
        return sent && sent->ok();
    }
    // False if there is none, or it does not fit.
    bool take(Sample& sample) {
        if (!intake_.next(command_) || !command_.is_positional || command_.envelope.tag != "Sample") return false;
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
    Intake& intake() { return intake_; }
    Command& command() { return command_; }

private:
    struct Member {
        ZmqTransport outside;
        LaneTransport lanes{outside};
        ManualClock clock;
        Log log{"test"};
        Self self{lanes, clock, log};
    };
    struct Sending {
        explicit Sending(Member& member) : self(&member.self), waiting(member.self, member.clock) {}
        Self* self;
        TestWaiting waiting;
        Peers peers{*self};
        Asks asks;
        Returns returns{*self};
        Outbox outbox{*self, peers, asks, returns, waiting};
    };
    TestVitals vitals_;
    Bells bells_ = Bells::create(vitals_.id(), std::uint64_t{1} << 30).value();
    std::string folder_;
    Member mine_;
    Member his_;
    Sending sending_{mine_};
    Intake intake_{his_.self};
    Command command_;
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

TEST_CASE("in the steady state a command to a receiver that is awake makes no system call", "[lanes]") {
    if (BATON_SANITIZED) SKIP_TEST("a sanitizer makes system calls of its own; a build without one runs this");
    LanePair pair;
    REQUIRE(pair.pass(1000));
    const pid_t child = ::fork();
    if (child == 0) {
        if (!forbid_system_calls()) ::_exit(2);
        ::_exit(pair.pass(10'000) ? 0 : 1);
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
