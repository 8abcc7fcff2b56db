// expect: no matching (member )?function for call to
#include <baton/context.hpp>
struct Node { Node* next; };
void make(baton::Context& context) { static_cast<void>(context.create_array<Node>({10})); }
