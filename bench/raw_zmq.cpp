// raw_zmq: what Baton is measured against: the same socket pattern written by hand with cppzmq and msgpack-cxx.
//
//   raw_zmq round-trip    --count N [--bytes]   one message there, one answer back, one at a time
//   raw_zmq one-way       --count N [--bytes]   N messages, then one answer with the sum of what they held
//   raw_zmq one-way       --count N --block-bytes B      the same with blocks instead of samples
//   raw_zmq many-to-one   --count N --senders S          N messages of S senders to one receiver
//   raw_zmq round-trip    --count N --pause-ms P         with so much quiet time before each
//   raw_zmq spawn-connect --count N             N processes started at once, each heard and answered once
//
// The receiver binds a ROUTER on ipc, the sender connects a DEALER; each is a process of its own. A message is one
// ZeroMQ message: eight doubles as a msgpack map with field names, or with --bytes their 64 raw bytes, or with
// --block-bytes a map of an index and that number of bytes. The result is one line of JSON. Knows nothing of Baton's
// code.

#include <sys/prctl.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <set>
#include <string_view>
#include <thread>

#include "bench/raw_parts.hpp"
#include "bench/usage.hpp"

using namespace raw;

namespace {

constexpr std::size_t warm_up_count_max = 10'000;

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

struct Sample {
    double a, b, c, d, e, f, g, h;
    MSGPACK_DEFINE_MAP(a, b, c, d, e, f, g, h)
};

struct Block {
    std::uint64_t index = 0;
    std::vector<unsigned char> bytes;
    MSGPACK_DEFINE_MAP(index, bytes)
};

double sum_of(const Sample& s) { return s.a + s.b + s.c + s.d + s.e + s.f + s.g + s.h; }
double sum_of(const Block& block) { return static_cast<double>(block.index); }

// Makes one message after the other; a block's bytes are made once.
template <class Message>
class Source;

template <>
class Source<Sample> {
public:
    explicit Source(std::size_t) {}
    Sample operator()(std::size_t i) const {
        const double x = static_cast<double>(i) + 0.5;  // whole numbers would be packed as ints, in fewer bytes
        return {x, x + 1, x + 2, x + 3, x + 4, x + 5, x + 6, x + 7};
    }
};

template <>
class Source<Block> {
public:
    explicit Source(std::size_t block_bytes) : block_{0, std::vector<unsigned char>(block_bytes, 7)} {}
    const Block& operator()(std::size_t i) {
        block_.index = i;
        return block_;
    }

private:
    Block block_;
};

class BytesCodec {
public:
    template <class T>
    zmq::message_t encode(const T& value) {
        return {&value, sizeof value};
    }

    template <class T>
    T decode(const zmq::message_t& message) {
        if (message.size() != sizeof(T)) throw std::runtime_error("a message of the wrong size");
        T value;
        std::memcpy(&value, message.data(), sizeof value);
        return value;
    }
};

// The receiving side: answers with the sum of what has come since the last answer, either each message, or
// the last of the warm-up and the last of all.
template <class Codec, class Message>
void serve(const std::string& endpoint, std::size_t warm_up_count, std::size_t count, bool is_round_trip) {
    zmq::context_t context;
    zmq::socket_t router = make_socket(context, zmq::socket_type::router);
    router.bind(endpoint);
    Codec codec;
    zmq::message_t sender;
    zmq::message_t message;
    double sum = 0;
    for (std::size_t i = 1; i <= warm_up_count + count; ++i) {
        receive(router, sender);
        receive(router, message);
        sum += sum_of(codec.template decode<Message>(message));
        if (is_round_trip || i == warm_up_count || i == warm_up_count + count) {
            send(router, std::move(sender), zmq::send_flags::sndmore);
            send(router, codec.encode(std::exchange(sum, 0)));
        }
    }
    if (is_round_trip) return;
    receive(router, sender);  // until its usage has been read
    receive(router, message);
}

// The sending side, with `serve` in a process of its own.
template <class Codec, class Message>
class Sender {
public:
    Sender(std::size_t count, std::size_t block_bytes, std::vector<std::string> serve_arguments)
        : source_(block_bytes),
          warm_up_count_(std::min(count, warm_up_count_max)),
          receiver_([&] {
              serve_arguments.insert(serve_arguments.end(), {"--count", std::to_string(count), "--warm-up",
                                                             std::to_string(warm_up_count_), "--endpoint",
                                                             folder_.endpoint()});
              return Child{std::move(serve_arguments)};
          }()),
          dealer_(make_socket(context_, zmq::socket_type::dealer)) {
        dealer_.connect(folder_.endpoint());
    }

    // What the message adds to the sum.
    double send_one(std::size_t i) {
        const auto& message = source_(i);
        send(dealer_, codec_.encode(message));
        return sum_of(message);
    }
    double receive_sum() {
        receive(dealer_, message_);
        return codec_.template decode<double>(message_);
    }
    [[nodiscard]] std::size_t warm_up_count() const { return warm_up_count_; }
    [[nodiscard]] std::vector<pid_t> processes() const { return {::getpid(), receiver_.pid()}; }
    void say_goodbye() { send(dealer_, zmq::message_t{}); }
    void finish() { receiver_.wait(); }

private:
    Folder folder_;
    Source<Message> source_;
    std::size_t warm_up_count_;
    Child receiver_;
    zmq::context_t context_;
    zmq::socket_t dealer_;
    Codec codec_;
    zmq::message_t message_;
};

void check_sum(double sum, double expected) {
    if (sum != expected) throw std::runtime_error("a wrong sum came back");
}

template <class Codec, class Message>
void measure_round_trip(std::size_t count, std::size_t block_bytes, std::chrono::milliseconds pause,
                        const std::vector<std::string>& serve_arguments) {
    Sender<Codec, Message> sender{count, block_bytes, serve_arguments};
    const auto round_trip = [&](std::size_t i) {
        const double expected = sender.send_one(i);
        check_sum(sender.receive_sum(), expected);
    };
    for (std::size_t i = 0; i < sender.warm_up_count(); ++i) round_trip(i);
    std::vector<double> microseconds(count);
    for (std::size_t i = 0; i < count; ++i) {
        if (pause.count() > 0) std::this_thread::sleep_for(pause);
        const auto start = Clock::now();
        round_trip(i);
        microseconds[i] = std::chrono::duration<double, std::micro>(Clock::now() - start).count();
    }
    sender.finish();
    std::sort(microseconds.begin(), microseconds.end());
    std::printf("{\"median_us\":%.2f,\"p99_us\":%.2f,\"count\":%zu}\n", microseconds[count / 2],
                microseconds[count * 99 / 100], count);
}

template <class Codec, class Message>
void measure_one_way(std::size_t count, std::size_t block_bytes, const std::vector<std::string>& serve_arguments) {
    Sender<Codec, Message> sender{count, block_bytes, serve_arguments};
    const auto send_all = [&](std::size_t messages) {
        double expected = 0;
        for (std::size_t i = 0; i < messages; ++i) expected += sender.send_one(i % 1000);
        check_sum(sender.receive_sum(), expected);
    };
    send_all(sender.warm_up_count());
    const bench::Usage before = bench::usage_of(sender.processes());
    const auto start = Clock::now();
    send_all(count);
    const std::chrono::duration<double> seconds = Clock::now() - start;
    bench::print_one_way(static_cast<double>(count), seconds.count(), before, bench::usage_of(sender.processes()));
    sender.say_goodbye();
    sender.finish();
}

// What each of several senders does: its warm-up, and all it has once it is told to.
template <class Codec, class Message>
void send_when_told(const std::string& endpoint, std::size_t warm_up_count, std::size_t count,
                    std::size_t block_bytes) {
    zmq::context_t context;
    zmq::socket_t dealer = make_socket(context, zmq::socket_type::dealer);
    dealer.connect(endpoint);
    Codec codec;
    Source<Message> source{block_bytes};
    zmq::message_t told;
    for (const std::size_t messages : {warm_up_count, count}) {
        for (std::size_t i = 0; i < messages; ++i) send(dealer, codec.encode(source(i % 1000)));
        receive(dealer, told);
    }
}

template <class Codec, class Message>
void measure_many_to_one(std::size_t senders, std::size_t count, std::size_t block_bytes,
                         const std::vector<std::string>& send_arguments) {
    const Folder folder;
    zmq::context_t context;
    zmq::socket_t router = make_socket(context, zmq::socket_type::router);
    router.bind(folder.endpoint());
    const std::size_t each = std::max<std::size_t>(count / senders, 1);
    const std::size_t warm_up_count = std::min(each, warm_up_count_max);
    std::vector<std::string> arguments = send_arguments;
    arguments.insert(arguments.end(), {"--count", std::to_string(each), "--warm-up", std::to_string(warm_up_count),
                                       "--endpoint", folder.endpoint()});
    std::vector<Child> children;
    while (children.size() < senders) children.push_back(Child{arguments});

    Codec codec;
    Source<Message> source{block_bytes};
    std::set<std::string> routes;
    zmq::message_t sender;
    zmq::message_t message;
    const auto receive_all = [&](std::size_t messages) {
        double expected = 0;
        double sum = 0;
        for (std::size_t i = 0; i < messages; ++i) expected += sum_of(source(i % 1000));
        for (std::size_t i = 0; i < messages * senders; ++i) {
            receive(router, sender);
            receive(router, message);
            sum += sum_of(codec.template decode<Message>(message));
            if (routes.size() < senders) routes.insert(sender.to_string());
        }
        check_sum(sum, expected * static_cast<double>(senders));
    };
    const auto tell_all = [&] {
        for (const std::string& route : routes) {
            send(router, zmq::message_t{std::string_view{route}}, zmq::send_flags::sndmore);
            send(router, zmq::message_t{std::string_view{"go on"}});
        }
    };
    receive_all(warm_up_count);
    const auto start = Clock::now();
    tell_all();
    receive_all(each);
    const std::chrono::duration<double> seconds = Clock::now() - start;
    tell_all();
    for (Child& child : children) child.wait();
    std::printf("{\"messages_per_second\":%.0f,\"count\":%zu}\n",
                static_cast<double>(each * senders) / seconds.count(), each * senders);
}

// What each of the many does: says one thing, hears one thing.
void connect_once(const std::string& endpoint) {
    zmq::context_t context;
    zmq::socket_t dealer = make_socket(context, zmq::socket_type::dealer);
    dealer.connect(endpoint);
    send(dealer, zmq::message_t{std::string_view{"ready"}});
    zmq::message_t answer;
    receive(dealer, answer);
}

void measure_spawn_connect(std::size_t count) {
    const Folder folder;
    zmq::context_t context;
    zmq::socket_t router = make_socket(context, zmq::socket_type::router);
    router.set(zmq::sockopt::backlog, static_cast<int>(std::max<std::size_t>(count, 100)));  // or some retry in 100 ms
    router.bind(folder.endpoint());
    std::vector<Child> children;
    children.reserve(count);

    const auto start = Clock::now();
    while (children.size() < count) children.push_back(Child{{"connect-once", "--endpoint", folder.endpoint()}});
    zmq::message_t sender;
    zmq::message_t message;
    for (std::size_t i = 0; i < count; ++i) {
        receive(router, sender);
        receive(router, message);
        send(router, std::move(sender), zmq::send_flags::sndmore);
        send(router, zmq::message_t{std::string_view{"welcome"}});
    }
    const Milliseconds ready = Clock::now() - start;
    for (Child& child : children) child.wait();
    const Milliseconds exited = Clock::now() - start;
    std::printf("{\"ready_ms\":%.2f,\"exited_ms\":%.2f,\"count\":%zu}\n", ready.count(), exited.count(), count);
}

struct Options {
    std::string mode;
    std::size_t count = 0;
    bool bytes = false;
    std::size_t block_bytes = 0;  // 0: samples
    std::size_t senders = 1;
    std::size_t pause_ms = 0;
    // Only from a parent to its child:
    std::string endpoint;
    std::size_t warm_up_count = 0;
};

Options read_options(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    Options options;
    const auto number_of = [](const std::string& text) {
        std::size_t number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc{} || end != text.data() + text.size() || number == 0) {
            throw std::runtime_error("not a number above 0: " + text);
        }
        return number;
    };
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const bool has_value = i + 1 < arguments.size();
        if (i == 0) options.mode = arguments[i];
        else if (arguments[i] == "--bytes") options.bytes = true;
        else if (arguments[i] == "--block-bytes" && has_value) options.block_bytes = number_of(arguments[++i]);
        else if (arguments[i] == "--senders" && has_value) options.senders = number_of(arguments[++i]);
        else if (arguments[i] == "--pause-ms" && has_value) options.pause_ms = number_of(arguments[++i]);
        else if (arguments[i] == "--count" && has_value) options.count = number_of(arguments[++i]);
        else if (arguments[i] == "--warm-up" && has_value) options.warm_up_count = number_of(arguments[++i]);
        else if (arguments[i] == "--endpoint" && has_value) options.endpoint = arguments[++i];
        else throw std::runtime_error("unknown argument: " + arguments[i]);
    }
    if (options.bytes && options.block_bytes > 0) throw std::runtime_error("--bytes is for samples, not for blocks");
    const bool is_child = !options.endpoint.empty();
    if (!is_child && options.count == 0) {
        throw std::runtime_error(
            "usage: raw_zmq round-trip|one-way|many-to-one|spawn-connect --count N [--bytes | --block-bytes N] "
            "[--senders N] [--pause-ms N]");
    }
    // A child does not outlive a parent that was killed.
    if (is_child) ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    return options;
}

template <class Codec, class Message>
void run(const Options& options) {
    const auto serve_as = [&](std::string mode) {
        std::vector<std::string> arguments{std::move(mode)};
        if (options.bytes) arguments.emplace_back("--bytes");
        if (options.block_bytes > 0)
            arguments.insert(arguments.end(), {"--block-bytes", std::to_string(options.block_bytes)});
        return arguments;
    };
    if (options.mode == "round-trip")
        return measure_round_trip<Codec, Message>(options.count, options.block_bytes,
                                                  std::chrono::milliseconds{options.pause_ms},
                                                  serve_as("serve-round-trip"));
    if (options.mode == "one-way")
        return measure_one_way<Codec, Message>(options.count, options.block_bytes, serve_as("serve-one-way"));
    if (options.mode == "many-to-one")
        return measure_many_to_one<Codec, Message>(options.senders, options.count, options.block_bytes,
                                                   serve_as("send-when-told"));
    if (options.mode == "send-when-told")
        return send_when_told<Codec, Message>(options.endpoint, options.warm_up_count, options.count,
                                              options.block_bytes);
    if (options.mode == "spawn-connect") return measure_spawn_connect(options.count);
    if (options.mode == "connect-once") return connect_once(options.endpoint);
    if (options.mode == "serve-round-trip" || options.mode == "serve-one-way")
        return serve<Codec, Message>(options.endpoint, options.warm_up_count, options.count,
                                     options.mode == "serve-round-trip");
    throw std::runtime_error("unknown mode: " + options.mode);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const Options options = read_options(argc, argv);
        if (options.block_bytes > 0) run<MsgpackCodec, Block>(options);
        else if (options.bytes) run<BytesCodec, Sample>(options);
        else run<MsgpackCodec, Sample>(options);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "raw_zmq: %s\n", error.what());
        return 1;
    }
}
