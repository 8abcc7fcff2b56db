#pragma once
// Face: how the verbs of a pool fail, and of what it returns. As those of whom the pool belongs to: in an actor they
// return a Result, in a scenario the value itself, and throw ErrorException (<baton/member.hpp>).

#include <utility>

#include <baton/scenario.hpp>

namespace baton::detail::pool {

template <class Face>
Face face_of(const Verbs<Face>& owner);  // for its type alone

// A Context or a Scenario.
template <class T>
concept Owner = requires(T& owner) { face_of(owner); };

template <Owner T>
using FaceOf = decltype(face_of(std::declval<T&>()));

template <Owner T>
[[nodiscard]] Context& context_of(T& owner) {
    if constexpr (requires { owner.context(); }) return owner.context();
    else return owner;
}

}  // namespace baton::detail::pool
