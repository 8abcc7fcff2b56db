#pragma once
// The vitals of a session that only one test knows, removed with it.

#include <unistd.h>

#include <string>

#include "runtime/vitals/vitals.hpp"
#include "tests/catch.hpp"

namespace baton_test {

class TestVitals {
public:
    TestVitals() : id_("test-" + std::to_string(::getpid()) + "-" + std::to_string(++count_)) {
        baton::Vitals::remove(id_);  // of a crashed process that had this pid
        vitals_.emplace(baton::Vitals::create(id_).value());
    }
    TestVitals(const TestVitals&) = delete;
    TestVitals& operator=(const TestVitals&) = delete;
    ~TestVitals() { baton::Vitals::remove(id_); }

    [[nodiscard]] const std::string& id() const { return id_; }
    baton::Vitals& operator*() { return *vitals_; }
    baton::Vitals* operator->() { return &*vitals_; }

    // A row for that life, and its writable view.
    baton::OwnVitals own(baton::ActorId actor) {
        vitals_->prepare(actor).value();
        return baton::OwnVitals::open(*vitals_, actor).value();
    }

private:
    static inline int count_ = 0;
    std::string id_;
    std::optional<baton::Vitals> vitals_;
};

}  // namespace baton_test
