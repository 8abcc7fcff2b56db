// expect: this command is not in the peer's protocol
#include <baton/testing.hpp>

struct Rinse {};
struct Fix {};
using Protocol = baton::Protocol<Rinse>;

void look(const baton::testing::Peer<Protocol>& peer) { (void)peer.received<Fix>(); }
