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
        baton::detail::Vitals::remove(id_);  // of a crashed process that had this pid
        vitals_.emplace(baton::detail::Vitals::create(id_).value());
    }
    TestVitals(const TestVitals&) = delete;
    TestVitals& operator=(const TestVitals&) = delete;
    ~TestVitals() { baton::detail::Vitals::remove(id_); }

    [[nodiscard]] const std::string& id() const { return id_; }
    baton::detail::Vitals& operator*() { return *vitals_; }
    baton::detail::Vitals* operator->() { return &*vitals_; }

    // A row for that life, and its writable view.
    baton::detail::OwnVitals own(baton::ActorId actor) {
        vitals_->prepare(actor).value();
        return baton::detail::OwnVitals::open(*vitals_, actor).value();
    }

private:
    static inline int count_ = 0;
    std::string id_;
    std::optional<baton::detail::Vitals> vitals_;
};

}  // namespace baton_test
