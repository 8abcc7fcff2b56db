// expect: deleted
#include <baton/pool.hpp>
baton::pool::Task<int> copy(const baton::pool::Task<int>& task) { return task; }
