// Which connections an inbox remembers: by routes and descriptors alone, without a socket.
#include "runtime/transport/accepted_links.hpp"

#include "tests/catch.hpp"

using namespace baton;
using namespace baton::detail;

namespace {

// As ZeroMQ makes them, in the order of the connections.
std::string route(std::uint32_t number) {
    std::string text(1, '\0');
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(number >> shift & 0xFF);
    return text;
}

Link speak(AcceptedLinks& links, std::uint32_t number, int descriptor) {
    return links.link_of(route(number), [descriptor] { return descriptor; });
}

bool is_known(AcceptedLinks& links, Link link) { return links.route_of(link) != nullptr; }

}  // namespace

TEST_CASE("beyond the bound the least recently used connection is forgotten", "[transport]") {
    AcceptedLinks links{3};
    const Link first = speak(links, 1, 11);
    const Link second = speak(links, 2, 12);
    const Link third = speak(links, 3, 13);
    CHECK(speak(links, 1, 11) == first);
    const Link fourth = speak(links, 4, 14);
    CHECK_FALSE(is_known(links, second));
    for (const Link link : {first, third, fourth}) CHECK(is_known(links, link));
    CHECK(links.size() == 3);
    CHECK(speak(links, 2, 12) != second);  // a stranger by now
}

TEST_CASE("an answer sent over a connection is a use of it", "[transport]") {
    AcceptedLinks links{2};
    const Link first = speak(links, 1, 11);
    const Link second = speak(links, 2, 12);
    CHECK(is_known(links, first));  // as a send does
    static_cast<void>(speak(links, 3, 13));
    CHECK_FALSE(is_known(links, second));
    CHECK(is_known(links, first));
}

TEST_CASE("what is held or kept is not forgotten, until it is let go", "[transport]") {
    AcceptedLinks links{3};
    const Link held = speak(links, 1, 11);
    links.hold(held);
    links.hold(held);
    const Link kept = speak(links, 2, 12);
    links.keep(kept);
    for (std::uint32_t number = 3; number < 20; ++number)
        static_cast<void>(speak(links, number, static_cast<int>(number) + 10));
    CHECK(is_known(links, held));
    CHECK(is_known(links, kept));
    CHECK(links.size() == 3);
    links.release(held);
    static_cast<void>(speak(links, 20, 30));
    CHECK(is_known(links, held));
    links.release(held);
    for (std::uint32_t number = 21; number < 24; ++number)
        static_cast<void>(speak(links, number, static_cast<int>(number) + 10));
    CHECK_FALSE(is_known(links, held));
}

TEST_CASE("connections that have ended are forgotten first, also those that are owed an answer", "[transport]") {
    AcceptedLinks links{3};
    const Link ended = speak(links, 1, 11);
    links.hold(ended);
    const Link old = speak(links, 2, 12);
    const Link next = speak(links, 3, 11);  // over the descriptor of the first, which must have ended
    CHECK(is_known(links, ended));
    static_cast<void>(speak(links, 4, 14));
    CHECK_FALSE(is_known(links, ended));
    CHECK(is_known(links, old));
    CHECK(is_known(links, next));
}

TEST_CASE("of two over one descriptor the one that connected first has ended, whichever is heard first",
          "[transport]") {
    AcceptedLinks links{2};
    const Link living = speak(links, 0xFFFFFFFF + 7U, 11);  // numbers go round
    links.hold(living);
    const Link dead = speak(links, 0xFFFFFFFF, 11);
    static_cast<void>(speak(links, 8, 12));
    CHECK(is_known(links, living));
    CHECK_FALSE(is_known(links, dead));
}

TEST_CASE("a route that somebody has chosen for himself says nothing of ends", "[transport]") {
    AcceptedLinks links{8};
    const Link one = links.link_of("Ada", [] { return 11; });
    const Link other = links.link_of("Bob", [] { return 11; });
    const Link third = links.link_of("Eve", [] { return -1; });
    CHECK(one != other);
    for (const Link link : {one, other, third}) CHECK(is_known(links, link));
    links.forget(one);
    CHECK_FALSE(is_known(links, one));
    CHECK(links.link_of("Ada", [] { return 12; }) != one);
}

TEST_CASE("where everything is held nothing is forgotten", "[transport]") {
    AcceptedLinks links{2};
    for (std::uint32_t number = 1; number <= 5; ++number) links.hold(speak(links, number, static_cast<int>(number)));
    CHECK(links.size() == 5);
}
