#pragma once
// ErrorBody: an Error as it travels.

#include <baton/limits.hpp>

#include <string>
#include <vector>

namespace baton::detail {

// The body of a message of kind `error`.
struct ErrorBody {
    std::string kind;  // as name_of(ErrorKind)
    std::string text;
    std::string type;
    std::vector<std::string> frames;
};

}  // namespace baton::detail
