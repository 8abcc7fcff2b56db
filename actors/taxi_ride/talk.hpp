#pragma once
// Talk: one end of the channel, and the memory of what was said and heard there.

#include <chrono>

#include <baton/sync/channel.hpp>
#include "actors/taxi_ride/taxi_ride.hpp"

namespace taxi_ride {

class Talk {
public:
    Talk(baton::Context& context, const baton::sync::Address& end) : end_(context, end) {}

    void send(const std::string& message) {
        remember("SEND", message);
        end_.send(message, std::chrono::seconds{5}).value();
    }
    void receive() { remember("GET", end_.receive(std::chrono::seconds{30}).value()); }
    // True if there is something to receive, or will be by then. False if the other end is closed.
    [[nodiscard]] bool poll(baton::Within within) {
        const auto is_there = end_.poll(within);
        return is_there && *is_there;
    }
    void close() { end_.close().value(); }
    [[nodiscard]] std::vector<Memory> memories() const { return memories_; }

private:
    void remember(std::string action, std::string message) {
        memories_.push_back({std::chrono::system_clock::now(), std::move(action), std::move(message)});
    }

    baton::sync::Channel<std::string> end_;
    std::vector<Memory> memories_;
};

}  // namespace taxi_ride
