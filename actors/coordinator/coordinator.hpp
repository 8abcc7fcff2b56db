#pragma once
// What one may say to the coordinator: the commands of runtime/wire/notices.hpp, asked and sent like those
// of any other actor. Its id is coordinator_id in every session.

#include <baton/ref.hpp>
#include "runtime/wire/notices.hpp"

namespace baton::detail::coordinator {

inline constexpr Ref<Protocol> address{coordinator_id};

}  // namespace baton::detail::coordinator
