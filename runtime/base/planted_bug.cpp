#include "runtime/base/planted_bug.hpp"

#ifdef BATON_CRASH_POINTS

namespace baton::detail {
namespace {

PlantedBug planted_ = PlantedBug::none;

}  // namespace

bool is_planted(PlantedBug bug) noexcept { return planted_ == bug; }
void plant(PlantedBug bug) noexcept { planted_ = bug; }

}  // namespace baton::detail

#endif
