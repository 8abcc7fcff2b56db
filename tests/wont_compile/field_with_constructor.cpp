// expect: a field of this type can't travel in a command
// A class guards its members with a constructor; only plain structs have fields that can be named.
#include "runtime/wire/convert.hpp"

class Counter {
public:
    explicit Counter(int start) : count_(start) {}

private:
    int count_;
};
struct Count {
    Counter counter;
};
void use(baton::Encoder& encoder) { baton::encode(encoder, Count{Counter{1}}); }
