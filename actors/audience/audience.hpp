#pragma once
// What one may say to an audience, which listens to what actors say. Scenarios are audiences.

#include <string>

#include <baton/protocol.hpp>

namespace audience {

struct Said {
    std::string line;  // "[Alice]  Got it."
};

using Protocol = baton::Protocol<Said>;

}  // namespace audience
