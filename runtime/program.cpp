#include <baton/program.hpp>

#include "runtime/base/say.hpp"
#include "runtime/process/birth.hpp"
#include "runtime/process/output.hpp"
#include "runtime/process/usable_cores.hpp"

namespace baton {

static_assert(program::exit_output_lost == detail::exit_output_lost);
static_assert(program::exit_reader_gone == detail::exit_reader_gone);

void program::begin() noexcept { detail::take_over_birth(detail::Birth::program); }
void program::begin_library() noexcept { detail::take_over_for_library(); }

void program::print(std::string_view text) noexcept { detail::print_output(text); }
int program::end(std::string_view program, int code) noexcept { return detail::code_with_output(program, code); }

void program::say(std::string_view text) noexcept { detail::say(text); }
void program::say_nothing() noexcept { detail::say_nothing(); }

std::size_t program::usable_cores() { return detail::usable_cores(); }

}  // namespace baton
