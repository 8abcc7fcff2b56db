#pragma once
// LaneTransport: an inbox with two entrances. Members of the session that look at lanes are reached by lanes; everybody
// else, and this process until it has become a member, by the transport outside (ZeroMQ).
//
// It chooses once per link, when the link is opened, so that the order of a link never depends on two ways. A receiver
// takes from its lanes in turn, some frames from each, and from outside in between. One thread.

#include <poll.h>

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/lanes/bells.hpp"
#include "runtime/lanes/lane.hpp"
#include "runtime/lanes/spin.hpp"
#include "runtime/transport/transport.hpp"

namespace baton::detail {

class LaneTransport final : public Transport {
public:
    // `outside` outlives it.
    explicit LaneTransport(Transport& outside) : outside_(&outside) {}
    ~LaneTransport() override;

    struct Membership {
        std::string session_id;
        std::string folder;
        ActorId me;
        // False once the coordinator has begun to settle that member's death.
        std::function<bool(ActorId)> is_alive;
        // How long it looks at its lanes before it sleeps, at most.
        Duration spin = Spin::usual_bound;
        std::atomic<std::uint64_t>* spun = nullptr;  // see Spin
        // Whose commands it reads without names; 0: of none.
        std::uint64_t protocol = 0;
    };
    // From here on it can be reached by lanes, and reaches others by them. If this fails, everything stays outside.
    [[nodiscard]] Result<void> enter(Membership membership);

    [[nodiscard]] Result<void> bind(const std::string& address) override { return outside_->bind(address); }
    [[nodiscard]] Result<void> bind_again() override;
    [[nodiscard]] Result<Link> open(const std::string& address) override { return outside_->open(address); }
    [[nodiscard]] Result<Link> open_to(ActorId to, const std::string& address) override;
    [[nodiscard]] Result<Link> open_by_id(ActorId to) override;
    void close(Link link, Pending pending) override;
    void keep(Link link) override;
    void hold(Link link) override;
    void release(Link link) override;
    [[nodiscard]] Sent send(Link link, Outgoing frame) override;
    [[nodiscard]] Sent send_in_place(Link link, const Writing& frame) override;
    [[nodiscard]] std::uint64_t protocol_of(Link link) const override;
    [[nodiscard]] bool outlives_us(Link link) const override { return is_lane(link); }
    void forget(ActorId dead) override;
    [[nodiscard]] bool receive(Link& from, std::string& frame) override;
    [[nodiscard]] bool receive_where_it_lies(Link& from, std::string& own, std::string_view& frame) override;
    [[nodiscard]] bool receive_from(Link link, std::string& frame) override;
    [[nodiscard]] bool receive_from_where_it_lies(Link link, std::string& own, std::string_view& frame) override;
    [[nodiscard]] bool may_deliver(const DeadPeer& dead, const std::function<Speaker(Link)>& who_speaks_over) override;
    bool wait(const Interest& interest, Duration at_most) override;
    [[nodiscard]] bool would_wait_for(const Interest& interest, std::vector<int>& watched) override;

private:
    // One end of a lane: the ring that is written here, and the one that is read.
    struct End {
        End(Link own, ActorId other, std::unique_ptr<Lane> of, bool opens);
        Link link;
        ActorId peer;
        bool is_openers;  // we write commands and read answers
        std::unique_ptr<Lane> lane;
        RingWriter writer;
        RingReader reader;
        bool is_ready = false;  // stands in ready_
        bool is_broken = false;
        bool has_grown = false;  // stands in grown_
        RingPlace at_last_sleep;  // what had been written then
    };
    struct Member {
        Membership as;
        LaneBudget budget;
        Bells bells;
        OwnBell bell;
        Ringer ringer;
        Spin spin;
    };

    [[nodiscard]] static bool is_lane(Link link) noexcept { return (link.index & lane_bit) != 0; }
    [[nodiscard]] End* find(Link link) noexcept;
    [[nodiscard]] End* accepted_from(ActorId opener);
    [[nodiscard]] End* accepted_from_number(std::uint32_t number);
    [[nodiscard]] Link next_link() noexcept;
    void gather_ready();
    void make_ready(End& end);
    enum class Taken { yes, none, later };  // later: there is more, which cannot be mapped now
    // Before it sleeps: the memory of rings that are empty and have not been written since it last did.
    void trim_quiet_rings();
    // The next frame, where it lies.
    [[nodiscard]] Taken take(End& end, std::string_view& frame);
    // `fill` writes a record of that size into its room.
    template <class Fill>
    [[nodiscard]] Sent send_record(Link link, std::size_t bytes, const Fill& fill);
    // What has come, of all that the interest is in.
    [[nodiscard]] bool has_news(const Interest& interest);
    [[nodiscard]] std::uint32_t kinds_of(const Interest& interest) const noexcept;
    // Without what is ours, and without descriptors.
    [[nodiscard]] Interest outside_part(const Interest& interest);
    // Shortens `at_most` to zero if there is news; else says what we sleep for.
    [[nodiscard]] bool is_ready_or_asleep(const Interest& interest);

    static constexpr std::uint32_t lane_bit = std::uint32_t{1} << 31;
    // Taken from one lane before the next one has its turn, and between two looks outside.
    static constexpr std::size_t frames_per_turn = 64;

    Transport* outside_;
    std::optional<Member> member_;
    std::unordered_map<std::uint32_t, std::unique_ptr<End>> opened_;
    std::unordered_map<std::uint32_t, std::unique_ptr<End>> accepted_;
    std::unordered_map<std::uint32_t, End*> accepted_of_number_;
    std::uint32_t links_ = 0;
    std::vector<End*> ready_;         // accepted, which may hold frames; in turn
    std::vector<End*> grown_;         // whose writer may have memory to give back
    std::size_t taken_in_turn_ = 0;
    std::size_t writing_bytes_ = 0;   // of the frame that found its ring full
    Instant next_look_outside_{};     // before that a wait that may be brief need not look there
    std::vector<std::uint32_t> numbers_;
    std::vector<Link> outside_links_;
    std::vector<int> polled_descriptors_;
    std::vector<pollfd> polled_;
};

}  // namespace baton::detail
