#include "actors/coordinator/lanes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/text.hpp"
#include "runtime/lanes/lane.hpp"
#include "runtime/lanes/left_ring.hpp"
#include "runtime/vitals/vitals.hpp"
#include "runtime/wire/brief.hpp"
#include "runtime/wire/envelope.hpp"

namespace baton::detail::coordinator {
namespace {

// More than a window holds; the rest of what a process writes that should not is not counted.
constexpr std::uint64_t unread_max = 2 * limits::window_commands_max;
constexpr std::uint64_t looks_per_clock = 32;

}  // namespace

Result<Lanes> Lanes::create(std::string_view session_id, std::uint64_t bytes_max) {
    Result<Bells> bells = Bells::create(session_id, bytes_max);
    if (!bells) return bells.error();
    return Lanes{std::string(session_id), std::move(*bells)};
}

Result<Lanes> Lanes::open(std::string_view session_id) {
    Result<Bells> bells = Bells::open(session_id);
    if (!bells) return bells.error();
    return Lanes{std::string(session_id), std::move(*bells)};
}

void Lanes::remove(std::string_view session_id) noexcept {
    Bells::remove(session_id);
    for (const std::string& name : names_of(session_id)) remove_shared_object(name);
}

std::vector<std::string> Lanes::names_of(std::string_view session_id) {
    return shared_objects_named(fmt::format("baton-{}-lane-", session_id));
}

std::vector<std::string> Lanes::audit(const std::set<ActorId>& living) const {
    std::vector<std::string> broken;
    std::uint64_t bytes = 0;
    for (const std::string& name : names_of(session_id_)) {
        const auto leads_to = [&](ActorId id) { return name.ends_with("-" + to_string(id)); };
        if (std::ranges::none_of(living, leads_to)) broken.push_back(fmt::format("the lane {} leads to nobody", name));
        if (const Result<SharedObject> lane = SharedObject::open(name)) bytes += lane->committed_bytes();
    }
    if (bytes > bells_.lane_bytes_max())
        broken.push_back(fmt::format("lanes take {} bytes of the {} that they may", bytes, bells_.lane_bytes_max()));
    return broken;
}

std::vector<std::uint32_t> Lanes::receivers_of(ActorId dead) const {
    std::vector<std::uint32_t> numbers;
    if (const BellPage* const page = bells_.page_of(dead); page != nullptr) page->lanes_to.list(numbers);
    return numbers;
}

std::vector<Lanes::Unread> Lanes::unread(ActorId opener, ActorId receiver, const Clock& clock, Deadline until) const {
    std::vector<Unread> letters;
    const BellPage* const page = bells_.page_of(opener);
    if (page == nullptr || !page->lanes_to.has(receiver.number)) return letters;
    const std::unique_ptr<LeftRing> ring = LeftRing::open(session_id_, opener, receiver);
    if (ring == nullptr) return letters;
    // Most are like the one before. Tags are compared as they are, and made readable once.
    std::vector<std::string> tags;
    std::size_t last = 0;
    const auto add = [&](std::string_view tag) {
        if (last >= tags.size() || tags[last] != tag)
            last = static_cast<std::size_t>(std::ranges::find(tags, tag) - tags.begin());
        if (last < tags.size()) {
            ++letters[last].count;
        } else if (letters.size() < limits::dead_letters_told_max) {
            tags.emplace_back(tag);
            letters.push_back({readable(tag, limits::name_bytes_max), 1});
        }
    };
    Unpacker unpacker;
    std::string brief_tag;
    std::uint64_t count = 0;
    while (count < unread_max && !(count % looks_per_clock == 0 && until.has_passed(clock))) {
        const std::optional<std::string_view> frame = ring->next();
        if (!frame) break;
        if (is_brief(*frame)) {
            if (const Result<Brief> brief = read_brief(*frame, brief_tag); brief) add(brief->tag);
            ++count;
            continue;
        }
        for (std::size_t offset = 0; offset < frame->size() && count < unread_max; ++count) {
            unpacker.clear();
            const Result<Envelope> envelope = read_envelope(unpacker, *frame, offset);
            if (!envelope || !unpacker.next(*frame, offset)) break;
            add(envelope->tag);
        }
    }
    return letters;
}

void Lanes::remove_to(ActorId dead, const std::vector<ActorId>& senders) noexcept {
    if (BellPage* const page = bells_.page(dead.number); page != nullptr)
        page->lane_bytes.store(0, std::memory_order_seq_cst);
    for (const ActorId sender : senders)
        if (const BellPage* const page = bells_.page_of(sender); page != nullptr && page->lanes_to.has(dead.number))
            remove(sender, dead);
}

void Lanes::remove(ActorId dead, ActorId receiver) noexcept {
    Lane::remove(session_id_, dead, receiver);
    if (BellPage* const page = bells_.page_of(dead); page != nullptr) page->lanes_to.remove(receiver.number);
}

}  // namespace baton::detail::coordinator
