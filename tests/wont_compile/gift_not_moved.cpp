// expect: is moved, not copied
#include <baton/context.hpp>
struct Develop { baton::Segment photo; };
using Darkroom = baton::Protocol<Develop>;
void give(baton::Context& context, baton::Ref<Darkroom> to, Develop& command) {
    static_cast<void>(context.send(to, command));
}
