// raw_memory: what handing over memory is measured against, written by hand with POSIX calls, cppzmq and msgpack-cxx.
//
//   raw_memory names  --bytes B --count N   a pooled, pre-faulted shared object; its name goes by ZeroMQ and comes back
//   raw_memory bytes  --bytes B --count N   the bytes themselves go by ZeroMQ, not copied by the sender
//   raw_memory fresh  --bytes B --count N   a shared object made, each page touched, and unlinked
//   raw_memory unlink --bytes B --count N   N shared objects unlinked
//   raw_memory swap   --processes P --count N   compare-and-swaps of a word, in each process its own
//
// names and bytes are two processes: the giver connects a DEALER on ipc, the receiver binds a ROUTER. A message says
// when it was given (CLOCK_MONOTONIC) and what the words hold; the receiver looks at the clock when it may read, adds
// them up, and answers with the name. One at a time. The result is one line of JSON. Knows nothing of Baton's code.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <map>

#include "bench/at_once.hpp"
#include "bench/raw_parts.hpp"
#include "bench/touch.hpp"

using namespace raw;

namespace {

struct Given {
    std::string name;  // of the shared object; empty: the bytes are the next part of the message
    std::uint64_t value = 0;
    std::int64_t given_at = 0;
    MSGPACK_DEFINE_MAP(name, value, given_at)
};

void require(bool is_fine, const char* what) {
    if (!is_fine) throw std::system_error(errno, std::generic_category(), what);
}

class SharedBytes {
public:
    enum class As { made, found };
    SharedBytes(std::string name, std::size_t bytes, As as) : name_(std::move(name)), bytes_(bytes) {
        const int descriptor = ::shm_open(name_.c_str(), as == As::made ? O_RDWR | O_CREAT | O_EXCL : O_RDWR, 0600);
        require(descriptor >= 0, "shm_open");
        if (as == As::made) require(::ftruncate(descriptor, static_cast<off_t>(bytes)) == 0, "ftruncate");
        memory_ = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
        ::close(descriptor);
        require(memory_ != MAP_FAILED, "mmap");
        is_mine_ = as == As::made;
    }
    SharedBytes(const SharedBytes&) = delete;
    SharedBytes& operator=(const SharedBytes&) = delete;
    ~SharedBytes() {
        ::munmap(memory_, bytes_);
        if (is_mine_) ::shm_unlink(name_.c_str());
    }
    [[nodiscard]] std::span<std::uint64_t> words() {
        return {static_cast<std::uint64_t*>(memory_), bytes_ / sizeof(std::uint64_t)};
    }
    [[nodiscard]] const std::string& name() const { return name_; }
    void touch() {
        for (std::size_t at = 0; at < bytes_; at += bench::page_bytes)
            static_cast<volatile std::byte*>(memory_)[at] = std::byte{1};
    }

private:
    std::string name_;
    std::size_t bytes_;
    void* memory_ = nullptr;
    bool is_mine_ = false;
};

std::string unique_name(std::size_t index) {
    return "/raw-memory-" + std::to_string(::getpid()) + "-" + std::to_string(index);
}

// The receiver. Its last answer is what it measured.
void take(const std::string& endpoint, std::size_t bytes, std::size_t warm_up, std::size_t count) {
    zmq::context_t context;
    zmq::socket_t router = make_socket(context, zmq::socket_type::router);
    router.bind(endpoint);
    MsgpackCodec codec;
    zmq::message_t sender, message, body;
    std::map<std::string, SharedBytes> known;
    std::vector<double> microseconds;
    microseconds.reserve(count);
    for (std::size_t index = 0; index < warm_up + count; ++index) {
        receive(router, sender);
        receive(router, message);
        const Given given = codec.decode<Given>(message);
        std::span<const std::uint64_t> words;
        if (given.name.empty()) {
            receive(router, body);
            words = {body.data<std::uint64_t>(), body.size() / sizeof(std::uint64_t)};
        } else {
            auto found = known.find(given.name);
            if (found == known.end())
                found = known.try_emplace(given.name, given.name, bytes, SharedBytes::As::found).first;
            words = found->second.words();
        }
        if (index >= warm_up) microseconds.push_back(bench::microseconds_since(given.given_at));
        else static_cast<void>(bench::microseconds_since(given.given_at));
        if (bench::sum(words) != bench::sum_of_filled(words, given.value)) throw std::runtime_error("other words came");
        send(router, std::move(sender), zmq::send_flags::sndmore);
        send(router, codec.encode(given.name));
    }
    receive(router, sender);
    receive(router, message);
    send(router, std::move(sender), zmq::send_flags::sndmore);
    send(router, codec.encode(microseconds));
}

void give(std::size_t bytes, std::size_t warm_up, std::size_t count, bool by_name) {
    const Folder folder;
    Child receiver{{"take", "--endpoint", folder.endpoint(), "--bytes", std::to_string(bytes), "--count",
                    std::to_string(count),
                    "--warm-up", std::to_string(warm_up)}};
    zmq::context_t context;
    zmq::socket_t dealer = make_socket(context, zmq::socket_type::dealer);
    dealer.connect(folder.endpoint());
    MsgpackCodec codec;
    zmq::message_t answer;
    SharedBytes object{unique_name(0), bytes, SharedBytes::As::made};
    object.touch();
    std::map<std::string, SharedBytes*> pool{{object.name(), &object}};
    for (std::size_t index = 0; index < warm_up + count; ++index) {
        SharedBytes& one = *pool.begin()->second;
        pool.erase(pool.begin());
        bench::fill(one.words(), index);
        const Given given{by_name ? one.name() : "", index, bench::nanoseconds_now()};
        send(dealer, codec.encode(given), by_name ? zmq::send_flags::none : zmq::send_flags::sndmore);
        // Not copied here: it is filled anew only after the answer.
        if (!by_name) send(dealer, zmq::message_t{one.words().data(), bytes, [](void*, void*) {}, nullptr});
        receive(dealer, answer);
        const std::string back = codec.decode<std::string>(answer);
        pool.emplace(one.name(), &one);
        if (by_name && back != one.name()) throw std::runtime_error("another name came back");
    }
    send(dealer, codec.encode(0));
    receive(dealer, answer);
    bench::print_microseconds(codec.decode<std::vector<double>>(answer));
    receiver.wait();
}

void fresh(std::size_t bytes, std::size_t count) {
    std::vector<double> microseconds;
    for (std::size_t index = 0; index < count; ++index) {
        const std::int64_t start = bench::nanoseconds_now();
        SharedBytes{unique_name(index), bytes, SharedBytes::As::made}.touch();
        microseconds.push_back(bench::microseconds_since(start));
    }
    bench::print_microseconds(std::move(microseconds));
}

void unlink(std::size_t bytes, std::size_t count) {
    for (std::size_t index = 0; index < count; ++index) {
        const int descriptor = ::shm_open(unique_name(index).c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
        require(descriptor >= 0 && ::posix_fallocate(descriptor, 0, static_cast<off_t>(bytes)) == 0, "shm_open");
        ::close(descriptor);
    }
    const std::int64_t start = bench::nanoseconds_now();
    for (std::size_t index = 0; index < count; ++index) ::shm_unlink(unique_name(index).c_str());
    std::printf("{\"settled_ms\":%.3f,\"count\":%zu}\n", bench::microseconds_since(start) / 1000, count);
}

// Each process its own word, on a cache line of its own.
void swap(std::size_t processes, std::size_t count) {
    struct alignas(64) Word {
        std::atomic<std::uint64_t> word;
    };
    void* memory = ::mmap(nullptr, bench::page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    require(memory != MAP_FAILED, "mmap");
    auto* words = static_cast<Word*>(memory);
    const double per_second = bench::rate_of(processes, count, [&](std::size_t process) {
        std::atomic<std::uint64_t>& word = words[process].word;
        for (std::uint64_t value = 0; value < count; ++value) {
            std::uint64_t expected = value;
            if (!word.compare_exchange_strong(expected, value + 1)) throw std::runtime_error("somebody else was here");
        }
    });
    std::printf("{\"transitions_per_second\":%.0f,\"count\":%zu}\n", per_second, count);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"What handing over memory is measured against."};
    std::string mode, endpoint;
    std::size_t bytes = 1 << 20, count = 100, warm_up = 0, processes = 1;
    app.add_option("mode", mode)->required()->check(CLI::IsMember({"names", "bytes", "fresh", "unlink", "swap",
                                                                   "take"}));
    app.add_option("--bytes", bytes, "of one block of memory");
    app.add_option("--count", count, "how many are measured");
    app.add_option("--warm-up", warm_up, "names, bytes: how many run before those that are measured");
    app.add_option("--processes", processes, "swap: how many at once");
    app.add_option("--endpoint", endpoint, "only from a giver to its receiver");
    CLI11_PARSE(app, argc, argv);
    try {
        if (mode == "names" || mode == "bytes") give(bytes, warm_up, count, mode == "names");
        if (mode == "fresh") fresh(bytes, count);
        if (mode == "unlink") unlink(bytes, count);
        if (mode == "swap") swap(processes, count);
        if (mode == "take") {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // it does not outlive a giver that was killed
            take(endpoint, bytes, warm_up, count);
        }
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "raw_memory: %s\n", error.what());
        return 1;
    }
}
