// expect: this command carries no segment, lease or slice, so it never comes back
#include "runtime/scenario.hpp"

struct Rinse {
    int seconds = 0;
};

void wait(baton::Scenario& scenario) { (void)scenario.collect_bounced<Rinse>({}); }
