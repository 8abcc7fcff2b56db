#pragma once
// Probe: an actor that does on command what tests need: works, fails, hangs, dies.

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_set>
#include <variant>
#include <vector>

#include <baton/time.hpp>
#include <baton/protocol.hpp>
#include <baton/ref.hpp>

namespace probe {

struct Echo;
struct AskOther;
struct AskAround;
struct TellOther;
struct AskToFlood;
struct DropAfterAsking;
struct EchoAround;
struct Flood;
struct SpawnChild;
struct Shell;
struct SpawnSupervised;
struct Fork;
struct SpawnWithin;
struct AskToKeep;
struct LinkWith;
struct UnlinkFrom;
struct SentinelOf;

enum class Colour { red, green, blue };
struct Point {
    double x = 0;
    double y = 0;
};
struct Everything {
    bool flag = false;
    std::int8_t tiny = 0;
    std::uint64_t large = 0;
    float real = 0;
    double precise = 0;
    Colour colour = Colour::red;
    std::string text;
    std::vector<std::byte> bytes;
    std::vector<std::int32_t> list;
    std::array<std::uint16_t, 3> three{};
    std::map<std::string, double> table;
    std::optional<std::string> maybe;
    std::variant<std::int64_t, std::string> either;
    Point point;
    baton::Timestamp time;
    baton::AnyRef ref;
};
struct SendEverything {
    Everything everything;
    using Reply = Everything;
};

struct Shapes {
    std::pair<std::string, std::int64_t> pair;
    std::tuple<std::int32_t, std::string, bool> triple;
    std::set<std::string> words;
    std::unordered_set<std::uint16_t> numbers;
    std::deque<double> queue;
    std::map<std::string, std::pair<double, double>> places;
    std::set<std::pair<std::int32_t, std::string>> pairs;
    std::set<std::set<std::int32_t>> sets;
    std::optional<std::tuple<Point, std::vector<std::int32_t>>> maybe;
};
struct SendShapes {
    Shapes shapes;
    using Reply = Shapes;
};
struct Tuning {
    std::uint32_t steps = 8;
    double rate = 0;  // no default: it must be given
};
struct Tune {  // says what came
    std::int64_t number;
    std::uint32_t depth = 3;
    std::string label = "plain";
    Colour colour = Colour::green;
    std::vector<std::int32_t> sizes = {1, 2};
    std::pair<double, double> place = {0.5, -1};
    Tuning tuning = {.steps = 4, .rate = 0.25};
    std::optional<std::int32_t> limit = 7;
    std::optional<std::string> note;
    struct Outcome {
        std::int64_t number = 0;
        std::uint32_t depth = 0;
        std::string label;
        Colour colour = Colour::red;
        std::vector<std::int32_t> sizes;
        std::pair<double, double> place;
        Tuning tuning = {.steps = 0};
        std::optional<std::int32_t> limit;
        std::optional<std::string> note;
    };
    using Reply = Outcome;
};

struct Throw {  // a handler that raises
    std::string text;
    using Reply = std::string;
};
struct ExitWith {  // main returns to nobody
    std::int32_t code = 0;
    using Reply = std::string;
};
struct Abort {
    using Reply = std::string;
};
struct FailCheck {
    std::string promise;
    using Reply = std::string;
};
struct Block {  // busy until that fifo is opened for writing
    std::string fifo;
    using Reply = std::string;
};
struct Hang {  // never returns, and takes no SIGTERM
    using Reply = std::string;
};
struct DropAnswer {  // keeps no answer
    using Reply = std::string;
};
struct AnswerLater {  // answered by Release
    using Reply = std::string;
};
struct KeepFor {  // the same, and says that nothing can be answered before that one goes on
    baton::AnyRef whom;
    using Reply = std::string;
};
struct Release {};
struct HowMany {  // commands counted so far
    using Reply = std::uint64_t;
};
struct Count {
    std::string ballast;
};
struct StopYourself {};
struct WhoAsks {
    using Reply = baton::AnyRef;
};
struct TickIn {  // answered when that time has passed
    std::uint32_t milliseconds = 0;
    using Reply = std::string;
};

using Protocol =
    baton::Protocol<Echo, SendEverything, SendShapes, Tune, Throw, ExitWith, Abort, FailCheck, Block, Hang, DropAnswer,
                    AnswerLater, Release, HowMany, Count, StopYourself, WhoAsks, TickIn, AskOther, AskAround, TellOther,
                    DropAfterAsking, EchoAround, Flood, AskToFlood, SpawnChild, SpawnWithin, Shell, Fork, KeepFor,
                    AskToKeep, LinkWith, UnlinkFrom, SentinelOf, SpawnSupervised>;

struct Echo {
    std::string text;
    using Reply = std::string;
};
struct AskOther {  // asks it to hang, and says how that ended
    baton::Ref<Protocol> other;
    double seconds = 0;
    using Reply = std::string;
};
struct AskAround {  // asks the first of them to ask around the others; the last waits for the fifo, where one is given
    std::vector<baton::Ref<Protocol>> others;
    std::string fifo;
    double seconds = 20;
    using Reply = std::string;
};
struct AskToKeep {  // asks `other` to keep its answer for `whom`; says how that ended
    baton::Ref<Protocol> other;
    baton::AnyRef whom;
    using Reply = std::string;
};
struct TellOther {
    baton::Ref<Protocol> other;
    std::string text;
    using Reply = std::string;
};
struct DropAfterAsking {  // asks it to hang, and lets its own Answer go when that has ended
    baton::Ref<Protocol> other;
    using Reply = std::string;
};
struct EchoAround {  // asks each of them, itself left out, for an echo; says how many there are
    std::vector<baton::Ref<Protocol>> others;
    using Reply = std::string;
};
struct Flood {  // sends Count until `count` or the first error; says how many were taken and the error's kind
    baton::Ref<Protocol> other;
    std::uint64_t count = 0;
    std::uint32_t ballast_bytes = 0;
    std::uint32_t deadline_milliseconds = 1000;
    struct Outcome {
        std::uint64_t taken = 0;
        std::string error;
        std::string text;                  // of that error
        std::uint64_t resident_bytes = 0;  // of the sender, afterwards
    };
    using Reply = Outcome;
};
struct AskToFlood {  // asks `flooder` to flood `victim`; says why that ended, or how its own wait for it did
    baton::Ref<Protocol> flooder;
    baton::Ref<Protocol> victim;
    std::uint64_t count = 0;
    std::uint32_t ballast_bytes = 0;
    std::uint32_t deadline_milliseconds = 1000;
    using Reply = std::string;
};
struct SpawnWithin {  // says how that ended
    std::string program;
    std::string name;
    std::uint32_t milliseconds = 0;
    using Reply = std::string;
};
struct SpawnChild {
    std::string program;
    std::string name;
    using Reply = baton::Ref<Protocol>;
};
struct LinkWith {  // links itself with that one; empty, or why not
    baton::AnyRef other;
    using Reply = std::string;
};
struct UnlinkFrom {  // undoes that
    baton::AnyRef other;
    using Reply = std::string;
};
struct SentinelOf {  // waits for its end in a poll() of its own; says how it ended, or why that could not be
    baton::AnyRef other;
    std::uint32_t milliseconds = 0;
    using Reply = std::string;
};
struct SpawnSupervised {  // a probe that is restarted after that time, and how often in an hour; says its name
    std::string name;
    std::uint32_t back_off_milliseconds = 0;
    std::uint32_t restarts_max = 0;
    using Reply = std::string;
};
struct Shell {  // started beside the actor, and left; its pid
    std::string line;
    using Reply = std::uint64_t;
};
struct Fork {  // a copy of the actor that does nothing; its pid
    using Reply = std::uint64_t;
};

}  // namespace probe
