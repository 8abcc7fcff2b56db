#include "runtime/process/frame_text.hpp"

#include "tests/catch.hpp"
#include <string>
#include <vector>

using baton::detail::frames_to_show;
using baton::detail::is_frame_of_libraries;
using baton::detail::shortened_frame;
using Frames = std::vector<std::string>;

TEST_CASE("a function is the library's by its name, not by its result or its parameters", "[unit]") {
    for (const char* ours :
         {"baton::detail::SegmentBase::require_type(std::basic_string_view<char, std::char_traits<char> >, unsigned "
          "long) const",
          "std::span<double, 18446744073709551615ul> baton::detail::SegmentBase::elements<double>() const",
          "baton::(anonymous namespace)::refuse(std::string) (segment.cpp:20)",
          "decltype(auto) baton::detail::Decoding::at<int>()",
          "baton::Result<int>::value() &",
          "int std::__invoke_impl<int, Sum&>(std::__invoke_other, Sum&)",
          "std::_Function_handler<void (), main::{lambda()#1}>::_M_invoke(std::_Any_data const&)"})
        CHECK(is_frame_of_libraries(ours));
    for (const char* theirs :
         {"Tally::on(tally::Vote const&) (tally.cpp:12)",
          "baton_user::Actor::on(baton::Segment)",
          "baton::Result<int> Tally::count<baton::Segment>(baton::Segment&)",
          "(anonymous namespace)::Probe::on(probe::Throw const&)",
          "main::{lambda(baton::Context&)#1}::operator()(baton::Context&) const",
          "Sum::operator baton::Segment()",
          "Sum::operator<(baton::ActorId) const",
          "std::vector<int, std::allocator<int> >::at(unsigned long)",
          "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >::at(unsigned long)",
          "square",
          "",
          "broken<(",
          "operator"})
        CHECK_FALSE(is_frame_of_libraries(theirs));
}

TEST_CASE("of a stack an asker is shown the functions of the actor's author, innermost first", "[unit]") {
    const std::string refuse = "baton::(anonymous namespace)::refuse(std::string)";
    const std::string elements = "std::span<double> baton::detail::SegmentBase::elements<double>() const";
    const std::string sum = "sum_of(baton::Lease const&) (sum.cpp:7)";
    const std::string invoke = "double std::__invoke_impl<double>()";
    const std::string on = "Summer::on(Sum const&) (sum.cpp:12)";
    const std::string dispatch = "void baton::detail::call_on<Summer, Sum>(Summer&, Sum&&, baton::detail::AnswerSlot&)";
    const std::string outer = "main";

    CHECK(frames_to_show({refuse, elements, sum, invoke, on, dispatch, outer}, 3) == Frames{sum, on});
    CHECK(frames_to_show({refuse, elements, sum, on, dispatch, outer}, 1) == Frames{sum});

    SECTION("a handler that was inlined is named all the same") {
        CHECK(frames_to_show({refuse, elements, dispatch, outer}, 3) == Frames{"Summer::on(Sum)"});
        CHECK(frames_to_show({"void baton::detail::run_command<Cache<int, Key<2> >, cache::Put>(void*, "
                              "baton::detail::Incoming&) [clone .cold]"},
                             3) == Frames{"Cache<int, Key<2> >::on(cache::Put)"});
    }
    SECTION("where there is nothing else, the library's own are better than none") {
        CHECK(frames_to_show({refuse, elements}, 1) == Frames{refuse});
        CHECK(frames_to_show({refuse, "baton::detail::call_on"}, 3) == Frames{refuse});
        CHECK(frames_to_show({"baton::detail::call_on"}, 3) == Frames{"baton::detail::call_on"});
        CHECK(frames_to_show({}, 3).empty());
    }
}

TEST_CASE("a frame is written as its author would write it", "[unit]") {
    const std::string text = "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >";
    CHECK(shortened_frame("Book::on(" + text + ") [clone .cold] (book.cpp:3)") == "Book::on(std::string) (book.cpp:3)");
    CHECK(shortened_frame("f(int) [clone .part.0] [clone .cold]") == "f(int)");
    CHECK(shortened_frame("f(std::basic_string_view<char, std::char_traits<char> >)") == "f(std::string_view)");
    CHECK(shortened_frame("f(std::vector<" + text + ", std::allocator<" + text + " > > const&)") ==
          "f(std::vector<std::string> const&)");
    CHECK(shortened_frame("f(std::map<int, " + text + ", std::less<int>, std::allocator<std::pair<int const, " + text +
                          " > > >)") == "f(std::map<int, std::string>)");
    CHECK(shortened_frame("f(std::unique_ptr<A, std::default_delete<A> >)") == "f(std::unique_ptr<A>)");
    CHECK(shortened_frame("f(int), std::allocator<") == "f(int), std::allocator<");
    CHECK(shortened_frame("f [clone ") == "f");
}
