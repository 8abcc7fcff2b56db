// expect: constraint
#include <baton/sync/joinable_queue.hpp>

struct Photo {
    baton::Segment pixels;
};
baton::sync::JoinableQueue<Photo>* queue = nullptr;
