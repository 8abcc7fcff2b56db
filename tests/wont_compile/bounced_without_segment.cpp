// expect: this command carries no segment, lease or slice, so it never comes back
#include <baton/scenario.hpp>

struct Rinse {
    int seconds = 0;
};

void wait(baton::Scenario& scenario) { (void)scenario.collect_bounced<Rinse>({}); }
