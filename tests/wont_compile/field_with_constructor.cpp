// expect: Count.*counter
// A class guards its members with a constructor; only plain structs have fields that can be named.
#include <baton/detail/convert.hpp>

class Counter {
public:
    explicit Counter(int start) : count_(start) {}

private:
    int count_;
};
struct Count {
    Counter counter;
};
void use(baton::detail::Encoder& encoder) { baton::detail::encode(encoder, Count{Counter{1}}); }
