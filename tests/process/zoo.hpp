#pragma once
// Zoo: one program of two actors. A warden starts lions and asks them, and answers for one of them when its reply
// comes.

#include <baton/protocol.hpp>
#include <baton/ref.hpp>
#include <baton/time.hpp>

namespace lion {

struct Feed {
    std::int64_t meat = 0;
    using Reply = void;  // refused without meat
};
struct Eaten {
    using Reply = std::int64_t;
};
struct Sleep {  // until somebody ends it
    using Reply = void;
};
using Protocol = baton::Protocol<Feed, Eaten, Sleep>;
using Address = baton::Ref<Protocol>;

}  // namespace lion

namespace warden {

struct Visit {  // starts `lions` lions, feeds them, asks them and stops them: what they have eaten
    std::int64_t lions = 0;
    std::int64_t meat = 0;
    using Reply = std::int64_t;
};
struct AskFor {  // answered when the lion answers, or with why it does not
    lion::Address lion;
    baton::Duration timeout{};
    using Reply = std::int64_t;
};
struct WaitFor {  // the same of Sleep
    lion::Address lion;
    baton::Duration timeout{};
    using Reply = void;
};
struct RingIn {  // sends itself Ring after that time
    baton::Duration delay{};
    using Reply = void;
};
struct Ring {};
struct Rung {
    using Reply = std::int64_t;
};
using Protocol = baton::Protocol<Visit, AskFor, WaitFor, RingIn, Ring, Rung>;

}  // namespace warden
