#pragma once
// Entrances: opens the second entrance of a member's inbox, its lanes, once it has joined. One thread, the member's.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include <baton/log.hpp>
#include <baton/ref.hpp>
#include "runtime/holdings/holdings.hpp"
#include "runtime/lanes/lane_transport.hpp"

namespace baton::detail {

struct Joined {
    std::string session_id;
    std::string folder;
    ActorId me;
    std::atomic<std::uint64_t>* spun = nullptr;  // where the time that it spins is counted; outlives the transport
    std::uint64_t protocol = 0;  // whose commands it reads without names; 0: of none
};

// Unless BATON_LANES is "off". If it fails, which is logged, all its messages go by ZeroMQ, as they do without.
void open_lanes(LaneTransport& transport, Log& log, const Joined& joined, const std::shared_ptr<Holdings>& holdings);

}  // namespace baton::detail
