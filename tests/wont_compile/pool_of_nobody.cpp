// expect: Pool'|class template argument deduction failed
#include <baton/pool.hpp>
struct Nobody {};
void begin(Nobody& nobody) {
    baton::pool::Pool pool{nobody, {.program = "my_worker"}};
}
