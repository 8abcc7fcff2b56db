// expect: no viable constructor or deduction guide|class template argument deduction failed
#include <baton/scenario.hpp>
#include <baton/sync/condition.hpp>

void wait(baton::Scenario& scenario, baton::sync::Lock<baton::Context>& lock) {
    baton::sync::Condition condition{scenario, baton::sync::Address{}, lock};
}
