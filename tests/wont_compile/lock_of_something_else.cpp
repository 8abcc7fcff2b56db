// expect: no viable constructor or deduction guide|class template argument deduction failed
#include <baton/sync/lock.hpp>

struct Thread {};

void acquire(Thread& thread, const baton::sync::Address& address) { baton::sync::Lock lock{thread, address}; }
