// expect: can't travel in a command|cannot_travel_in_a_command
#include <baton/context.hpp>
struct Take { baton::Loan all; };
using Taker = baton::Protocol<Take>;
void give(baton::Context& context, baton::Ref<Taker> to, Take&& command) {
    static_cast<void>(context.send(to, std::move(command)));
}
