// expect: this command has no Reply: it can be sent, not asked
#include <baton/context.hpp>

struct Rinse {};
using Protocol = baton::Protocol<Rinse>;

void ask(baton::Context& context, const baton::Ref<Protocol>& actor) { (void)context.ask(actor, Rinse{}); }
