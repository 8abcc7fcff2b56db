// expect: two commands of this protocol have the same name
#include <baton/context.hpp>

namespace left {
struct Turn {};
}
namespace right {
struct Turn {};
}
using Protocol = baton::Protocol<left::Turn, right::Turn>;

void turn(baton::Context& context, const baton::Ref<Protocol>& actor) { (void)context.send(actor, right::Turn{}); }
