// expect: use of deleted function|call to implicitly-deleted copy
// A transport owns its sockets; a second owner would close them twice.
#include "runtime/transport/zmq_transport.hpp"

void use(baton::detail::ZmqTransport& transport) { baton::detail::ZmqTransport copy{transport}; }
