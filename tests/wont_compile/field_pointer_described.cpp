// expect: Show.*number
// The description of a protocol names what each field is; a pointer is nothing that it could name.
#include <baton/detail/description.hpp>

struct Show {
    int* number;
};
void use() { static_cast<void>(baton::detail::describe_type<Show>()); }
