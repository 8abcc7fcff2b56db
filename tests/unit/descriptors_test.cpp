// Descriptors: whether as many as are wanted could be opened is known without opening them.
#include "runtime/transport/descriptors.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include <baton/limits.hpp>
#include "tests/catch.hpp"

using baton::ErrorKind;
using baton::detail::require_descriptors;

namespace {

// The soft limit of this process, as it was again when this ends.
class Limit {
public:
    explicit Limit(rlim_t descriptors) {
        REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
        rlimit fewer = before_;
        fewer.rlim_cur = descriptors;
        REQUIRE(::setrlimit(RLIMIT_NOFILE, &fewer) == 0);
    }
    Limit(const Limit&) = delete;
    Limit& operator=(const Limit&) = delete;
    ~Limit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

// All descriptors that there are left, without those that were given back.
class Taken {
public:
    Taken() {
        for (int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC); fd >= 0; fd = ::fcntl(fd, F_DUPFD_CLOEXEC, 0))
            all_.push_back(fd);
    }
    Taken(const Taken&) = delete;
    Taken& operator=(const Taken&) = delete;
    ~Taken() {
        for (const int fd : all_)
            if (fd >= 0) ::close(fd);
    }
    // Every third one, so that the free ones lie between those in use.
    void give_back(int count) {
        for (std::size_t index = 0; count > 0; index += 3, --count) {
            REQUIRE(index < all_.size());
            ::close(std::exchange(all_[index], -1));
        }
    }

private:
    std::vector<int> all_;
};

}  // namespace

TEST_CASE("descriptors are refused when fewer than the reserve would be left, and not before", "[unit][transport]") {
    const Limit limit{800};
    Taken taken;
    constexpr int reserve = baton::limits::descriptors_reserve;
    CHECK_FALSE(require_descriptors(1, "tried").ok());
    taken.give_back(reserve + 5);
    CHECK(require_descriptors(5, "tried").ok());
    const baton::Result<void> refused = require_descriptors(6, "it was tried");
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().kind == ErrorKind::overloaded);
    CHECK(refused.error().text.starts_with("it was tried: too few file descriptors are left"));
}

TEST_CASE("many free descriptors are counted beyond the first that are looked at", "[unit][transport]") {
    const Limit limit{800};
    CHECK(require_descriptors(600, "tried").ok());
    CHECK_FALSE(require_descriptors(800, "tried").ok());
}
