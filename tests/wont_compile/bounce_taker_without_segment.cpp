// expect: this command carries no segment, lease or slice, so it never comes back
#include <baton/context.hpp>

struct Rinse {
    int seconds = 0;
};

void take(baton::Context& context) {
    context.on_bounced([](baton::Bounced<Rinse>) {});
}
