#include "runtime/lanes/lane_transport.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "runtime/base/check.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/transport/descriptors.hpp"
#include "runtime/transport/polling.hpp"
#include "runtime/vitals/vitals.hpp"

namespace baton::detail {
namespace {

// For the object of a lane, and the bell of the other side.
constexpr int descriptors_per_lane = 2;
// A writer that lacks memory looks again after this; nobody tells it when there is some.
constexpr Duration memory_interval = std::chrono::milliseconds{10};
// Between two looks outside of a member that finds in its lanes whatever it waits for.
constexpr Duration outside_interval = std::chrono::microseconds{100};

}  // namespace

LaneTransport::End::End(Link own, ActorId other, std::unique_ptr<Lane> of, bool opens)
    : link(own),
      peer(other),
      is_openers(opens),
      lane(std::move(of)),
      writer(is_openers ? lane->commands() : lane->answers(),
             is_openers ? lane->command_area() : lane->answer_area()),
      reader(is_openers ? lane->answers() : lane->commands(),
             is_openers ? lane->answer_area() : lane->command_area(),
             // What has been taken is never taken again, even if the lane is opened anew.
             RingPlace::of((is_openers ? lane->answers() : lane->commands()).read.load(std::memory_order_acquire))) {}

LaneTransport::~LaneTransport() {
    if (!member_) return;
    std::error_code ignored;
    std::filesystem::remove(member_->as.folder + "/" + Bells::fifo_name(member_->as.me), ignored);
}

Result<void> LaneTransport::enter(Membership membership) {
    check(!member_, "a process becomes a member once");
    if (Result<void> room = require_descriptors(descriptors_per_lane, "cannot have lanes"); !room) return room;
    Result<Bells> bells = Bells::open(membership.session_id);
    if (!bells) return bells.error();
    Result<OwnBell> bell = OwnBell::create(*bells, membership.folder, membership.me, membership.protocol);
    if (!bell) return bell.error();
    Spin spin{membership.spin, membership.spun};
    Ringer ringer{membership.folder, membership.me};
    member_.emplace(
        Member{std::move(membership), {}, std::move(*bells), std::move(*bell), std::move(ringer), std::move(spin)});
    member_->budget.claim = [this](std::size_t bytes) { return member_->bells.claim(member_->as.me.number, bytes); };
    member_->budget.give_back = [this](std::size_t bytes) { member_->bells.give_back(member_->as.me.number, bytes); };
    return {};
}

Result<void> LaneTransport::bind_again() {
    if (Result<void> bound = outside_->bind_again(); !bound || !member_) return bound;
    return member_->bell.make_again();
}

// ---- links -------------------------------------------------------------------------------------------

Link LaneTransport::next_link() noexcept { return Link{lane_bit | ++links_}; }

LaneTransport::End* LaneTransport::find(Link link) noexcept {
    if (const auto opened = opened_.find(link.index); opened != opened_.end()) return opened->second.get();
    const auto accepted = accepted_.find(link.index);
    return accepted == accepted_.end() ? nullptr : accepted->second.get();
}

Result<Link> LaneTransport::open_to(ActorId to, const std::string& address) {
    Result<Link> lane = open_by_id(to);
    return lane ? lane : outside_->open(address);
}

Result<Link> LaneTransport::open_by_id(ActorId to) {
    if (!member_ || member_->bells.page_of(to) == nullptr) return outside_->open_by_id(to);
    const bool has_room = require_descriptors(descriptors_per_lane, "").ok() && member_->ringer.reach(to);
    if (!has_room) return Error{ErrorKind::overloaded, "there is no descriptor for a lane"};
    // First it is said that there will be one, then whether the other still lives is looked at; the coordinator first
    // takes the life, then looks for what leads to it. So one of the two removes the lane of a receiver that has died.
    member_->bell.page().lanes_to.add(to.number);
    pass_crash_point(CrashPoint::lane_announced);
    Result<std::unique_ptr<Lane>> lane = Lane::create(member_->as.session_id, member_->as.me, to, member_->budget);
    if (!lane) return lane.error();
    pass_crash_point(CrashPoint::lane_made);
    if (!member_->as.is_alive(to)) Lane::remove(member_->as.session_id, member_->as.me, to);
    const Link link = next_link();
    opened_.emplace(link.index, std::make_unique<End>(link, to, std::move(*lane), true));
    return link;
}

LaneTransport::End* LaneTransport::accepted_from_number(std::uint32_t number) {
    const BellPage* const page = member_->bells.page(number);
    if (page == nullptr) return nullptr;
    const ActorId opener = unpacked(page->id.load(std::memory_order_acquire));
    // A bit of one that has died says not enough to open what may have been read to its end: the coordinator says whose
    // lanes are to be drained.
    const auto known = accepted_of_number_.find(number);
    const bool is_open = known != accepted_of_number_.end() && known->second->peer == opener;
    return is_open || member_->as.is_alive(opener) ? accepted_from(opener) : nullptr;
}

// The lane from that member, if it has made one.
LaneTransport::End* LaneTransport::accepted_from(ActorId opener) {
    const auto known = accepted_of_number_.find(opener.number);
    if (known != accepted_of_number_.end() && known->second->peer == opener) return known->second;
    if (!opener.is_somebody()) return nullptr;
    Result<std::unique_ptr<Lane>> lane = Lane::open(member_->as.session_id, opener, member_->as.me, member_->budget);
    if (!lane) return nullptr;
    if (known != accepted_of_number_.end()) close(known->second->link, Pending::delivered);
    const Link link = next_link();
    auto end = std::make_unique<End>(link, opener, std::move(*lane), false);
    accepted_of_number_.insert_or_assign(opener.number, end.get());
    return accepted_.emplace(link.index, std::move(end)).first->second.get();
}

void LaneTransport::close(Link link, Pending pending) {
    if (!is_lane(link)) return outside_->close(link, pending);
    End* const end = find(link);
    if (end == nullptr) return;
    if (opened_.contains(link.index)) {
        end->lane->close();
    } else if (member_->as.is_alive(end->peer) && !end->lane->is_closed()) {
        // It goes on, and whatever it says next comes over another link.
        auto kept = accepted_.extract(link.index);
        kept.key() = (end->link = next_link()).index;
        accepted_.insert(std::move(kept));
        return;
    }
    if (end->is_ready) std::erase(ready_, end);
    if (end->has_grown) std::erase(grown_, end);
    if (const auto known = accepted_of_number_.find(end->peer.number);
        known != accepted_of_number_.end() && known->second == end)
        accepted_of_number_.erase(known);
    const ActorId peer = end->peer;
    opened_.erase(link.index);
    accepted_.erase(link.index);
    const auto leads_to_peer = [peer](const auto& one) { return one.second->peer == peer; };
    if (!std::ranges::any_of(accepted_, leads_to_peer) && !std::ranges::any_of(opened_, leads_to_peer))
        member_->ringer.forget(peer);
}

void LaneTransport::forget(ActorId dead) {
    const auto known = accepted_of_number_.find(dead.number);
    if (known != accepted_of_number_.end() && known->second->peer == dead)
        close(known->second->link, Pending::discarded);
    outside_->forget(dead);
}

// Lanes are never forgotten for others.
void LaneTransport::keep(Link link) {
    if (!is_lane(link)) outside_->keep(link);
}
void LaneTransport::hold(Link link) {
    if (!is_lane(link)) outside_->hold(link);
}
void LaneTransport::release(Link link) {
    if (!is_lane(link)) outside_->release(link);
}

// ---- frames ------------------------------------------------------------------------------------------

template <class Fill>
Transport::Sent LaneTransport::send_record(Link link, std::size_t bytes, const Fill& fill) {
    if (bytes > frame_bytes_max) return Sent::too_large;
    End* const end = find(link);
    if (end == nullptr) return Sent::gone;
    if (!end->is_openers && (end->lane->is_closed() || !member_->as.is_alive(end->peer))) return Sent::gone;
    std::byte* const room = end->writer.reserve(bytes);
    if (room == nullptr) {
        writing_bytes_ = bytes;
        return Sent::full;
    }
    fill(room);
    pass_crash_point(CrashPoint::ring_filled);
    end->writer.commit(bytes);
    if (end->writer.has_grown() && !std::exchange(end->has_grown, true)) grown_.push_back(end);
    pass_crash_point(CrashPoint::ring_written);
    if (end->is_openers) member_->ringer.ring_for_command(end->peer, member_->bells);
    else member_->ringer.ring_for(end->peer, wake::answers, member_->bells);
    return Sent::yes;
}

Transport::Sent LaneTransport::send(Link link, Outgoing frame) {
    if (!is_lane(link)) return outside_->send(link, frame);
    return send_record(link, frame.size(), [&frame](std::byte* room) {
        std::memcpy(room, frame.head.data(), frame.head.size());
        if (!frame.body.empty()) std::memcpy(room + frame.head.size(), frame.body.data(), frame.body.size());
    });
}

Transport::Sent LaneTransport::send_in_place(Link link, const Writing& frame) {
    if (!is_lane(link)) return outside_->send_in_place(link, frame);
    return send_record(link, frame.bytes, [&frame](std::byte* room) { frame.write(frame.what, room); });
}

// Its opener may use this side's page; answers go back as they always do.
std::uint64_t LaneTransport::protocol_of(Link link) const {
    const auto end = is_lane(link) ? opened_.find(link.index) : opened_.end();
    const BellPage* const page = end == opened_.end() ? nullptr : member_->bells.page_of(end->second->peer);
    return page == nullptr ? 0 : page->protocol.load(std::memory_order_acquire);
}

void LaneTransport::make_ready(End& end) {
    if (!std::exchange(end.is_ready, true)) ready_.push_back(&end);
}

void LaneTransport::gather_ready() {
    if (!member_ || member_->bell.page().ready.is_empty()) return;
    numbers_.clear();
    member_->bell.page().ready.take_all(numbers_);
    for (const std::uint32_t number : numbers_)
        if (End* const end = accepted_from_number(number); end != nullptr) make_ready(*end);
}

LaneTransport::Taken LaneTransport::take(End& end, std::string_view& frame) {
    if (end.is_broken) return Taken::none;
    Result<std::optional<std::string_view>> record = end.reader.peek();
    if (!record) {
        if (record.error().kind != ErrorKind::corrupt) return Taken::later;
        end.is_broken = true;
        frame = {};  // an empty frame does not parse, which drops the peer
        return Taken::yes;
    }
    if (!*record) return Taken::none;
    frame = **record;
    const bool wants_room = end.reader.release();
    pass_crash_point(CrashPoint::ring_taken);
    if (wants_room) member_->ringer.ring_for(end.peer, wake::room, member_->bells);
    return Taken::yes;
}

bool LaneTransport::receive(Link& from, std::string& frame) {
    std::string_view lying;
    if (!receive_where_it_lies(from, frame, lying)) return false;
    if (lying.data() != frame.data()) frame.assign(lying);
    return true;
}

bool LaneTransport::receive_where_it_lies(Link& from, std::string& own, std::string_view& frame) {
    const auto receive_outside = [&] {
        const bool is_there = outside_->receive(from, own);
        frame = own;
        return is_there;
    };
    if (taken_in_turn_ >= frames_per_turn) {
        taken_in_turn_ = 0;
        gather_ready();
        if (ready_.size() > 1) std::rotate(ready_.begin(), ready_.begin() + 1, ready_.end());
        if (receive_outside()) return true;
    }
    if (ready_.empty()) gather_ready();
    while (!ready_.empty()) {
        End& end = *ready_.front();
        const Taken taken = take(end, frame);
        if (taken == Taken::yes) {
            from = end.link;
            ++taken_in_turn_;
            return true;
        }
        if (taken == Taken::later) {  // it stays ready; the others have their turn
            std::rotate(ready_.begin(), ready_.begin() + 1, ready_.end());
            break;
        }
        end.is_ready = false;
        ready_.erase(ready_.begin());
        taken_in_turn_ = 0;
        if (ready_.empty()) gather_ready();
    }
    return receive_outside();
}

bool LaneTransport::receive_from(Link link, std::string& frame) {
    std::string_view lying;
    if (!receive_from_where_it_lies(link, frame, lying)) return false;
    if (lying.data() != frame.data()) frame.assign(lying);
    return true;
}

bool LaneTransport::receive_from_where_it_lies(Link link, std::string& own, std::string_view& frame) {
    if (!is_lane(link)) return outside_->receive_from_where_it_lies(link, own, frame);
    const auto found = opened_.find(link.index);
    return found != opened_.end() && take(*found->second, frame) == Taken::yes;
}

bool LaneTransport::may_deliver(const DeadPeer& dead, const std::function<Speaker(Link)>& who_speaks_over) {
    if (member_) {
        // What it has sent lies in the ring, whole, and nothing is added any more.
        if (End* const end = accepted_from(dead.id); end != nullptr) {
            if (end->reader.is_empty()) return false;
            make_ready(*end);
            return true;
        }
    }
    return outside_->may_deliver(dead, who_speaks_over);
}

// ---- waiting -----------------------------------------------------------------------------------------

Transport::Interest LaneTransport::outside_part(const Interest& interest) {
    outside_links_.clear();
    for (const Link link : interest.links)
        if (!is_lane(link)) outside_links_.push_back(link);
    return {interest.inbox, outside_links_, is_lane(interest.writable) ? Link{} : interest.writable, {}};
}

std::uint32_t LaneTransport::kinds_of(const Interest& interest) const noexcept {
    std::uint32_t kinds = 0;
    if (interest.inbox) kinds |= wake::commands;
    if (std::ranges::any_of(interest.links, is_lane)) kinds |= wake::answers;
    if (is_lane(interest.writable)) kinds |= wake::room;
    return kinds;
}

bool LaneTransport::has_news(const Interest& interest) {
    if (interest.inbox && (!ready_.empty() || !member_->bell.page().ready.is_empty())) return true;
    for (const Link link : interest.links) {
        if (!is_lane(link)) continue;
        const auto found = opened_.find(link.index);
        if (found != opened_.end() && !found->second->is_broken && !found->second->reader.is_empty()) return true;
    }
    if (!is_lane(interest.writable)) return false;
    End* const end = find(interest.writable);
    return end == nullptr || !end->writer.ask_for_room(writing_bytes_);
}

// Two that send each other something large in turn write between any two sleeps, and keep what they need for it. No
// timer looks after the others: who has gone to sleep for good with a ring that its reader had not emptied keeps the
// memory of that ring until something wakes it.
void LaneTransport::trim_quiet_rings() {
    std::erase_if(grown_, [](End* end) {
        const RingPlace before = std::exchange(end->at_last_sleep, end->writer.published());
        if (before == end->at_last_sleep) end->writer.trim();
        end->has_grown = end->writer.has_grown();
        return !end->has_grown;
    });
}

bool LaneTransport::is_ready_or_asleep(const Interest& interest) {
    if (has_news(interest)) return true;
    if (!grown_.empty()) trim_quiet_rings();
    member_->bell.fall_asleep(kinds_of(interest));
    return has_news(interest);
}

bool LaneTransport::would_wait_for(const Interest& interest, std::vector<int>& watched) {
    if (!member_) return outside_->would_wait_for(interest, watched);
    const bool is_ready = outside_->would_wait_for(outside_part(interest), watched);
    watched.insert(watched.end(), interest.descriptors.begin(), interest.descriptors.end());
    watched.push_back(member_->bell.descriptor());
    return is_ready_or_asleep(interest) || is_ready;
}

bool LaneTransport::wait(const Interest& interest, Duration at_most) {
    if (!member_) return outside_->wait(interest, at_most);
    const bool may_sleep = at_most > Duration::zero();
    const Instant start = may_sleep ? Spin::Clock::now() : Instant{};
    const bool may_be_brief = may_sleep && interest.may_be_brief && start < next_look_outside_;
    const auto has_lane_news = [&] { return has_news(interest); };
    if (may_be_brief && has_lane_news()) {
        member_->spin.note_wait(start, start);
        return false;
    }
    const Interest outside = outside_part(interest);
    polled_descriptors_.clear();
    const bool is_outside_ready = outside_->would_wait_for(outside, polled_descriptors_);
    if (!may_sleep || is_outside_ready) {
        at_most = Duration::zero();
    } else if (has_lane_news() || member_->spin.look(start, has_lane_news)) {
        if (may_be_brief) {
            member_->spin.note_wait(start, start);
            return false;
        }
        at_most = Duration::zero();
    } else if (is_ready_or_asleep(interest)) {
        at_most = Duration::zero();
    }
    const std::size_t outside_count = polled_descriptors_.size();
    std::vector<pollfd>& polled = polled_;
    polled.clear();
    for (const int descriptor : polled_descriptors_) polled.push_back({descriptor, POLLIN, 0});
    for (const int descriptor : interest.descriptors) polled.push_back({descriptor, POLLIN, 0});
    polled.push_back({member_->bell.descriptor(), POLLIN, 0});

    if (End* const end = is_lane(interest.writable) ? find(interest.writable) : nullptr;
        end != nullptr && end->writer.lacks_memory())
        at_most = std::min(at_most, memory_interval);
    const int count = poll_for(polled, at_most);
    const auto is_readable = [&](const pollfd& one) { return count > 0 && one.revents != 0; };
    member_->bell.wake_up(is_readable(polled.back()));
    if (may_sleep) {
        const Instant end = Spin::Clock::now();
        if (!is_outside_ready) member_->spin.note_wait(start, end);
        next_look_outside_ = end + outside_interval;
    }
    const auto behind_outside = polled.begin() + static_cast<std::ptrdiff_t>(outside_count);
    if (count < 0 || is_outside_ready || std::any_of(polled.begin(), behind_outside, is_readable))
        static_cast<void>(outside_->wait(outside, Duration::zero()));
    return std::any_of(behind_outside, polled.end() - 1, is_readable);
}

}  // namespace baton::detail
