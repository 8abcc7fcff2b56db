// expect: a command that carries segments is taken: peer.take<C>()
#include <baton/testing.hpp>

struct Develop {
    baton::Segment photo;
};
using Protocol = baton::Protocol<Develop>;

void look(const baton::testing::Peer<Protocol>& peer) { (void)peer.received<Develop>(); }
