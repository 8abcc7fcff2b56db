// Goal: the bytes of what the runtime and the coordinator tell each other never change unnoticed: a reader
// in another language, or of another release, depends on each of them.
// Method: one value of each struct, with every field filled, against the bytes in tests/wire/golden.txt;
// both ways. A new command gets a line in said(), and the hidden test [print] prints its line of the file:
// build/dev/tests/unit [print]

#include "runtime/wire/notices.hpp"

#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

#include "runtime/wire/envelope.hpp"
#include "tests/catch.hpp"
#include "tests/hex.hpp"

namespace {

using namespace baton;
using namespace baton::detail;
using namespace std::chrono_literals;
using baton_test::from_hex;
using baton_test::to_hex;

struct Said {
    std::string name;
    Buffer bytes;
    // True if bytes decode to a value that encodes to the same bytes.
    bool (*comes_back)(const Buffer&);
};

template <class T>
Buffer bytes_of(const T& value) {
    Buffer bytes;
    Encoder encoder{bytes};
    encode<T>(encoder, value);
    return bytes;
}

template <class T>
Said say(std::string name, const T& value) {
    return {std::move(name), bytes_of(value), [](const Buffer& bytes) {
                Unpacker unpacker;
                std::size_t offset = 0;
                const Result<Value> read = unpacker.next(bytes, offset);
                T out{};
                Decoding at{"golden"};
                return read && offset == bytes.size() && decode(*read, out, at) && bytes_of(out) == bytes;
            }};
}

// A record whose body refers to each handle of its manifest, by a field named for its kind.
Buffer record_of(const Envelope& envelope) {
    Buffer bytes;
    Encoder encoder{bytes};
    begin_record(encoder, envelope);
    encoder.map(envelope.manifest.size());
    for (std::uint32_t index = 0; index < envelope.manifest.size(); ++index) {
        encoder.text(name_of(envelope.manifest[index].kind));
        encoder.handle(index);
    }
    return bytes;
}

Said say_record(std::string name, const Envelope& envelope) {
    return {std::move(name), record_of(envelope), [](const Buffer& record) {
                Unpacker unpacker;
                std::size_t offset = 0;
                const Result<Envelope> read = read_envelope(unpacker, record, offset);
                if (!read) return false;
                const Result<Value> body = unpacker.next(record, offset);
                if (!body || offset != record.size() || body->size() != read->manifest.size()) return false;
                for (std::uint32_t index = 0; index < body->size(); ++index)
                    if (body->value_at(index).kind() != ValueKind::handle || body->value_at(index).handle() != index)
                        return false;
                return record_of(*read) == record;
            }};
}

// A command and, where it has one, its reply.
template <class Command>
void say_command(std::vector<Said>& all, const Command& command) {
    all.push_back(say("command." + std::string(command_name<Command>), command));
}
template <class Command>
void say_command(std::vector<Said>& all, const Command& command, const typename Command::Reply& reply) {
    say_command(all, command);
    all.push_back(say("reply." + std::string(command_name<Command>), reply));
}

// With every field filled.
Exit full_exit() {
    const baton::detail::MemoryAtExit held{3, 12'288, 1200ms, 1, 2, 4};
    return {ExitKind::signalled, 9, "last words", "HoldThis", {{"4.1", "GoHome", 2}}, held, {{"bob", 2}},
            {{"table", 1, 12'288}}, 100ms};
}
SpawnOptions full_options() {
    return {"student", "alice", {"--number", "4"}, 10s, 1 << 20, {"build/bin"}, "lion", 40us,
            baton::Restart{baton::Restart::Policy::always, 5, 10s, 100ms, 5s, "stages",
                           baton::Restart::Strategy::rest_for_one}, 2s, true};
}
RestartReport full_report() {
    return {baton::Restart::Policy::on_failure, 7, 2, 5, 10s, 100ms, "stages",
            baton::Restart::Strategy::one_for_all, "signal -9 (Killed)"};
}

std::vector<Said> said() {
    namespace c = coordinator;
    const AnyRef alice{ActorId{3, 2}};
    const ProtocolDescription protocol{
        "student", {{"HoldThis", {"struct", "HoldThis", 0, {{"number", {"int64", "", 0, {}}}}}, {{"string", "",
                                                                                                  0, {}}}},
                    {"GoHome", {"struct", "GoHome", 0, {}}, std::nullopt}}};
    const Exit exit = full_exit();
    const c::Spawned spawned{alice, "alice", 4711, protocol};
    const Ended ended{alice, "alice", exit};

    std::vector<Said> all;
    all.push_back(say_record("record.send", {MessageKind::send, {3, 2}, {4, 1}, 7, 0, "GoHome"}));
    all.push_back(say_record("record.ask", {MessageKind::ask, {3, 2}, {4, 1}, 8, 1, "HoldThis"}));
    all.push_back(say_record("record.reply", {MessageKind::reply, {4, 1}, {3, 2}, 0, 1, "HoldThis"}));
    all.push_back(say_record("record.error", {MessageKind::error, {4, 1}, {3, 2}, 0, 1, "HoldThis"}));
    all.push_back(say_record("record.notice", {MessageKind::notice, {1, 1}, {3, 2}, 0, 0, "Stop"}));
    const Handle segment{HandleKind::segment, 17, 5, {"<f4", {480, 640}}};
    const Handle lease{HandleKind::lease, 17, 6, {"<f4", {480, 640}}, 64, 1};
    const Handle slice{HandleKind::slice, 130'000, 0x4000000001, {"|V24", {10}}, 70, 3, 240};
    all.push_back(say_record("record.gift", {MessageKind::send, {3, 2}, {4, 1}, 9, 0, "Develop", {segment}}));
    all.push_back(say_record("record.loan", {MessageKind::ask, {3, 2}, {4, 1}, 10, 2, "Measure", {lease, slice}}));
    all.push_back(say_record("record.refusal", {MessageKind::error, {4, 1}, {3, 2}, 9, 0, "Develop"}));
    all.push_back(say("body.error", ErrorBody{"failed", "no such book", "std::out_of_range", {"frame", "outer"}}));

    say_command(all, c::Join{{}, "scenario", 4712, "ipc:///tmp/inbox", protocol, true, 99},
                c::Welcome{alice, "alice", "0a1b2c3d", 4710, 5s, 4709});
    say_command(all, c::Rejoin{alice, 4712, true, {alice}, {{7}}},
                c::Welcome{alice, "alice", "0a1b2c3d", 4711, 5s, 4709});
    say_command(all, c::Ready{}, std::monostate{});
    say_command(all, c::Leave{{{"4.1", "GoHome", 2}}}, std::monostate{});
    say_command(all, c::Spawn{full_options(), 0xfedcba9876543210, 4711s, true}, spawned);
    say_command(all, c::Locate{alice}, c::Located{"alice", "ipc:///tmp/3.2.sock"});
    say_command(all, c::Watch{alice}, std::string("alice"));
    say_command(all, c::Find{"alice", 4711s}, spawned);
    say_command(all, c::Roster{true},
                {{alice, "alice", "student", 4711, 4710, "busy", 3, 12, "HoldThis", exit, full_report()}});
    say_command(all, c::RosterFrom{true, {1023, 4097}},
                c::RosterPage{{{alice, "alice", "student", 4711, 4710, "busy", 3, 12, "HoldThis", exit,
                                full_report()}}, c::RosterPlace{4294967295, 4098}});
    say_command(all, c::StopActors{{alice}, 5s, true, 4711s}, {ended});
    say_command(all, c::Signal{alice, 15}, std::monostate{});
    say_command(all, c::Await{alice}, ended);
    say_command(all, c::CloseSession{5s}, c::Closed{{ended}});
    say_command(all, c::Replace{1}, c::Incumbent{2, 4711});

    say_command(all, c::Drained{alice}, std::monostate{});
    say_command(all, c::MemoryShort{});
    say_command(all, c::Segments{100},
                c::SegmentList{{{17, 5, "offered", alice, AnyRef{ActorId{4, 1}}, 12'288, 2, 1200ms, "",
                                 {"bob", "next life"}, "table"}},
                               1,
                               16'384,
                               std::uint64_t{1} << 30});
    say_command(all, c::Audit{}, {"I1: segment 17.5 is owned and has no owner"});

    say_command(all, c::LinkActors{alice, AnyRef{ActorId{4, 1}}}, std::monostate{});
    say_command(all, c::UnlinkActors{alice, AnyRef{ActorId{4, 1}}}, std::monostate{});

    say_command(all, c::Decline{17, 5}, std::monostate{});
    all.push_back(say("notice.Stop", notice::Stop{true, 1200ms}));
    all.push_back(say("notice.Exited", notice::Exited{alice, "alice", exit}));
    all.push_back(say("notice.Drain", notice::Drain{alice, 4711}));
    all.push_back(say("notice.Trim", notice::Trim{}));
    all.push_back(say("notice.BindAgain", notice::BindAgain{}));
    all.push_back(say("notice.Inherited",
                      notice::Inherited{17, 5, "<f4", {480, 640}, "table", true, AnyRef{ActorId{4, 1}}, "bob"}));
    all.push_back(say("body.exit", Exit{ExitKind::stopped, 0, "", "", {}}));
    return all;
}

std::map<std::string, std::string> golden() {
    std::ifstream file{"tests/wire/golden.txt"};  // ctest runs in the project's folder
    REQUIRE(file.is_open());
    std::map<std::string, std::string> out;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line.front() == '#') continue;
        std::istringstream words{line};
        std::string name, hex;
        words >> name >> hex;
        INFO(line);
        REQUIRE(out.emplace(name, hex).second);
    }
    return out;
}

template <class... Commands>
std::set<std::string> expected_names(std::type_identity<Protocol<Commands...>>) {
    std::set<std::string> names;
    const auto add = [&names]<class Command>(std::type_identity<Command>) {
        names.insert("command." + std::string(command_name<Command>));
        if constexpr (HasReply<Command>) names.insert("reply." + std::string(command_name<Command>));
    };
    (add(std::type_identity<Commands>{}), ...);
    return names;
}

}  // namespace

TEST_CASE("every message of the coordinator's protocol has the bytes of the golden file", "[wire][golden]") {
    const std::map<std::string, std::string> expected = golden();
    for (const Said& one : said()) {
        const auto found = expected.find(one.name);
        INFO(one.name);
        REQUIRE(found != expected.end());
        CHECK(to_hex(one.bytes) == found->second);
    }
}

TEST_CASE("the golden file as it would be written today", "[.][print]") {
    for (const Said& one : said()) std::cout << one.name << ' ' << to_hex(one.bytes) << '\n';
}

TEST_CASE("every line of the golden file decodes to what encodes to it", "[wire][golden]") {
    const std::map<std::string, std::string> expected = golden();
    std::map<std::string, Said> known;
    for (Said& one : said()) known.emplace(one.name, std::move(one));
    for (const auto& [name, hex] : expected) {
        INFO(name);
        REQUIRE(known.contains(name));
        CHECK(known.at(name).comes_back(from_hex(hex)));
    }
}

TEST_CASE("no command of the coordinator's protocol lacks golden bytes", "[wire][golden]") {
    std::set<std::string> names;
    for (const Said& one : said()) names.insert(one.name);
    for (const std::string& name : expected_names(std::type_identity<coordinator::Protocol>{})) {
        INFO(name);
        CHECK(names.contains(name));
    }
}
