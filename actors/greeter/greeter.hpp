#pragma once
// What one may say to a greeter.

#include <string>

#include <baton/protocol.hpp>

namespace greeter {

struct Greet {
    std::string name;
    using Reply = std::string;
};

using Protocol = baton::Protocol<Greet>;

}  // namespace greeter
