// A key-value store whose state lives in a segment. It is killed again and again while it takes writes, and no write
// that it has acknowledged is lost: its standby inherits the segment, and is the store from then on.
#include <array>
#include <atomic>
#include <map>
#include <random>
#include <stdexcept>

#include "../story.hpp"

using namespace std::chrono_literals;

namespace survivor {

struct Begin;
struct BackUp;
struct Put;
struct Attend;
struct Show;
using Protocol = baton::Protocol<Begin, BackUp, Put, Attend, Show>;
using Address = baton::Ref<Protocol>;

struct Begin { using Reply = std::uint64_t; };                     // makes an empty table; how many keys it has
struct BackUp { Address standby; using Reply = std::uint64_t; };   // that one has the table if this one dies
struct Put { std::uint64_t key = 0; std::uint64_t value = 0; using Reply = std::uint64_t; };
struct Attend { using Reply = bool; };                             // answered as soon as it is the store
struct Show { using Reply = std::vector<std::uint64_t>; };         // all values, by key

constexpr std::uint64_t keys_count = 100;

// One key. A store may die between any two instructions, so it writes beside what counts, and then says with one word
// that this counts. Whichever store comes next finds the old value or the new one, and never half of it.
struct Entry {
    struct Version {
        std::uint64_t value;
        std::uint64_t twice;  // so that half of a version could be told from a whole one
    };
    std::array<Version, 2> versions;
    std::uint64_t current;  // which of them

    void put(std::uint64_t value) {
        const std::uint64_t other = 1 - current % 2;
        versions[other] = {value, 2 * value};
        std::atomic_ref(current).store(other, std::memory_order_release);
    }
    [[nodiscard]] std::uint64_t value() const {
        const Version& one = versions[current % 2];
        if (one.twice != 2 * one.value) throw std::runtime_error("half of a version counts");
        return one.value;
    }
};

class Store {
public:
    explicit Store(baton::Context& context) : context_(context) {
        context.on_inherited([this](baton::Inherited came) {
            table_ = std::move(came.segment);
            for (baton::Answer<bool>& waiting : std::exchange(waiting_, {})) waiting.reply(true);
        });
    }
    baton::Result<std::uint64_t> on(const Begin&) {
        baton::Result<baton::Segment> made = context_.create_array<Entry>({keys_count});
        if (!made) return made.error();
        table_ = std::move(*made);
        for (Entry& entry : table_.as<Entry>()) entry = {};
        return keys_count;
    }
    baton::Result<std::uint64_t> on(const BackUp& command) {
        if (baton::Result<void> named = table_.name_heirs({command.standby}, "table"); !named) return named.error();
        return keys_count;
    }
    std::uint64_t on(const Put& command) {
        table_.as<Entry>()[command.key % keys_count].put(command.value);
        return command.value;  // from here on it is acknowledged
    }
    void on(const Attend&, baton::Answer<bool> answer) {
        if (table_) answer.reply(true);
        else waiting_.push_back(std::move(answer));
    }
    std::vector<std::uint64_t> on(const Show&) {
        std::vector<std::uint64_t> values;
        for (const Entry& entry : table_.as<Entry>()) values.push_back(entry.value());
        return values;
    }

private:
    baton::Context& context_;
    baton::Segment table_;  // empty: this is the standby
    std::vector<baton::Answer<bool>> waiting_;
};

// What the store has acknowledged.
struct Acknowledged {
    std::map<std::uint64_t, std::uint64_t> values;  // the last one, by key; values only grow
    std::uint64_t count = 0;
};

// Writes as fast as it can, and kills the store in the middle of it. The writes that have no answer may have been made
// or not; those that have one are noted.
void write_and_kill(baton::Scenario& scenario, Address store, std::uint64_t& next_value, std::size_t at,
                    Acknowledged& acknowledged) {
    constexpr std::size_t writes_count = 400;
    std::vector<std::pair<Put, baton::Pending<std::uint64_t>>> writes;
    for (std::size_t count = 0; count < writes_count; ++count) {
        const Put put{next_value % keys_count, next_value};
        ++next_value;
        writes.emplace_back(put, scenario.request(store, put));
    }
    for (std::size_t index = 0; index < writes.size(); ++index) {
        if (index == at) scenario.kill(store);
        if (!writes[index].second.get(60s)) continue;
        acknowledged.values[writes[index].first.key] = writes[index].first.value;
        ++acknowledged.count;
    }
}

void play(baton::Scenario& scenario, const std::string& program, std::size_t deaths) {
    std::mt19937 random{std::random_device{}()};
    Acknowledged acknowledged;
    std::uint64_t next_value = 1;
    std::size_t lost = 0;
    const auto spawn = [&](std::size_t number) {
        return scenario.spawn<Protocol>(story::role(program, "store-" + std::to_string(number)));
    };
    Address store = spawn(0);
    scenario.ask(store, Begin{});
    for (std::size_t death = 1; death <= deaths; ++death) {
        const Address standby = spawn(death);
        scenario.ask(store, BackUp{standby}, 60s);
        write_and_kill(scenario, store, next_value, random() % 300, acknowledged);
        scenario.join(store, 60s);
        scenario.ask(standby, Attend{}, 60s);  // it has inherited the table
        const std::vector<std::uint64_t> values = scenario.ask(standby, Show{}, 60s);
        for (const auto& [key, value] : acknowledged.values)
            if (values.at(key) < value) ++lost;
        store = standby;
    }
    story::say("scenario", "the store was killed {} times", deaths);
    story::say("scenario", "{} acknowledged writes were lost", lost);
    story::say("scenario", "{} were acknowledged", acknowledged.count > deaths ? "many" : "hardly any");
}

}  // namespace survivor

int main(int argc, char** argv) {
    const std::string program = argv[0];
    return story::tell<survivor::Store, survivor::Protocol>(argc, argv, [&](baton::Scenario& scenario) {
        const std::size_t deaths = scenario.arguments().empty() ? 100 : std::stoul(scenario.arguments()[0]);
        survivor::play(scenario, program, deaths);
    });
}
