// expect: this command is not in the receiver's protocol
#include <baton/context.hpp>

struct Known {};
struct Unknown {};
using Protocol = baton::Protocol<Known>;

void tell(baton::Context& context, const baton::Ref<Protocol>& actor) { (void)context.send(actor, Unknown{}); }
